"""`i2i evaluate` from words to files, with translators that are small enough for a test."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from i2i import cli, images
from i2i.networks.settings import DCGANGenerator, ResNet
from i2i.sampler import Card as SamplerCard
from i2i.sampler import save_sampler
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
    assert kept["direction"] == "BtoA"
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


@pytest.fixture(scope="module")
def noisy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two runs that make pictures of 16 x 16 from noise, and ten real ones."""
    root = tmp_path_factory.mktemp("noisy")
    (root / "data" / "test").mkdir(parents=True)
    for index in range(10):
        pixels = np.random.default_rng(index).integers(0, 256, (16, 16, 3), dtype=np.uint8)
        images.write(root / "data" / "test" / f"{index}.png", pixels)
    for seed in (0, 1):
        card = SamplerCard(architecture=DCGANGenerator(width=2, latent=4), out_channels=3, size="16", recipe="tiny")
        torch.manual_seed(seed)
        (root / f"seed{seed}").mkdir()
        save_sampler(card.architecture.build(3, (16, 16)), card, root / f"seed{seed}" / "sampler.safetensors")
    return root


def test_what_makes_pictures_from_noise_has_floors_of_its_own(noisy: Path, tmp_path: Path, capsys) -> None:
    words = ["evaluate", str(noisy / "seed0"), str(noisy / "data"), "--out", str(tmp_path), "--device", "cpu"]
    assert cli.main(words) == 0
    said = capsys.readouterr().out
    # headings stand side by side, and in a narrow terminal in several lines
    assert all(words in said for words in ("this model", "untrained", "one picture", "half of the"))
    assert "10 pictures of seeds from 0 on against 10 real ones of data/test" in said
    assert "tiny on test" in (tmp_path / "report.html").read_text()
    assert len(list((tmp_path / "pictures").iterdir())) == 10


def test_seeds_of_what_makes_pictures_from_noise_have_one_table(noisy: Path, capsys) -> None:
    runs = [str(noisy / f"seed{seed}") for seed in (0, 1)]
    assert cli.main(["evaluate", *runs, str(noisy / "data"), "--device", "cpu"]) == 0
    assert "standard deviation over 2 runs" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--segmentation"], "--segmentation: is for translators"),
        (["--kind", "domains"], "--kind: is for translators"),
        (["--direction", "BtoA"], "--direction: is for translators"),
        (["--features", "own"], "--features own: are learnt from two domains"),
        (["--split", "train"], "has no train split"),
    ],
)
def test_what_only_translators_have_is_refused_in_one_line(noisy: Path, capsys, flags, said) -> None:
    assert cli.main(["evaluate", str(noisy / "seed0"), str(noisy / "data"), *flags]) == 2
    assert said in capsys.readouterr().err
