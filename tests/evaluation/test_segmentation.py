import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from torch import Tensor, nn

from i2i import images
from i2i.data.folders import find_pairs
from i2i.errors import DatasetError, ModelFileError, SettingsError
from i2i.evaluation import Judge, evaluate, judge_for, measure
from i2i.evaluation.label_colours import classes_of, count_colours, label_colours
from i2i.evaluation.segmentation import confusion, segmentation_scores
from i2i.evaluation.segmenter import SegmenterSettings, segmenters_for
from i2i.networks.settings import ResNet
from i2i.translator import Card, Translator

COLOURS = np.array([[0, 0, 170], [255, 0, 0], [0, 255, 255]], np.uint8)


def labels(seed: int = 0, size: int = 64) -> np.ndarray:
    """Blocks of the three colours, smeared along their edges as JPEG does."""
    blocks = np.random.default_rng(seed).choice(3, (size // 16, size // 16), p=[0.6, 0.3, 0.1])
    grown = COLOURS[np.kron(blocks, np.ones((16, 16), int))]
    smeared = (grown.astype(np.uint16) + np.roll(grown, 1, 0) + np.roll(grown, 1, 1)) // 3
    return smeared.astype(np.uint8)


class Negative(nn.Module):
    """What the photographs below are of their label maps."""

    multiple = 8

    def forward(self, x: Tensor) -> Tensor:
        return -x


class Flat(nn.Module):
    multiple = 8

    def forward(self, x: Tensor) -> Tensor:
        return 0 * x


def translator(network: nn.Module | None = None, **fields: Any) -> Translator:
    card = Card(
        architecture=ResNet(width=2, blocks=1),
        in_channels=3,
        out_channels=3,
        direction="BtoA",
        resize="square",
        size="64",
        **fields,
    )
    return Translator(network or Negative(), card, device="cpu", precision="fp32", batch_size=2)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Photos that are the negatives of their label maps."""
    root = tmp_path_factory.mktemp("labelled") / "blocks"
    for split, count in (("train", 8), ("test", 4)):
        (root / split).mkdir(parents=True)
        for index in range(count):
            label = labels(index + 10 * len(split))
            images.write(root / split / f"{index}.png", np.hstack([255 - label, label]))
    return root


@pytest.fixture(scope="module")
def judge(data: Path) -> Judge:
    return judge_for(translator(), data, "test")


# --------------------------------------------------------------------------------------------------------------- scores


def test_what_is_recognised_everywhere_scores_one_and_permuted_classes_score_zero():
    truth = np.arange(16).reshape(4, 4) % 3
    assert segmentation_scores(confusion(truth, truth, 3)) == {"pixel": 1, "class": 1, "iou": 1}
    assert segmentation_scores(confusion((truth + 1) % 3, truth, 3)) == {"pixel": 0, "class": 0, "iou": 0}


def test_a_class_that_the_truth_lacks_is_left_out_but_finding_it_is_an_error():
    truth = np.array([0, 0, 1, 1])
    found = np.array([0, 2, 1, 1])
    scores = segmentation_scores(confusion(found, truth, 4))
    assert scores == {"pixel": 0.75, "class": 0.75, "iou": 0.75}


# -------------------------------------------------------------------------------------------------------------- colours


def test_classes_are_the_colours_of_the_labels_and_the_same_every_time():
    maps = [labels(seed) for seed in range(4)]
    one, two = (label_colours(maps, 3, seed=0) for _ in range(2))
    assert np.array_equal(one, two)
    assert np.abs(one - COLOURS).max() < 2, "most frequent first, and no smear among them"
    found = classes_of(labels(9), one)
    assert np.array_equal(COLOURS[found][8::16, 8::16], labels(9)[8::16, 8::16])


def test_fewer_colours_than_classes_are_refused():
    with pytest.raises(DatasetError, match="fewer than 4 colours"):
        label_colours([COLOURS[None]], 4, seed=0)


def test_colours_are_counted_without_the_smear_between_them():
    assert count_colours([labels(seed) for seed in range(4)]) == 3
    exact = (np.kron(np.arange(16).reshape(4, 4), np.ones((8, 8))) * 16).astype(np.uint8)
    assert count_colours([np.dstack([exact, exact, 255 - exact])]) < 16, "colours that differ by 16 levels are near"
    far = (np.kron(np.arange(5)[None], np.ones((8, 8))) * 60).astype(np.uint8)
    assert count_colours([np.dstack([far, far, far])]) == 5


@pytest.mark.parametrize(
    "picture",
    [np.full((32, 32, 3), 7, np.uint8), np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)],
)
def test_what_is_no_label_map_is_refused(picture: np.ndarray):
    with pytest.raises(DatasetError, match=r"no label maps.*--classes"):
        count_colours([picture])


# ---------------------------------------------------------------------------------------------------------- evaluation


def test_a_translator_that_makes_the_photos_reaches_the_ceiling(data: Path, judge: Judge, tmp_path: Path):
    found = measure(translator(), data, judge=judge, out=tmp_path)
    ceiling = found.ceilings["real pictures"]
    assert {name: found.metrics[name] for name in ceiling} == ceiling
    assert ceiling["pixel"] > 0.5
    assert found.metrics["l1"] == 0
    assert found.floors["mean target"]["iou"] < ceiling["iou"]
    assert found.best_floor["iou"] == max(floor["iou"] for floor in found.floors.values())
    low, high = found.intervals["this model"]["iou"]
    assert low <= found.metrics["iou"] <= high
    assert any("label maps of 3 colours: #" in note and "trained on 8 real" in note for note in found.notes)
    kept = json.loads((tmp_path / "metrics.json").read_text())
    assert kept["segmenter"]["classes"] == 3
    assert np.abs(np.array(kept["segmenter"]["colours"]) - COLOURS).max() < 2
    assert kept["main"] == "pixel"
    assert set(kept["each"]["0"]) == {"l1", "psnr", "ssim", "pixel", "class", "iou"}
    assert "pixel accuracy" in (tmp_path / "report.html").read_text()


def test_a_translator_that_shows_nothing_is_below_the_ceiling(data: Path, judge: Judge):
    found = measure(translator(Flat()), data, judge=judge)
    assert found.metrics["iou"] < 0.5 * found.ceilings["real pictures"]["iou"]


def test_the_segmenter_is_kept_and_taken_again(data: Path, judge: Judge, tmp_path: Path):
    cache = tmp_path / "deep" / "seg.safetensors"
    scores = evaluate(translator(), data, segmentation=True, cache=cache)
    assert scores["real pictures/iou"] == scores["iou"]
    written = cache.read_bytes()
    told: list[tuple[int, int]] = []
    again = judge_for(translator(), data, "test", cache=cache, on_progress=lambda *at: told.append(at))
    assert not told
    picture = 255 - labels(3)
    assert np.array_equal(again.segmenter([picture]), judge.segmenter([picture]))
    with pytest.raises(ModelFileError, match="other settings"):
        judge_for(translator(), data, "test", cache=cache, classes=2)
    assert cache.read_bytes() == written


def test_the_split_that_the_segmenter_has_seen_is_refused(data: Path):
    with pytest.raises(SettingsError, match="cannot judge it"):
        judge_for(translator(), data, "train")


def test_without_training_pairs_there_is_no_segmenter(tmp_path: Path):
    (tmp_path / "test").mkdir()
    images.write(tmp_path / "test" / "1.png", np.hstack([labels(), labels()]))
    with pytest.raises(DatasetError, match="no train split for the segmenter"):
        judge_for(translator(), tmp_path, "test")


def test_domains_have_no_label_maps(data: Path, judge: Judge):
    with pytest.raises(SettingsError, match="pairs alone"):
        measure(translator(), data, judge=judge, kind="domains")


def test_a_damaged_cache_is_an_error_that_says_so(data: Path, tmp_path: Path):
    cache = tmp_path / "seg.safetensors"
    cache.write_bytes(b"nothing")
    with pytest.raises(ModelFileError, match="cannot be read"):
        segmenters_for(find_pairs(data, "train").pairs, [SegmenterSettings(64, 3, "BtoA")], cache)


def test_training_a_segmenter_draws_nothing_of_the_callers(data: Path):
    import torch

    torch.manual_seed(3)
    before = torch.get_rng_state()
    settings = SegmenterSettings(64, 3, "BtoA", epochs=1, width=4)
    told: list[tuple[int, int]] = []
    segmenters_for(find_pairs(data, "train").pairs, [settings, settings], on_progress=lambda *at: told.append(at))
    assert torch.equal(torch.get_rng_state(), before)
    assert told == [(1, 2), (2, 2)]
