"""`i2i benchmark`: flags arrive, figures are shown and left, what fails is said."""

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from i2i import cli
from i2i.benchmark.hardware import Rates
from i2i.benchmark.spread import Spread
from i2i.benchmark.train import ArmFigures, TrainingFigures
from i2i.cli.benchmark import PARTS, everything
from i2i.cli.benchmark.everything import Section, sections


def arm(name: str, replayed: float = 0.0, fallback: str | None = None) -> ArmFigures:
    rate = Spread(0.25, 0.2, 0.5)
    return ArmFigures(
        name=name,
        seconds=rate,
        images_per_second=Spread(4.0, 2.0, 5.0),
        rounds=2,
        peak_bytes=412_000_000,
        waiting=0.0625,
        replayed=replayed,
        fallback=fallback,
    )


def figures(device: str = "cpu, 2 threads, bf16", ours: ArmFigures | None = None, **more: Any) -> TrainingFigures:
    return TrainingFigures(
        recipe="pix2pix",
        size="128",
        batch_size=1,
        parameters=5,
        device=device,
        data="facades",
        flops=10**9,
        achieved=4e9,
        hardware=Rates(device="cpu", matrix_bf16=4e10, convolution_bf16=8e9, copy=2e10),
        of_convolution=0.5,
        of_matrix=0.1,
        ours=ours or arm("i2i"),
        **more,
    )


class Measured:
    """What was asked for, and what is found."""

    found = figures()
    experiment: Any
    options: dict[str, Any]

    def __call__(self, experiment: Any, **options: Any) -> TrainingFigures:
        self.experiment, self.options = experiment, options
        return self.found


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> Measured:
    fake = Measured()
    monkeypatch.setattr("i2i.benchmark.train.measure_training", fake)
    return fake


@pytest.mark.parametrize("part", PARTS)
def test_every_part_has_a_help_with_an_example(part: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["benchmark", part, "--help"]) == 0
    assert f"Example: i2i benchmark {part}" in capsys.readouterr().out


def test_flags_of_training_arrive(measured: Measured) -> None:
    args = "cyclegan --size 64 --width 8 --batch-size 2 --precision fp32 --rounds 3 --repeats 4 --data d --against r"
    assert cli.main(["benchmark", "train", *args.split(), "--device", "cpu", "--workers", "1"]) == 0
    options = {name: value for name, value in measured.options.items() if name != "tell"}
    assert options == {
        "device": "cpu",
        "data": Path("d"),
        "against": Path("r"),
        "rounds": 3,
        "repeats": 4,
        "workers": 1,
    }
    asked = measured.experiment
    assert (asked.recipe, asked.data.size, asked.model.generator.width) == ("cyclegan", "64", 8)
    assert (asked.training.batch_size, asked.training.precision) == (2, "fp32")


def test_pix2pix_is_measured_where_nothing_is_said(measured: Measured) -> None:
    assert cli.main(["benchmark", "train"]) == 0
    assert measured.experiment.recipe == "pix2pix"
    assert measured.options["data"] is None


def test_figures_are_shown_beside_the_limit_and_the_reference(
    measured: Measured, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    measured.found = figures(reference=arm("reference"), ratios=Spread(2.0, 1.5, 2.5), pairs=(1.5, 2.0, 2.5))
    assert cli.main(["benchmark", "train", "--json", str(tmp_path / "new" / "f.json")]) == 0
    said = " ".join(capsys.readouterr().out.split())
    for wanted in (
        "ms a step │ 250 (200 to 500) │ 250 (200 to 500)",
        "peak memory │ 412 MB",
        "waiting for data │ 6.25 %",
        "1 GFLOP a step, so 0.004 TFLOP/s",
        "convolution 0.008 TFLOP/s, matrix 0.04 TFLOP/s, copy 20 GB/s",
        "50 % of the convolution rate, 10 % of the matrix rate",
        "2 (1.5 to 2.5) times as fast, of 3 pairs",
    ):
        assert wanted in said
    left = json.loads((tmp_path / "new" / "f.json").read_text())
    assert left["part"] == "train"
    assert left["figures"]["pairs"] == [1.5, 2.0, 2.5]
    assert left["figures"]["ours"]["seconds"] == {"median": 0.25, "lowest": 0.2, "highest": 0.5}


def test_a_graph_that_is_required_and_not_there_ends_with_1(
    measured: Measured, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["benchmark", "train"]) == 0
    assert cli.main(["benchmark", "train", "--require-graph"]) == 1
    assert "i2i: no CUDA graph: there are CUDA graphs on CUDA alone" in capsys.readouterr().err
    measured.found = figures("cuda (X), bf16", arm("i2i", 0.5, "an operation waits for the host"))
    assert cli.main(["benchmark", "train", "--require-graph"]) == 1
    said = capsys.readouterr()
    assert "50% of the rounds were replayed: an operation waits for the host." in said.err
    assert "replayed from a graph │             50 %" in said.out
    measured.found = figures("cuda (X), bf16", arm("i2i", 1.0))
    assert cli.main(["benchmark", "train", "--require-graph"]) == 0


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ("nonsense", "'nonsense' is no part of i2i benchmark; there are all,"),
        ("trian", "did you mean train?"),
        ("train pix2pix extra", "'extra': a word too many"),
        ("train --repeats 0", "--repeats 0: wanted 1 or more"),
        ("train --rounds 0", "--rounds 0: wanted 1 or more"),
        ("train --workers -1", "--workers -1: wanted 0 or more"),
        ("convert one", "wanted a model and a folder, or neither; got 1 words"),
        ("convert --pictures 0", "--pictures 0: wanted 1 or more"),
        ("fidelity --epochs 3", "Give --steps"),
        ("all --minutes 0", "--minutes 0.0: wanted more than 0"),
        ("all --data nowhere --device cpu", "--data nowhere: no such folder"),
        ("all --against nowhere", "no checkout"),
    ],
)
def test_what_cannot_be_is_said_in_one_line(args: str, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["benchmark", *args.split()]) == 2
    said = capsys.readouterr().err
    assert message in said
    assert said.count("\n") == 1


