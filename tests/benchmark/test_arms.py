"""Processes that play in turns."""

import os
import sys
from pathlib import Path

import pytest
import torch

from i2i.benchmark.arms import Arm, environment
from i2i.benchmark.train import LEAST_ROUNDS, READY_BATCHES, WARM_UP, alternate
from i2i.errors import TrainingError

PLAYER = """
from pathlib import Path
from i2i.benchmark.channel import Channel
channel = Channel()
task = channel.task()
print("prattle")
channel.answer("ready", {})
while (count := channel.rounds()) is not None:
    with Path(task["diary"]).open("a") as diary:
        diary.write(f"{task['name']} {count}\\n")
    if task.get("refuses"):
        channel.answer("error", "no more")
    if task.get("breaks"):
        raise RuntimeError("broken inside")
    channel.answer("played", {"rounds": count, "images": count, "seconds": 0.5 * count, "another": 1})
"""


def player(name: str, diary: Path, **task: bool) -> Arm:
    command = [sys.executable, "-c", PLAYER]
    return Arm(name, command, {"name": name, "diary": str(diary), **task}, environment=environment(ours=True))


def test_arms_are_warmed_up_and_then_play_in_turns(tmp_path: Path) -> None:
    diary, cpu = tmp_path / "diary", torch.device("cpu")
    with player("a", diary) as a, player("b", diary) as b:
        assert (a.ready(), b.ready()) == ({}, {})
        played = alternate([a, b], rounds=7, repeats=2, device=cpu, loading=False)
    warm = WARM_UP["cpu"]
    assert diary.read_text().splitlines() == [
        *(f"{name} {count}" for name in "ab" for count in (warm, 3)),
        *("a 7", "b 7", "a 7", "b 7"),
    ]
    assert [[one.rounds for one in turns] for turns in played] == [[7, 7], [7, 7]]


def test_a_repeat_lasts_two_seconds_and_begins_when_ready_batches_are_used_up(tmp_path: Path) -> None:
    diary = tmp_path / "diary"
    with player("a", diary) as a:
        a.ready()
        alternate([a], rounds=None, repeats=1, device=torch.device("cpu"), loading=True)
    rounds = max(LEAST_ROUNDS, 4)  # half a second each
    assert diary.read_text().splitlines()[-2:] == [f"a {min(READY_BATCHES, rounds)}", f"a {rounds}"]


@pytest.mark.parametrize(
    ("task", "message"),
    [({"refuses": True}, "a: no more"), ({"breaks": True}, "ended with code 1: RuntimeError: brok")],
)
def test_what_stops_an_arm_is_told(tmp_path: Path, task: dict[str, bool], message: str) -> None:
    with player("a", tmp_path / "diary", **task) as arm:
        arm.ready()
        with pytest.raises(TrainingError, match=message):
            arm.play(1)


def test_the_reference_has_the_environment_of_its_users(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOMP_SPINCOUNT", "10000")
    monkeypatch.setenv("PYTHONPATH", "elsewhere")
    ours, theirs = environment(ours=True), environment(ours=False)
    assert ours["GOMP_SPINCOUNT"] == "10000"
    assert "GOMP_SPINCOUNT" not in theirs
    root = str(Path(__file__).parents[2])
    assert ours["PYTHONPATH"] == theirs["PYTHONPATH"] == os.pathsep.join((root, "elsewhere"))
    monkeypatch.setenv("GOMP_SPINCOUNT", "5")
    assert environment(ours=False)["GOMP_SPINCOUNT"] == "5"
