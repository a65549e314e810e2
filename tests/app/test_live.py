import json
import os
import time
from pathlib import Path

import numpy as np
import pytest

from i2i import images
from i2i.app import live
from i2i.app.live import look, samples_of, state_of


def line(step: int, **more) -> str:
    base = {"step": step, "images": 4 * step, "seconds": 0.5 * step, "images_per_second": 8.0, "losses": {"G/l1": 1.0}}
    return json.dumps(base | {"health": {"AtoB/diversity": 0.9}} | more) + "\n"


@pytest.fixture
def run(tmp_path: Path) -> Path:
    run = tmp_path / "run"
    (run / "samples").mkdir(parents=True)
    (run / "log.jsonl").write_text(line(50) + line(100) + line(150))
    for step in (50, 150, 1000):
        images.write(run / "samples" / f"{step:06}.png", np.zeros((8, 8, 3), np.uint8))
    return run


def test_a_run_is_seen_as_it_stands(run):
    view = look(run)
    assert (view.name, view.step, view.verdict.name) == ("run", 150, "healthy")
    assert dict(view.facts) == {
        "step": "150",
        "pictures seen": "600",
        "pictures a second": "8",
        "training time": "75 s",
    }
    assert [(group.title, group.panels[0].title) for group in view.groups] == [("G", "l1")]


def test_the_doctor_speaks(run):
    sick = {"AtoB/diversity": 0.01}
    with (run / "log.jsonl").open("a") as log:
        for step in range(200, 400, 50):
            log.write(line(step, health=sick))
    view = look(run)
    assert view.verdict.name == "mode collapse"
    assert view.verdict.advice


def test_samples_come_by_step_and_links_are_none(run, tmp_path):
    (run / "samples" / "000070.png").symlink_to(tmp_path)
    (run / "samples" / "x.png").write_text("")
    assert [int(path.stem) for path in samples_of(run)] == [50, 150, 1000]


def test_a_line_that_is_being_written_is_left_out(run):
    with (run / "log.jsonl").open("a") as log:
        log.write(line(200)[:-20])
    assert look(run).step == 150


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00", b"[]\n{}\n"])
def test_a_run_without_a_log_yet_is_no_error(content, tmp_path):
    (tmp_path / "log.jsonl").write_bytes(content)
    view = look(tmp_path)
    assert (view.step, view.facts, view.groups, view.samples) == (0, [], [], [])


def test_a_run_that_stands_still_is_told_from_one_that_goes_on(run):
    written = (run / "log.jsonl").stat().st_mtime
    assert not look(run, now=written + 1).stands_still
    assert look(run, now=written + live.QUIET_S + 1).stands_still


def test_the_time_of_a_run_that_was_resumed_is_of_both_parts(run):
    with (run / "log.jsonl").open("a") as log:
        log.write(line(200, seconds=10.0) + line(250, seconds=30.0))
    assert dict(look(run).facts)["training time"] == "2 min"


def test_the_state_changes_when_a_run_falls_quiet(run):
    written = (run / "log.jsonl").stat().st_mtime
    assert state_of(run, written) == state_of(run, written + 1) != state_of(run, written + live.QUIET_S + 1)


def test_the_state_changes_with_the_log_and_the_samples_and_not_otherwise(run):
    now = time.time()
    states = [state_of(run, now), state_of(run, now)]
    assert states[0] == states[1]
    with (run / "log.jsonl").open("a") as log:
        log.write(line(200))
    states.append(state_of(run, now))
    images.write(run / "samples" / "002000.png", np.zeros((8, 8, 3), np.uint8))
    states.append(state_of(run, now))
    os.utime(run / "log.jsonl", (1, 1))
    states.append(state_of(run, now))
    assert len(set(states)) == 4
