"""`i2i translate` and `i2i evaluate`: words in their places, flags where they belong, exit codes."""

import dataclasses
import io
import json
import signal
import subprocess
import sys
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from i2i import cli
from i2i.cli.translate import _detail
from i2i.conversion import Progress, Shard, Summary
from i2i.evaluation import Evaluation


class Loaded(str):
    """Stands for a translator."""

    card = SimpleNamespace(direction="AtoB")


class Called:
    """What was loaded, and what was asked of it."""

    def __init__(self) -> None:
        self.loaded: dict[str, Any] = {}
        self.asked: dict[str, Any] = {}
        self.summary = Summary(converted=2, seconds=1.0)
        self.progress = Progress(1, 1, 0, 64)

    def load(self, model: str, **options: Any) -> "Loaded":
        self.loaded = {"model": model, **options}
        return Loaded("translator")

    def translate(self, translator: str, inputs: list[str], output: Path, **options: Any) -> Summary:
        self.asked = {"inputs": inputs, "output": output, **options}
        options["on_progress"](self.progress)
        return self.summary

    def measure(self, translator: str, data: str, **options: Any) -> Evaluation:
        self.asked = {"data": data, **options}
        scores = {"l1": 10.0, "psnr": 20.0, "ssim": 0.5}
        floors = {"copy the input": {"l1": 30.0, "psnr": 10.0, "ssim": 0.25}}
        return Evaluation(metrics=scores, floors=floors, pictures=4, split="test", notes=["a note"])


@pytest.fixture
def called(monkeypatch: pytest.MonkeyPatch) -> Called:
    fake = Called()
    monkeypatch.setattr("i2i.translator.Translator.load", fake.load)
    monkeypatch.setattr("i2i.conversion.translate", fake.translate)
    monkeypatch.setattr("i2i.evaluation.measure", fake.measure)
    monkeypatch.setattr("i2i.evaluation.own_features_for", lambda *_, **__: None)
    monkeypatch.setattr("i2i.evaluation.random_features_for", lambda *_: "features")
    return fake


@pytest.mark.parametrize(
    "words",
    [
        "m a b out --fit native",
        "--fit native m a b out",
        "m a --fit native b out",
        "m --fit native a --quality 90 b out",
        "m --fit native -- a b out",
    ],
)
def test_flags_may_stand_anywhere(called: Called, words: str) -> None:
    assert cli.main(["translate", *words.split()]) == 0
    assert called.loaded["model"] == "m"
    assert called.loaded["fit"] == "native"
    assert (called.asked["inputs"], called.asked["output"]) == (["a", "b"], Path("out"))


def test_behind_two_dashes_everything_is_a_name(called: Called) -> None:
    assert cli.main(["translate", "m", "--", "-a.png", "--fit", "-3", "out"]) == 0
    assert called.asked["inputs"] == ["-a.png", "--fit", "-3"]
    assert called.loaded["fit"] is None


@pytest.mark.parametrize(
    ("flags", "option", "value"),
    [
        ("", "fit", None),
        ("--fit trained", "fit", "trained"),
        ("--fit 512", "fit", 512),
        ("--detail guided", "detail", "guided"),
        ("--direction BtoA", "direction", "BtoA"),
        ("--device cpu", "device", "cpu"),
        ("--precision fp32", "precision", "fp32"),
        ("--batch-size 3", "batch_size", 3),
        ("--norm-mode picture", "norm_mode", "picture"),
        ("--backend openvino", "backend", "openvino"),
    ],
)
def test_flags_of_the_model(called: Called, flags: str, option: str, value: object) -> None:
    assert cli.main(["translate", "m", "a", "out", *flags.split()]) == 0
    assert called.loaded[option] == value


