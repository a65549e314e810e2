"""One damaged picture costs an evaluation that picture, and is named; the rest is as if it had never been there."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from i2i import cli, images
from i2i.errors import DatasetError
from i2i.evaluation import judge_for, measure, measure_samples, random_features_for
from i2i.networks.settings import DCGANGenerator, ResNet
from i2i.sampler import Card as SamplerCard
from i2i.sampler import PictureSampler
from i2i.translator import Card, Translator, save_network

CARD = Card(architecture=ResNet(width=2, blocks=1), in_channels=3, out_channels=3, size="64", resize="square")
BROKEN = b"\x89PNG\r\n\x1a\n and then nothing"
CPU = ["--device", "cpu", "--precision", "fp32"]


@pytest.fixture(scope="module")
def translator() -> Translator:
    torch.manual_seed(0)
    return Translator(CARD.architecture.build(3, 3, (64, 64)), CARD, device="cpu", precision="fp32", batch_size=4)


def picture(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (64, 64, 3), dtype=np.uint8)


@pytest.fixture
def pairs(tmp_path: Path) -> Path:
    """5 + 5 pairs side by side."""
    for split, first in (("train", 0), ("test", 10)):
        (tmp_path / "pairs" / split).mkdir(parents=True)
        for index in range(5):
            sides = np.hstack([picture(first + index), picture(first + index + 100)])
            images.write(tmp_path / "pairs" / split / f"{index}.png", sides)
    return tmp_path / "pairs"


@pytest.fixture
def domains(tmp_path: Path) -> Path:
    for number, side in enumerate("AB"):
        (tmp_path / "domains" / f"test{side}").mkdir(parents=True)
        for index in range(12):
            images.write(tmp_path / "domains" / f"test{side}" / f"{side}{index}.png", picture(100 * number + index))
    return tmp_path / "domains"


@pytest.fixture
def lots(tmp_path: Path) -> Path:
    (tmp_path / "lots" / "test").mkdir(parents=True)
    for index in range(12):
        images.write(tmp_path / "lots" / "test" / f"{index}.png", picture(index)[:16, :16])
    return tmp_path / "lots"


def left_out(root: Path, *names: str) -> tuple[Callable[[], None], Path]:
    """A copy of a dataset without some pictures, and what damages these in the dataset itself."""
    without = root.with_name("without") / root.name
    shutil.copytree(root, without)
    for name in names:
        (without / name).unlink()

    def damage() -> None:
        for name in names:
            (root / name).write_bytes(BROKEN)

    return damage, without


def test_a_damaged_pair_is_in_no_row(pairs: Path, translator: Translator):
    damage, without = left_out(pairs, "test/0.png", "train/1.png")
    damage()
    found, wanted = measure(translator, pairs), measure(translator, without)
    assert found.pictures == 4
    assert (found.metrics, found.floors) == (wanted.metrics, wanted.floors)
    (reason,) = found.unreadable
    assert reason.startswith(str(pairs / "test/0.png"))
    assert f"left out: {reason}" in found.notes
    assert wanted.unreadable == []


def test_without_a_readable_training_pair_the_mean_is_that_of_the_split(pairs: Path, translator: Translator):
    for index in range(5):
        (pairs / "train" / f"{index}.png").write_bytes(BROKEN)
    assert "mean target: of 5 pictures of the test split" in measure(translator, pairs).notes


def test_a_damaged_picture_is_in_no_row_of_two_domains(domains: Path, translator: Translator):
    damage, without = left_out(domains, "testA/A0.png", "testB/B0.png", "testB/B7.png")
    damage()
    found, wanted = measure(translator, domains), measure(translator, without)
    assert found.pictures == 11
    assert (found.metrics, found.floors, found.ceilings) == (wanted.metrics, wanted.floors, wanted.ceilings)
    assert [Path(reason.split(":")[0]).name for reason in found.unreadable] == ["A0.png", "B0.png", "B7.png"]
    assert random_features_for(translator, domains, "test").hash == found.features[0]["hash"]


def test_a_damaged_picture_is_none_that_samples_are_compared_with(lots: Path):
    card = SamplerCard(architecture=DCGANGenerator(width=2, latent=4), out_channels=3, size="16", recipe="tiny")
    torch.manual_seed(0)
    sampler = PictureSampler(card.architecture.build(3, (16, 16)), card, device="cpu", batch_size=4)
    damage, without = left_out(lots, "test/0.png")
    damage()
    found, wanted = measure_samples(sampler, lots), measure_samples(sampler, without)
    assert (found.pictures, found.metrics) == (11, wanted.metrics)
    assert len(found.unreadable) == 1
    assert f"left out: {found.unreadable[0]}" in found.notes


def test_a_segmenter_learns_from_the_training_pairs_that_can_be_read(pairs: Path, translator: Translator):
    (pairs / "train/0.png").write_bytes(BROKEN)
    assert judge_for(translator, pairs, "test", classes=2).pictures == 4


def test_where_nothing_can_be_read_that_is_an_error_with_a_way_out(pairs: Path, domains: Path, translator: Translator):
    for index in range(5):
        (pairs / "train" / f"{index}.png").write_bytes(BROKEN)
        (pairs / "test" / f"{index}.png").write_bytes(BROKEN)
    with pytest.raises(DatasetError, match=r"no pair of its test split can be read .*0\.png.*i2i check"):
        measure(translator, pairs)
    with pytest.raises(DatasetError, match="no picture of its test split can be read"):
        random_features_for(translator, pairs, "test")
    with pytest.raises(DatasetError, match="no pair of its train split can be read"):
        judge_for(translator, pairs, "test", classes=2)
    for index in range(5):
        (domains / "testA" / f"A{index}.png").write_bytes(BROKEN)
    with pytest.raises(DatasetError, match=r"12 pictures of A and 12 of B \(5 of them cannot be read: .*A0\.png"):
        measure(translator, domains)


def test_the_command_names_it_on_stderr_and_ends_with_1(
    pairs: Path, translator: Translator, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    save_network(translator.network, CARD, tmp_path / "model.safetensors")
    words = ["evaluate", str(tmp_path / "model.safetensors"), str(pairs), "--features", "random", *CPU]
    assert cli.main(words) == 0
    (pairs / "test/3.png").write_bytes(BROKEN)
    assert cli.main([*words, "--out", str(tmp_path / "out")]) == 1
    assert f"left out: {pairs / 'test/3.png'}: " in capsys.readouterr().err
    assert len(json.loads((tmp_path / "out" / "metrics.json").read_text())["unreadable"]) == 1
    assert "left out: " in (tmp_path / "out" / "report.html").read_text()
    assert cli.main([*words, "--json"]) == 1
    assert len(json.loads(capsys.readouterr().out)["unreadable"]) == 1
