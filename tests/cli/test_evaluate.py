"""`i2i evaluate` from words to files, with translators that are small enough for a test."""

import json
from pathlib import Path

import numpy as np
import pytest

from i2i import cli, images
from i2i.networks.settings import ResNet
from i2i.translator import Card, save_network

CPU = ["--device", "cpu", "--precision", "fp32"]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two seeds of a run of 32 x 32, from label maps of two colours (B) to photos (A)."""
    root = tmp_path_factory.mktemp("place")
    generator = np.random.default_rng(0)
    for split, count in (("train", 4), ("test", 3)):
        (root / "data" / split).mkdir(parents=True)
        for index in range(count):
            classes = np.kron(generator.integers(0, 2, (4, 4)), np.ones((16, 16), int))
            label = np.array([[0, 0, 200], [220, 30, 0]], np.uint8)[classes]
            photo = (255 - label) // 2 + generator.integers(0, 20, label.shape, dtype=np.uint8)
            images.write(root / "data" / split / f"{index}.png", np.hstack([photo, label]))
    architecture = ResNet(width=2, blocks=1)
    for seed in (0, 1):
        run = root / f"seed{seed}"
        run.mkdir()
        (run / "experiment.yaml").write_text("recipe: tiny\n")
        card = Card(
            architecture=architecture,
            in_channels=3,
            out_channels=3,
            direction="BtoA",
            resize="square",
            size="64",
            recipe="tiny",
            steps=7 + seed,
        )
        save_network(architecture.build(3, 3, (64, 64)), card, run / "translator.safetensors")
    return root


def test_one_run_has_a_row_intervals_and_its_rule(
    place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["evaluate", str(place / "seed0"), str(place / "data"), "--out", str(tmp_path), *CPU]) == 0
    said = capsys.readouterr().out
    assert said.index("this model") < said.index("copy the input") < said.index("mean target")
    assert "last: the weights at the end of the run, 7 steps" in said
    kept = json.loads((tmp_path / "metrics.json").read_text())
    low, high = kept["intervals"]["this model"]["l1"]
    assert low <= kept["metrics"]["l1"] <= high
    assert f"[{low:.2f}, {high:.2f}]" in said
    assert kept["intervals"].keys() == {"this model", "copy the input", "best constant gain", "mean target"}
    page = (tmp_path / "report.html").read_text()
    assert page.index("worst: L1") < page.index("median: L1") < page.index("best: L1")
    assert all(f"<figcaption>{name}</figcaption>" in page for name in ("input", "output", "target"))


def test_runs_are_rows_of_one_table(place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    runs = [str(place / f"seed{seed}") for seed in (0, 1)]
    assert cli.main(["evaluate", *runs, str(place / "data"), "--out", str(tmp_path), *CPU]) == 0
    said = capsys.readouterr().out
    order = [said.index(row) for row in ("seed0", "seed1", "mean of the runs", "spread of the runs", "copy the input")]
    assert order == sorted(order)
    kept = json.loads((tmp_path / "metrics.json").read_text())
    each = [kept["runs"][name]["metrics"]["l1"] for name in ("seed0", "seed1")]
    assert kept["mean"]["l1"] == pytest.approx(np.mean(each))
    assert kept["spread"]["l1"] == pytest.approx(np.std(each, ddof=1))
    assert json.loads((tmp_path / "seed1" / "metrics.json").read_text())["metrics"]["l1"] == each[1]
    assert "spread of the runs" in (tmp_path / "report.html").read_text()
    assert cli.main(["evaluate", *runs, str(place / "data"), "--json", *CPU]) == 0
    assert json.loads(capsys.readouterr().out)["mean"] == kept["mean"]


def test_one_segmenter_judges_all_runs(place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    runs = [str(place / f"seed{seed}") for seed in (0, 1)]
    cache = tmp_path / "seg.safetensors"
    asked = [*runs, str(place / "data"), "--segmentation", "--cache", str(cache), "--json", *CPU]
    assert cli.main(["evaluate", *asked]) == 0
    kept = json.loads(capsys.readouterr().out)
    assert {"pixel", "class", "iou"} <= kept["mean"].keys()
    assert kept["runs"]["seed0"]["segmenter"]["classes"] == 2
    assert kept["runs"]["seed0"]["ceilings"] == kept["runs"]["seed1"]["ceilings"]
    assert cache.is_file()


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--cache", "x.safetensors"], "--cache: is the segmenter's"),
        (["--classes", "3"], "--classes: is the segmenter's"),
        (["--segmentation", "--classes", "1"], "--classes 1: wanted 2 or more"),
        (["--segmentation", "--split", "train"], "cannot judge it"),
        (["--segmentation", "--kind", "domains"], "say one of them"),
    ],
)
def test_flags_that_do_not_fit_are_refused(
    place: Path, flags: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["evaluate", str(place / "seed0"), str(place / "data"), *CPU, *flags]) == 2
    assert said in capsys.readouterr().err