@pytest.mark.parametrize(
    ("flags", "option", "value"),
    [
        ("", "existing", "refuse"),
        ("--overwrite", "existing", "overwrite"),
        ("--skip-existing", "existing", "skip"),
        ("--dry-run", "dry_run", True),
        ("--format png", "format", "png"),
        ("--quality 80", "quality", 80),
        ("--workers 2", "workers", 2),
        ("--half B", "half", "B"),
        ("--manifest m.jsonl", "manifest", Path("m.jsonl")),
        ("--report r.html", "report", Path("r.html")),
    ],
)
def test_flags_of_the_conversion(called: Called, flags: str, option: str, value: object) -> None:
    assert cli.main(["translate", "m", "a", "out", *flags.split()]) == 0
    assert called.asked[option] == value


@pytest.mark.parametrize(
    ("words", "part"),
    [
        ("m out", "got 2 of these"),
        ("m a out --fit big", "--fit: 'big' cannot be used, wanted trained|native|INT"),
        ("m a out --quality 0", "--quality 0: wanted keep, or 1 to 100"),
        ("m a out --batch-size 0", "--batch-size 0: wanted 1 or more"),
        ("m a out --workers 0", "--workers 0: wanted 1 or more"),
        ("m a out --overwrite --skip-existing", "say one of them"),
        ("m a out --shard 8/8", "--shard 8/8: wanted 0/8 to 7/8"),
        ("m a out --shard 1", "--shard 1: wanted auto, or part/parts"),
        ("m a out --ovewrite", "did you mean --overwrite?"),
        ("m a out --tiles 512", "--tiles: no such flag"),
    ],
)
def test_wrong_usage_is_one_line(called: Called, capsys: pytest.CaptureFixture[str], words: str, part: str) -> None:
    assert cli.main(["translate", *words.split()]) == 2
    said = capsys.readouterr().err
    assert part in said
    assert said.count("\n") == 1
    assert not called.asked


def test_failures_are_named_and_counted(called: Called, capsys: pytest.CaptureFixture[str]) -> None:
    called.summary = Summary(converted=1, failed=1, seconds=1.0, failures=[(Path("a/x.png"), "damaged")])
    assert cli.main(["translate", "m", "a", "out"]) == 1
    said = capsys.readouterr()
    assert "a/x.png: damaged\n" in said.err
    assert "1 converted, 1 failed" in said.out
    called.summary = dataclasses.replace(called.summary, converted=0)
    assert cli.main(["translate", "m", "a", "out"]) == 2


def test_a_dry_run_says_what_would_become_what(called: Called, capsys: pytest.CaptureFixture[str]) -> None:
    called.summary = Summary(planned=[(Path("a/x.png"), Path("out/x.png"))])
    assert cli.main(["translate", "m", "a", "out", "--dry-run"]) == 0
    assert capsys.readouterr().out == "a/x.png -> out/x.png\n"


def test_a_dry_run_counts_what_is_there_already(called: Called, capsys: pytest.CaptureFixture[str]) -> None:
    called.summary = Summary(planned=[(Path("a/x.png"), Path("out/x.png"))], skipped=3)
    assert cli.main(["translate", "m", "a", "out", "--dry-run", "--skip-existing"]) == 0
    assert capsys.readouterr().err.endswith("\n1 to convert, 3 there already.\n")


@pytest.mark.parametrize(("name", "code"), [("SIGINT", 130), ("SIGTERM", 143)])
def test_a_stopped_conversion_says_how_to_go_on(
    called: Called, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], name: str, code: int
) -> None:
    def stopped(*_: Any, stop: threading.Event, **__: Any) -> Summary:
        signal.raise_signal(getattr(signal, name))
        assert stop.is_set()
        return Summary(converted=3, left=7, ended="stopped before its end", seconds=1.0)

    monkeypatch.setattr("i2i.conversion.translate", stopped)
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    assert cli.main(["translate", "m", "a", "out"]) == code
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before
    said = capfd.readouterr()
    assert "once more ends at once" in said.err
    assert "the same command with --skip-existing converts the rest" in said.err
    assert "3 converted, 7 left" in said.out


