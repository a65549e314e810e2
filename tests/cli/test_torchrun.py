"""torchrun and the command line, on two processes and 8 pictures."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from i2i import cli
from i2i.data.day2night import write
from i2i.engine import checkpoint

pytestmark = pytest.mark.slow

TINY = ["--size", "32", "--width", "4", "--workers", "0", "--device", "cpu", "--precision", "fp32", "--cache", "none"]
CYCLEGAN = ["train", "cyclegan", *TINY, "--model.generator.blocks", "1", "--model.generator.norm", "batch"]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("sets") / "streets", train=8, val=1, test=1, size=(32, 32))


def torchrun(*command: str, timeout: float = 240) -> subprocess.CompletedProcess[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    start = [
        "-m",
        "torch.distributed.run",
        "--nproc-per-node",
        "2",
        "--master-addr",
        "127.0.0.1",
        "--master-port",
        port,
    ]
    return subprocess.run(
        [sys.executable, *start, *command],
        capture_output=True,
        text=True,
        check=False,
        timeout=timeout,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )


def log(run: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]


def learned(run: Path) -> dict[str, Any]:
    state = checkpoint.load(run / "checkpoint.pt")
    return state["model"] | {
        f"{rank}/{name}": own for rank, each in enumerate(state["ranks"]) for name, own in each["buffers"].items()
    }


def test_two_processes_train_stop_and_go_on_as_one_run(data: Path, tmp_path: Path) -> None:
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    command = ["-m", "i2i", *CYCLEGAN, "--data", str(data), "--training.schedule", "constant"]
    done = torchrun(*command, "--out", str(whole), "--steps", "6")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("6 steps. Its page") == 1
    assert done.stderr.count("6 steps on cpu") == 1
    assert [record["images"] for record in log(whole)] == [2, 4, 6, 8, 10, 12]
    assert [record["epoch"] for record in log(whole)][3] == 1
    assert torchrun(*command, "--out", str(parts), "--steps", "3").returncode == 0
    state = checkpoint.load(parts / "checkpoint.pt")
    assert [set(own["buffers"]) for own in state["ranks"]] == 2 * [{"history_X.pictures", "history_Y.pictures"}]
    here = ["--workers", "0", "--device", "cpu", "--cache", "none"]
    assert torchrun("-m", "i2i", "train", "--resume", str(parts), "--steps", "6", *here).returncode == 0
    ours, theirs = learned(whole), learned(parts)
    assert ours.keys() == theirs.keys()
    assert [name for name, value in ours.items() if not torch.equal(value, theirs[name])] == []
    # One process goes on where two stood: the position counts pictures.
    assert cli.main(["train", "--resume", str(parts), "--steps", "8", *here]) == 0
    assert log(parts)[-1]["images"] == 14
    assert "ranks" not in checkpoint.load(parts / "checkpoint.pt")
    said = torchrun("-m", "i2i", "train", "--resume", str(parts), "--steps", "10", *here)
    assert said.returncode == 0, said.stderr
    assert "Saved by 1 process, going on with 2: a step takes 2 pictures now" in said.stderr
    assert log(parts)[-1]["images"] == 18


FAILING = """
import os, signal, sys
from i2i import cli
from i2i.engine.trainer import Trainer
from i2i.errors import PictureError

whole = Trainer.round

def round(self, batches):
    if self.progress.rounds == 2 and os.environ["RANK"] == "1":
        {failure}
    whole(self, batches)

Trainer.round = round
sys.exit(cli.main(sys.argv[1:]))
"""


@pytest.mark.parametrize(
    ("failure", "message"),
    [
        ('raise PictureError("a.png: no picture")', "process 1 of 2: a.png: no picture"),
        ("os.kill(os.getpid(), signal.SIGKILL)", "process 0 of 2 has lost another one"),
    ],
)
def test_a_process_that_dies_ends_the_run_with_its_reason(
    failure: str, message: str, data: Path, tmp_path: Path
) -> None:
    script = tmp_path / "failing.py"
    script.write_text(FAILING.format(failure=failure), encoding="utf-8")
    args = ["--data", str(data), "--out", str(tmp_path / "run"), "--steps", "1000", "--training.checkpoint-every", "1"]
    done = torchrun(str(script), *CYCLEGAN, *args)
    assert done.returncode == 1
    ours = [line for line in done.stderr.splitlines() if line.startswith("i2i: error:")]
    assert len(ours) == 1, done.stderr
    assert message in ours[0]
    assert checkpoint.load(tmp_path / "run" / "checkpoint.pt")["progress"]["rounds"] == 2


def test_a_signal_to_one_process_stops_and_saves_all(data: Path, tmp_path: Path) -> None:
    script = tmp_path / "asked.py"
    script.write_text(FAILING.format(failure="os.kill(os.getpid(), signal.SIGTERM)"), encoding="utf-8")
    done = torchrun(str(script), *CYCLEGAN, "--data", str(data), "--out", str(tmp_path / "run"), "--steps", "1000")
    state = checkpoint.load(tmp_path / "run" / "checkpoint.pt")
    rounds = state["progress"]["rounds"]
    assert 3 <= rounds <= 5
    assert f"Stopped at step {rounds} and saved" in done.stderr
    assert len(state["ranks"]) == 2
    assert "i2i: error:" not in done.stderr


def test_what_is_wrong_with_all_processes_is_said_once(data: Path, tmp_path: Path) -> None:
    for wrong in (["--data", str(tmp_path)], ["--data", str(data), "--steps", "none"]):
        done = torchrun("-m", "i2i", *CYCLEGAN, *wrong, "--out", str(tmp_path / "run"))
        assert done.returncode == 1
        ours = [line for line in done.stderr.splitlines() if line.startswith("i2i: error:")]
        assert len(ours) == 1, done.stderr
        assert "process" not in ours[0]
        assert not (tmp_path / "run").exists()
