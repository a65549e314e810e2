import dataclasses
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from torch import Tensor, nn

from i2i import images
from i2i.errors import DatasetError
from i2i.evaluation import compare, evaluate, measure
from i2i.networks.settings import ResNet
from i2i.translator import Card, Translator


class Identity(nn.Module):
    multiple = 8

    def forward(self, x: Tensor) -> Tensor:
        self.seen = x
        return x


class Brighter(nn.Module):
    """20 levels of 255 brighter."""

    multiple = 8

    def forward(self, x: Tensor) -> Tensor:
        return x + 20 / 127.5


CARD = Card(architecture=ResNet(width=2, blocks=1), in_channels=3, out_channels=3)


def translator(network: nn.Module | None = None, **fields: Any) -> Translator:
    card = dataclasses.replace(CARD, **fields)
    return Translator(network or Identity(), card, device="cpu", precision="fp32", batch_size=2)


def noise(size: tuple[int, int] = (16, 16), low: int = 0, high: int = 256, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(low, high, (*size, 3), dtype=np.uint8)


def pair(root: Path, name: str, a: np.ndarray, b: np.ndarray, split: str = "test") -> None:
    for side, pixels in (("A", a), ("B", b)):
        path = root / split / side / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        images.write(path, pixels)


def flat(level: int, size: tuple[int, int] = (16, 16)) -> np.ndarray:
    return np.full((*size, 3), level, np.uint8)


# ------------------------------------------------------------------------------------------------------ numbers by hand


def test_of_equal_pictures_nothing_is_wrong():
    assert compare(noise(), noise()) == {"l1": 0.0, "psnr": 100.0, "ssim": 1.0}


@pytest.mark.parametrize("offset", [1, 20])
def test_a_constant_offset_is_its_own_l1_and_has_the_psnr_of_its_definition(offset):
    scores = compare(noise(high=200) + np.uint8(offset), noise(high=200))
    assert scores["l1"] == offset
    assert scores["psnr"] == pytest.approx(20 * math.log10(255 / offset))
    assert scores["ssim"] < 1


def test_ssim_of_two_flat_pictures_is_that_of_their_means():
    # Wang et al. 2004, Eq. 13 without variance: (2 a b + c) / (a a + b b + c), c = (0.01 * 255) ** 2.
    c = (0.01 * 255) ** 2
    wanted = (2 * 100 * 150 + c) / (100**2 + 150**2 + c)
    assert compare(flat(100), flat(150))["ssim"] == pytest.approx(wanted, abs=1e-4)


@pytest.mark.parametrize("size", [(1, 1), (2, 9), (3, 3), (4, 6), (6, 40)])
def test_small_pictures_have_scores_too(size):
    scores = compare(noise(size), noise(size, seed=1))
    assert all(math.isfinite(value) for value in scores.values())


def test_16_bits_are_compared_as_8():
    deep = [images.to_depth(noise(seed=seed), np.uint16) for seed in (0, 1)]
    assert compare(deep[0], deep[1]) == compare(noise(), noise(seed=1))


def test_a_perfect_translator_scores_perfectly(tmp_path):
    for index in range(3):
        pair(tmp_path, str(index), noise(seed=index), noise(seed=index))
    scores = evaluate(translator(), tmp_path)
    assert (scores["l1"], scores["psnr"], scores["ssim"]) == (0.0, 100.0, 1.0)
    assert scores["copy the input/l1"] == 0


def test_the_scores_are_means_over_pictures_of_different_sizes(tmp_path):
    # One exact, one 20 levels off; the second is larger and counts no more.
    pair(tmp_path, "exact", flat(50), flat(70))
    pair(tmp_path, "off", flat(50, (24, 40)), flat(90, (24, 40)))
    assert evaluate(translator(Brighter()), tmp_path)["l1"] == pytest.approx(10)


# --------------------------------------------------------------------------------------------------------------- floors


def test_a_target_of_exactly_half_is_reached_by_the_best_gain(tmp_path):
    for index in range(3):
        even = 2 * noise(high=128, seed=index)
        pair(tmp_path, str(index), even, even // 2)
    found = measure(translator(), tmp_path)
    assert found.floors["best constant gain"] == {"l1": 0.0, "psnr": 100.0, "ssim": 1.0}
    assert any("0.500" in note for note in found.notes)
    assert found.floors["copy the input"] == pytest.approx(found.metrics)
    assert found.best_floor == found.floors["best constant gain"]


def test_the_mean_target_is_that_of_training(tmp_path):
    for level in (40, 60):
        pair(tmp_path, str(level), flat(0), flat(level), split="train")
    pair(tmp_path, "1", flat(90), flat(200))
    found = measure(translator(), tmp_path)
    assert found.floors["mean target"]["l1"] == 150
    assert found.floors["copy the input"]["l1"] == 110
    assert any("train split" in note for note in found.notes)


def test_without_a_training_split_the_mean_is_of_the_split_itself(tmp_path):
    for level in (40, 60):
        pair(tmp_path, str(level), flat(0), flat(level))
    found = measure(translator(), tmp_path)
    assert found.floors["mean target"]["l1"] == 10
    assert any("test split" in note for note in found.notes)


def test_a_black_source_has_a_gain(tmp_path):
    pair(tmp_path, "1", flat(0), flat(30))
    assert measure(translator(), tmp_path).floors["best constant gain"]["l1"] == 30


def test_floors_are_given_beside_the_scores(tmp_path):
    pair(tmp_path, "1", flat(50), flat(60))
    scores = evaluate(translator(), tmp_path)
    floors = ("copy the input", "best constant gain", "mean target")
    assert scores.keys() == {"l1", "psnr", "ssim"} | {
        f"{floor}/{name}" for floor in floors for name in ("l1", "psnr", "ssim")
    }
    assert all(type(value) is float for value in scores.values())


# ---------------------------------------------------------------------------------------------- which side, which scale


@pytest.mark.parametrize(("direction", "l1"), [("AtoB", 10), ("BtoA", 30)])
def test_the_direction_says_which_side_is_the_source(direction, l1, tmp_path):
    pair(tmp_path, "1", flat(50), flat(60))
    # Brighter by 20: from A 70 against 60, from B 80 against 50.
    assert evaluate(translator(Brighter(), direction=direction), tmp_path)["l1"] == l1


def test_a_model_of_squares_is_compared_at_its_scale(tmp_path):
    picture = noise((24, 48))
    pair(tmp_path, "1", picture, picture)
    network = Identity()
    found = measure(translator(network, resize="square", size="16"), tmp_path, out=tmp_path / "out")
    assert network.seen.shape == (1, 3, 16, 16)
    assert found.metrics["l1"] == 0
    assert images.read(tmp_path / "out" / "pictures" / "1.png").shape == (16, 16, 3)


def test_gray_and_colour_are_brought_to_the_translators_channels(tmp_path):
    pair(tmp_path, "1", noise(), noise()[:, :, :1])
    scores = evaluate(translator(Identity(), in_channels=1, out_channels=1), tmp_path)
    assert 0 < scores["l1"] < 128


def test_pairs_side_by_side_are_cut(tmp_path):
    (tmp_path / "test").mkdir()
    images.write(tmp_path / "test" / "1.png", np.concatenate([flat(50), flat(60)], axis=1))
    assert evaluate(translator(), tmp_path)["l1"] == 10


# --------------------------------------------------------------------------------------------------------- what is left


def test_a_missing_split_is_said_and_not_guessed(tmp_path):
    pair(tmp_path, "1", noise(), noise(), split="train")
    with pytest.raises(DatasetError, match=r"has no test split, only train.*--split"):
        evaluate(translator(), tmp_path)
    assert evaluate(translator(), tmp_path, split="train")["l1"] == 0


def test_every_translation_lies_under_the_stem_of_its_input(tmp_path):
    data, out = tmp_path / "data", tmp_path / "out"
    for name in ("a", "b.c", "deep/d"):
        pair(data, name, noise(high=200), noise())
    measure(translator(Brighter()), data, out=out)
    found = sorted(path.relative_to(out / "pictures").as_posix() for path in (out / "pictures").rglob("*.png"))
    assert found == ["a.png", "b.c.png", "deep/d.png"]
    for name in found:
        assert np.array_equal(images.read(out / "pictures" / name), noise(high=200) + np.uint8(20))


def test_the_numbers_and_a_page_are_left(tmp_path):
    data, out = tmp_path / "data", tmp_path / "out"
    for index in range(15):
        pair(data, f"{index:02}", noise(seed=index), noise(seed=index, high=100))
    found = measure(translator(recipe="tiny"), data, out=out)
    content = json.loads((out / "metrics.json").read_text(encoding="utf-8"))
    assert content["metrics"] == found.metrics
    assert content["floors"] == found.floors
    assert (content["pictures"], content["split"]) == (15, "test")
    assert sorted(content["each"]) == [f"{index:02}" for index in range(15)]
    assert content["each"]["00"]["l1"] == compare(noise(), noise(high=100))["l1"]
    assert np.mean([score["l1"] for score in content["each"].values()]) == pytest.approx(found.metrics["l1"])
    page = (out / "report.html").read_text(encoding="utf-8")
    assert all(word in page for word in ("tiny", "copy the input", "best", "median", "worst"))
    assert sorted(path.name for path in out.iterdir()) == ["metrics.json", "pictures", "report.html"]


def test_progress_counts_up_to_the_whole(tmp_path):
    for index in range(5):
        pair(tmp_path, str(index), noise(), noise())
    seen: list[tuple[int, int]] = []
    measure(translator(), tmp_path, on_progress=lambda done, total: seen.append((done, total)))
    assert seen == [(2, 5), (4, 5), (5, 5)]


@pytest.mark.parametrize("out", ["file", "file/out"])
def test_a_place_that_cannot_be_written_is_said_before_work(out, tmp_path):
    pair(tmp_path / "data", "1", noise(), noise())
    (tmp_path / "file").write_text("a file")
    with pytest.raises(DatasetError, match="--out"):
        evaluate(translator(), tmp_path / "data", out=tmp_path / out)


@pytest.mark.parametrize(("asked", "recipe"), [("pairs", ""), ("auto", "pix2pix")])
def test_two_domains_are_no_pairs(asked, recipe, tmp_path):
    for side in ("A", "B"):
        (tmp_path / f"test{side}").mkdir()
        images.write(tmp_path / f"test{side}" / f"only{side}.png", noise())
    with pytest.raises(DatasetError, match="same names"):
        evaluate(translator(recipe=recipe), tmp_path, kind=asked)