def test_a_conversion_that_was_done_when_it_was_told_to_stop_is_done(
    called: Called, monkeypatch: pytest.MonkeyPatch
) -> None:
    def finished(*_: Any, **__: Any) -> Summary:
        signal.raise_signal(signal.SIGINT)
        return Summary(converted=3, seconds=1.0)

    monkeypatch.setattr("i2i.conversion.translate", finished)
    assert cli.main(["translate", "m", "a", "out"]) == 0


def test_told_twice_it_ends_at_once() -> None:
    script = (
        "import signal, time\n"
        "from i2i.cli.stopping import Stopping\n"
        "with Stopping('heard'):\n"
        "    signal.raise_signal(signal.SIGINT)\n"
        "    print('still here', flush=True)\n"
        "    signal.raise_signal(signal.SIGTERM)\n"
        "    print('never', flush=True)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=300)
    assert (done.returncode, done.stdout, done.stderr) == (143, "still here\n", "heard\n")


@pytest.mark.parametrize(("converted", "code"), [(5, 1), (0, 2)])
def test_a_full_disk_is_one_line(called: Called, capsys: pytest.CaptureFixture[str], converted: int, code: int) -> None:
    called.summary = Summary(converted=converted, left=7, ended="out: No space left on device", seconds=1.0)
    assert cli.main(["translate", "m", "a", "out"]) == code
    assert capsys.readouterr().err.count("No space left on device") == 1


def test_a_list_on_standard_input_is_an_input(called: Called, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"b.png\na.png\n")))
    assert cli.main(["translate", "m", "-", "out"]) == 0
    (found,) = called.asked["inputs"]
    assert list(found.names) == ["a.png", "b.png"]


def test_a_shard_is_taken_from_the_flag_or_the_environment(called: Called, monkeypatch: pytest.MonkeyPatch) -> None:
    assert cli.main(["translate", "m", "a", "out", "--shard", "3/8"]) == 0
    assert called.asked["shard"] == Shard(3, 8)
    monkeypatch.setenv("RANK", "1")
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("LOCAL_RANK", "1")
    assert cli.main(["translate", "m", "a", "out", "--shard", "auto"]) == 0
    assert called.asked["shard"] == Shard(1, 2, local=1)
    assert called.loaded["device"] == ("cuda:1" if torch.cuda.device_count() > 1 else "auto")


def test_progress_tells_megapixels_and_failures() -> None:
    assert _detail(Progress(4, 9, 1, 3_000_000), 2.0) == "1.5 MP/s, 1 failed"
    assert _detail(Progress(4, 9, 0, 3_000_000), 0.1) == ""


@pytest.mark.parametrize(
    ("flags", "option", "value"),
    [
        ("", "split", "test"),
        ("--split val", "split", "val"),
        ("--out o", "out", Path("o")),
        ("--direction BtoA", "direction", "BtoA"),
        ("--device cpu", "device", "cpu"),
        ("--precision fp32", "precision", "fp32"),
        ("--batch-size 3", "batch_size", 3),
    ],
)
def test_flags_of_an_evaluation(called: Called, flags: str, option: str, value: object) -> None:
    assert cli.main(["evaluate", "m", "d", *flags.split()]) == 0
    assert (called.asked | called.loaded)[option] == value
    assert (called.loaded["model"], called.asked["data"]) == ("m", "d")


def test_an_evaluation_is_a_table_or_json(called: Called, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["evaluate", "m", "d"]) == 0
    said = capsys.readouterr().out
    assert said.index("this model") < said.index("copy the input")
    assert "a note" in said
    assert cli.main(["evaluate", "m", "d", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["metrics"]["psnr"] == 20.0
    assert found["floors"]["copy the input"]["ssim"] == 0.25
    assert cli.main(["evaluate", "m"]) == 2
