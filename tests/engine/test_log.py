import json

import pytest

from i2i.engine.log import Log, read


def record(step: int) -> dict[str, object]:
    return {"step": step, "losses": {"G/gan": float(step)}, "learning_rate": 2e-4}


def write(run, steps, resume_step=0):
    log = Log(run, resume_step)
    for step in steps:
        log.add(record(step))
    log.close()


def test_what_is_logged_is_read_line_by_line(tmp_path):
    write(tmp_path, [1, 2, 3])
    assert read(tmp_path / "log.jsonl") == [record(1), record(2), record(3)]


def test_a_line_is_on_disk_before_the_next_is_made(tmp_path):
    log = Log(tmp_path)
    log.add(record(1))
    assert read(tmp_path / "log.jsonl") == [record(1)]
    log.close()


def test_going_on_leaves_no_doubles(tmp_path):
    write(tmp_path, [10, 20, 30, 40])
    write(tmp_path, [30, 40, 50], resume_step=25)
    assert [line["step"] for line in read(tmp_path / "log.jsonl")] == [10, 20, 30, 40, 50]


def test_going_on_from_a_logged_step_keeps_it(tmp_path):
    write(tmp_path, [10, 20, 30])
    write(tmp_path, [30], resume_step=20)
    assert [line["step"] for line in read(tmp_path / "log.jsonl")] == [10, 20, 30]


def test_a_new_run_starts_an_empty_log(tmp_path):
    write(tmp_path, [10, 20])
    write(tmp_path, [5])
    assert [line["step"] for line in read(tmp_path / "log.jsonl")] == [5]


@pytest.mark.parametrize("end", ['{"step": 3, "los', "\n", "[1, 2]\n", '{"losses": {}}\n', '{"step": "x"}\n'])
def test_a_line_that_a_crash_cut_short_is_left_out(end, tmp_path):
    write(tmp_path, [1, 2])
    with (tmp_path / "log.jsonl").open("a") as file:
        file.write(end)
    assert read(tmp_path / "log.jsonl") == [record(1), record(2)]
    write(tmp_path, [3], resume_step=2)
    lines = (tmp_path / "log.jsonl").read_text().splitlines()
    assert [json.loads(line)["step"] for line in lines] == [1, 2, 3]


def test_no_log_is_an_empty_one(tmp_path):
    assert read(tmp_path / "log.jsonl") == []


def test_curves_go_to_tensorboard(tmp_path):
    write(tmp_path, [1, 2])
    (events,) = (tmp_path / "tensorboard").iterdir()
    assert b"G/gan" in events.read_bytes()