def test_conversion_is_measured_without_a_model(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    args = "--size 64 --width 2 --pictures 2 --repeats 1 --device cpu --precision fp32 --json"
    assert cli.main(["benchmark", "convert", *args.split(), str(tmp_path / "f.json")]) == 0
    said = capsys.readouterr().out
    assert "unet: together at" in said
    assert "resnet: together at" in said
    assert [one["model"] for one in json.loads((tmp_path / "f.json").read_text())["figures"]] == ["unet", "resnet"]


def test_loading_and_sizes_are_shown(capsys: pytest.CaptureFixture[str]) -> None:
    small = ["--size", "64", "--workers", "0", "--batches", "1", "--repeats", "1"]
    assert cli.main(["benchmark", "load", *small]) == 0
    assert "32 pairs, 64 px, batch 1" in capsys.readouterr().out
    sizes = "--width 2 --sizes 32 64 --repeats 1 --device cpu --precision fp32 --model.generator.kind resnet"
    assert cli.main(["benchmark", "scale", "pix2pix", *sizes.split()]) == 0
    assert "1 is flat" in capsys.readouterr().out


# ----------------------------------------------------------------------------------------------------------------- all


def test_the_whole_list_begins_with_the_check_and_fits_its_time() -> None:
    for gpu in (True, False):
        planned = list(sections(gpu, Path("data"), Path("reference")))
        assert planned[0].args == ("check",)
        assert len({one.name for one in planned}) == len(planned)
        assert all(one.args[0] in PARTS for one in planned)
        assert sum("--against" in one.args for one in planned) == 3
    assert len(list(sections(False, Path("data"), None))) < len(list(sections(True, Path("data"), None)))


def test_a_part_that_fails_hides_no_other(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    planned = [Section("first", ("check",), 9), Section("broken", ("nonsense",), 9), Section("slow", ("check",), 9)]
    monkeypatch.setattr(everything, "sections", lambda *_: planned)
    answers = iter([(0, "table one\n", ""), (2, "", "i2i: error: no such part\n"), (None, "half\n", "")])
    asked: list[Any] = []

    def call(command: list[str], limit_s: float) -> Any:
        asked.append(command)
        return next(answers)

    monkeypatch.setattr(everything, "_call", call)
    args = ["--out", str(tmp_path), "--device", "cpu", "--data", str(tmp_path)]
    assert cli.main(["benchmark", *args]) == 1  # `all` is what a bare benchmark does
    assert asked[0][1:5] == ["-m", "i2i", "benchmark", "check"]
    assert asked[0][-2:] == ["--json", str(tmp_path / "first.json")]
    outcomes = json.loads((tmp_path / "outcomes.json").read_text())
    assert outcomes["first"].startswith("done")
    assert outcomes["broken"] == "failed with 2: no such part"
    assert outcomes["slow"] == "failed: not over after 9 s"
    assert (tmp_path / "first.txt").read_text() == "table one\n"
    assert "no such part" in (tmp_path / "broken.txt").read_text()
    assert "table one" in capsys.readouterr().out


def test_parts_without_time_are_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(everything, "_call", lambda *_: pytest.fail("begun"))
    args = ["--minutes", "0.1", "--device", "cpu", "--data", str(tmp_path), "--out", str(tmp_path)]
    assert cli.main(["benchmark", "all", *args]) == 1
    assert set(json.loads((tmp_path / "outcomes.json").read_text()).values()) == {"left out: no time"}


@pytest.mark.skipif(os.name != "posix", reason="processes end in another way")
def test_a_part_that_takes_too_long_is_ended_with_all_it_started(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    child = (
        f"import time; pipe = open({str(pipe)!r}, 'wb', 0); pipe.write(b'begun'); print(flush=True); "
        "time.sleep(60); pipe.write(b', left alone')"
    )
    # Popen and not run, which would end its child itself.
    script = (
        "import subprocess as s, sys, time; "
        f"s.Popen([sys.executable, '-c', {child!r}], stdout=s.PIPE).stdout.read(1); "
        "print('half', flush=True); time.sleep(60)"
    )
    with os.fdopen(os.open(pipe, os.O_RDONLY | os.O_NONBLOCK), "rb") as heard:
        code, said, _ = everything._call([sys.executable, "-c", script], 10.0)
        os.set_blocking(heard.fileno(), True)
        assert (code, said) == (None, "half\n")
        assert heard.read() == b"begun"  # to the end, which comes when no process can write any more


def test_json_on_standard_output_is_alone_there(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("i2i.benchmark.train.measure_training", lambda *words, **named: figures(ours=arm("ours")))
    for asked in (["--json", "-"], ["--json=-"]):
        assert cli.main(["benchmark", "train", "pix2pix", *asked]) == 0
        said = capsys.readouterr()
        assert json.loads(said.out)["figures"]["recipe"] == "pix2pix"
        assert "pix2pix" in said.err  # the table
