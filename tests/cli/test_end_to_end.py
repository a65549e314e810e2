"""The commands together, on tiny networks: train, stop, resume, translate, evaluate; and what real data refuses."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from i2i import cli
from i2i.data.day2night import write

TINY = ["--size", "32", "--width", "4", "--workers", "0", "--device", "cpu", "--precision", "fp32"]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("sets") / "streets", train=4, val=1, test=2, size=(32, 32))


@pytest.fixture(scope="module")
def run(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("runs") / "streets"
    assert cli.main(["train", "pix2pix", "--data", str(data), "--out", str(out), *TINY, "--steps", "3"]) == 0
    return out


def _steps(run: Path) -> list[int]:
    return [json.loads(line)["step"] for line in (run / "log.jsonl").read_text().splitlines()]


def test_train_then_resume(run: Path, data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = _steps(run)
    assert before[-1] == 3
    steps = before[-1] + 1
    assert cli.main(["train", "--resume", str(run), "--steps", str(steps), "--workers", "0", "--device", "cpu"]) == 0
    said = capsys.readouterr()
    assert f"{run}: {steps} steps" in said.out
    assert _steps(run)[-1] == steps
    last = [line for line in said.err.splitlines() if line.startswith(f"step {steps}/{steps}")]
    assert len(last) == 1  # in a log file nothing is said twice
    assert cli.main(["train", "pix2pix", "--data", str(data), "--out", str(run), *TINY]) == 2
    assert "--overwrite" in capsys.readouterr().err


def test_continue_is_one_command_line_for_start_and_later(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "run"
    args = ["train", "pix2pix", "--data", str(data), "--out", str(out), *TINY, "--continue", "--steps"]
    assert [cli.main([*args, steps]) for steps in ("1", "1", "2")] == [0, 0, 0]
    assert _steps(out) == [1, 2]
    capsys.readouterr()
    assert cli.main([*args, "2", "--width", "8"]) == 2
    assert "model.generator.width from 4 to 8" in capsys.readouterr().err


def test_translate_and_evaluate(run: Path, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pattern, out = str(data / "test" / "A" / "*.png"), tmp_path / "night"
    assert cli.main(["translate", str(run), pattern, str(out), "--device", "cpu"]) == 0
    assert sorted(path.name for path in out.iterdir()) == ["0000.png", "0001.png"]
    assert "2 converted" in capsys.readouterr().out
    assert cli.main(["translate", str(run), pattern, str(out), "--device", "cpu"]) == 2
    assert cli.main(["translate", str(run), pattern, str(out), "--device", "cpu", "--skip-existing"]) == 0
    assert "0 converted, 2 there already" in capsys.readouterr().out
    assert cli.main(["translate", str(run), str(tmp_path / "none"), str(out), "--device", "cpu"]) == 2
    assert cli.main(["translate", str(tmp_path / "none"), pattern, str(out)]) == 2
    assert cli.main(["evaluate", str(run), str(data), "--out", str(tmp_path / "results"), "--device", "cpu"]) == 0
    assert json.loads((tmp_path / "results" / "metrics.json").read_text())["pictures"] == 2


def test_time_that_is_up_is_no_error(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "run"
    args = ["train", "pix2pix", "--data", str(data), "--out", str(out), *TINY, "--steps", "100000"]
    assert cli.main([*args, "--max-time", "0.1s"]) == 0
    assert f"saved. Go on with: i2i train --resume {out}" in capsys.readouterr().err
    assert (out / "checkpoint.pt").is_file()


@pytest.mark.parametrize(("name", "code"), [("SIGTERM", 143), ("SIGINT", 130), ("SIGUSR1", 138)])
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
def test_a_signal_ends_with_its_code_and_a_run_to_resume(
    name: str, code: int, data: Path, tmp_path: Path, start: Callable[..., "subprocess.Popen[str]"]
) -> None:
    out = tmp_path / "run"
    args = ["train", "pix2pix", "--data", str(data), "--out", str(out), *TINY, "--steps", "100000"]
    command = [sys.executable, "-m", "i2i", *args, "--training.log-every", "1"]
    process = start(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 300
    log = out / "log.jsonl"
    while not (log.exists() and log.stat().st_size) and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(getattr(signal, name))
    said = process.communicate(timeout=300)[1]
    assert process.returncode == code, said
    assert f"saved. Go on with: i2i train --resume {out}" in said
    assert "Traceback" not in said
    steps = torch.load(out / "checkpoint.pt", weights_only=True)["progress"]["rounds"]
    more = [str(steps + 1), "--workers", "0", "--device", "cpu"]
    assert cli.main(["train", "--resume", str(out), "--steps", *more]) == 0


@pytest.mark.parametrize(
    ("flags", "part"),
    [
        (["--size", "100"], "--size"),
        (["--size", "64", "--resize", "none"], "64"),
        (["--out", "{tmp}/file/run"], "cannot be written to"),
        pytest.param(
            ["--device", "cuda"],
            "--device cpu",
            marks=pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU"),
        ),
        (["--data", "{tmp}/empty"], "holds no pictures"),
        (["--data", "{tmp}/none"], "does not exist"),
        (["--data", "{tmp}/unpaired"], "for unpaired training use 'cyclegan'"),
    ],
)
def test_what_cannot_train_is_said(
    flags: list[str], part: str, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "empty").mkdir()
    for side, names in (("A", "ab"), ("B", "cd")):
        (tmp_path / "unpaired" / f"train{side}").mkdir(parents=True)
        for name in names:
            picture = next((data / "train" / side).iterdir())
            (tmp_path / "unpaired" / f"train{side}" / f"{name}.png").write_bytes(picture.read_bytes())
    flags = [flag.format(tmp=tmp_path) for flag in flags]
    assert cli.main(["train", "pix2pix", "--data", str(data), "--out", str(tmp_path / "run"), *TINY, *flags]) == 2
    said = capsys.readouterr().err
    assert part in said
    assert "Traceback" not in said
    assert not (tmp_path / "run").exists()


def test_the_demo_says_when_it_falls_short(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from i2i.cli import demo
    from i2i.experiment import change, set_width

    monkeypatch.setattr(demo, "PICTURES", {"train": 3, "val": 1, "test": 2})
    monkeypatch.setattr(demo, "DEMO", change(set_width(demo.DEMO, 4), {"training": {"batch_size": 1}}))
    out = tmp_path / "demo"
    args = ["demo", "--out", str(out), "--size", "32", "--steps", "2", "--device", "cpu"]
    assert cli.main(args) == 1
    said = capsys.readouterr().out
    assert "fell short" in said
    assert "last: the weights at the end of the run, 2 steps" in said
    assert str(out / "report.html") in said
    found = json.loads((out / "metrics.json").read_text())
    assert set(found["floors"]) == {"copy the input", "best constant gain", "mean target"}
    assert len(list((out / "night").iterdir())) == 2
    assert cli.main(args) == 2
    assert "--overwrite" in capsys.readouterr().err
    monkeypatch.setattr(demo, "MARGIN", {"psnr": -100.0, "ssim": -100.0})
    assert cli.main([*args, "--overwrite"]) == 0


def test_a_python_without_a_terminal_still_ends_quietly(data: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "i2i", "check", str(data)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        env=os.environ | {"TERM": "dumb"},
    )
    assert done.returncode == 0
    assert b"\x1b" not in done.stdout + done.stderr
