"""kill -9 at any moment: what is left loads, is a checkpoint interval old at most, and goes on as if nothing had been.

`pytest -n 0 -m slow -s tests/training/test_kills.py` kills 100 times and prints what was hit.
"""

import json
import os
import random
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from i2i.engine import checkpoint
from i2i.errors import ModelFileError
from i2i.experiment import change, from_yaml, to_yaml
from i2i.translator import load_network

sys.path.insert(0, str(Path(__file__).parent))
from resuming import differences, folder, small

STEPS = 60
STARTING_S, TRAINING_S = 1.0, 0.8
"""A life that is killed ends so long after its birth or after its first step, or at the first write after that."""

LIVES = """
import json, os, select, signal, sys, time
from i2i.experiment import parse_yaml
from i2i.training import Listener, train
import albumentations, cv2, tensorboardX, torch._dynamo, i2i.engine.trainer, i2i.report, i2i.translator
cv2.setNumThreads(0)

class Tells(Listener):
    def __init__(self, told):
        self.told = told
    def stepped(self, step):
        os.write(self.told, b"%d\\n" % step)  # before it can be saved

def writing(run):
    try:
        return any(name.endswith(".writing") for name in os.listdir(run))
    except FileNotFoundError:
        return False

for line in sys.stdin:
    experiment, data, run, since, seconds, aim = json.loads(line)
    hears, told = os.pipe()
    child = os.fork()
    if not child:
        train(parse_yaml(experiment, "it"), data=data, out=run, device="cpu", workers=0, existing="continue",
              listener=Tells(told))
        os._exit(0)
    os.close(told)
    due = time.monotonic() + seconds if since == "birth" else None
    steps = b""
    while True:
        if due and time.monotonic() > due and (aim is None or writing(run)):
            time.sleep(aim or 0)
            os.kill(child, signal.SIGKILL)
            due = None
        if select.select([hears], [], [], None if not due else 0 if aim else 0.001)[0]:
            if since == "first step" and not steps:
                due = time.monotonic() + seconds
            more = os.read(hears, 1 << 16)
            if not more:
                break
            steps += more
    os.close(hears)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    print((steps.split() or [b"0"])[-1].decode(), code, flush=True)
"""
"""Forks a training for each line it reads, so that a life costs no import. Kills it `seconds` `since` its birth or its
first step, or then, with `aim`, so long after it writes a file. Tells the last step and how it ended. Nobody else waits
for its children, so no other process can have their number."""


def loads(path: Path) -> bool:
    try:
        checkpoint.load(path)
    except ModelFileError:
        return False
    return True


def saved(run: Path) -> int:
    """The step of a run's checkpoint, which loads if it is there."""
    path = run / "checkpoint.pt"
    return checkpoint.load(path)["progress"]["rounds"] if path.exists() else 0


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="Windows has neither fork nor SIGKILL")
@pytest.mark.parametrize(("every", "kills"), [(1, 34), (2, 33), (3, 33)])
def test_a_killed_run_loses_an_interval_at_most_and_ends_as_if_nothing_had_been(
    every: int, kills: int, tmp_path: Path
) -> None:
    training: dict[str, Any] = {"steps": STEPS, "sample_every": STEPS, "checkpoint_every": every, "keep": every}
    smaller = {"model": {"discriminator": {"layers": 1}}, "data": {"size": "16"}, "training": training}
    settings = to_yaml(change(small("cyclegan"), smaller))
    data, draw = folder(tmp_path / "data", size=18), random.Random(every)
    lost: list[int] = []
    starting = writing = cut = finished = 0
    with subprocess.Popen(
        [sys.executable, "-c", LIVES], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
    ) as parent:

        def life(run: Path, since: str = "", seconds: float = 0, aim: float | None = None) -> tuple[int, int]:
            """The last step it told, 0 for none, and how it ended."""
            assert parent.stdin is not None
            assert parent.stdout is not None
            parent.stdin.write(f"{json.dumps([settings, str(data), str(run), since, seconds, aim])}\n".encode())
            reached, code = parent.stdout.readline().split()
            return int(reached), int(code)

        assert life(tmp_path / "never") == (STEPS, 0)
        run = tmp_path / "run-0"
        while len(lost) < kills:
            before = saved(run)
            aim = draw.uniform(0, 0.0015) if draw.random() < 0.75 else None
            since, longest = ("birth", STARTING_S) if draw.random() < 0.2 else ("first step", TRAINING_S)
            reached, code = life(run, since, draw.uniform(0, longest), aim)
            if code == 0:
                finished += 1
                run = tmp_path / f"run-{finished}"
                continue
            assert code == -signal.SIGKILL
            starting += not reached
            half = list(run.rglob("*.writing"))
            writing += bool(half)
            cut += any(not loads(file) for file in half if file.name.startswith("checkpoint"))
            lost.append(max(reached, before) - saved(run))
            for file in run.glob("*.safetensors"):
                load_network(file)
            for _, file in checkpoint.kept(run / "checkpoint.pt"):
                checkpoint.load(file)
            if (run / "experiment.yaml").exists():
                from_yaml(run / "experiment.yaml")
        assert life(run)[1] == 0
        assert parent.stdin is not None
        parent.stdin.close()
    print(
        f"a checkpoint every {every}: {len(lost)} kills survived, {starting} before a first step, {writing} in the "
        f"middle of writing a file, {cut} of them of half a checkpoint; {finished + 1} runs, at most {max(lost)} lost"
    )
    assert max(lost) <= every
    assert writing >= kills // 5  # where a disk is quick, a file is whole before the signal comes
    for number in range(finished + 1):
        assert differences(tmp_path / "never", tmp_path / f"run-{number}") == []
    assert not list(tmp_path.rglob("*.writing"))
