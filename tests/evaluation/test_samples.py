import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from i2i import images
from i2i.errors import DatasetError
from i2i.evaluation import measure_samples
from i2i.evaluation.like_samples import LikeSamples
from i2i.evaluation.sample_classes import classes_section
from i2i.evaluation.samples import COLLAPSED, REAL, UNTRAINED, asked_like, untrained
from i2i.evaluation.scores import OURS
from i2i.networks.sampler import Sampler
from i2i.networks.settings import DCGANGenerator
from i2i.sampler import Card, PictureSampler

CARD = Card(
    architecture=DCGANGenerator(width=2, latent=8), out_channels=3, size="28", resize="short", classes=("cat", "dog")
)
PLAIN = dataclasses.replace(CARD, classes=())


class Small:
    """Colours at a few places, and how much they vary."""

    name, hash, dimension = "small", "0" * 64, 24

    def __call__(self, pictures: Tensor) -> Tensor:
        values = pictures.float() / 127.5 - 1 if pictures.dtype == torch.uint8 else pictures
        blocks = values.unflatten(2, (2, 14)).unflatten(4, (2, 14))
        return torch.cat([blocks.mean((3, 5)).flatten(1), 4 * blocks.std((3, 5)).flatten(1)], dim=1)


SMALL = [Small()]


class Plays(Sampler):
    """Gives back pictures it was given: those of a label, by the noise."""

    latent = 8

    def __init__(self, pictures: Sequence[np.ndarray], labels: Sequence[int] | None = None) -> None:
        super().__init__()
        self.pictures = images.to_network(np.stack(pictures))
        self.labels = torch.tensor(labels) if labels is not None else torch.zeros(len(pictures), dtype=torch.long)
        self.classes = 0 if labels is None else int(max(labels)) + 1

    def forward(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        labels = torch.zeros(len(z), dtype=torch.long) if labels is None else labels
        own = [torch.nonzero(self.labels == label).flatten() for label in labels]
        return torch.stack([self.pictures[part[int(1e4 * abs(row[0])) % len(part)]] for part, row in zip(own, z)])  # noqa: B905


def picture(kind: int, seed: int) -> np.ndarray:
    """Cats are smooth and bright, dogs are noise."""
    draw = np.random.default_rng([kind, seed])
    if kind:
        return draw.integers(0, 256, (28, 28, 3), dtype=np.uint8)
    return np.full((28, 28, 3), draw.integers(60, 250, 3), np.uint8) + draw.integers(0, 5, (28, 28, 1), dtype=np.uint8)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("data") / "pets"
    for split, seeds in {"train": range(100, 116), "val": range(20, 25), "test": range(16)}.items():
        for kind, name in enumerate(CARD.classes):
            (root / split / name).mkdir(parents=True)
            for seed in seeds:
                images.write(root / split / name / f"{seed}.png", picture(kind, seed))
    return root


def good() -> PictureSampler:
    """Other pictures of both kinds."""
    pictures = [picture(kind, seed) for kind in (0, 1) for seed in range(200, 240)]
    return PictureSampler(Plays(pictures, [0] * 40 + [1] * 40), CARD, device="cpu")


def test_a_good_one_is_far_above_its_floors_and_near_real_pictures(data, tmp_path):
    heard = []
    found = measure_samples(good(), data, features=SMALL, out=tmp_path, on_progress=lambda *at: heard.append(at))
    assert found.pictures == 32
    assert found.floors.keys() == {UNTRAINED, COLLAPSED}
    assert found.ceilings.keys() == {REAL}
    ours, floors = found.metrics, found.floors
    for name in ("kid", "fid"):
        assert ours[f"small/{name}"] < min(floor[f"small/{name}"] for floor in floors.values())
    assert abs(ours["small/kid"]) < 3 * ours["small/kid error"] + abs(found.ceilings[REAL]["small/kid"])
    assert ours["small/coverage"] > 0.7 > 0.1 > floors[COLLAPSED]["small/coverage"]
    precision, recall = ours["small/precision"], ours["small/recall"]
    assert ours["small/f-score"] == pytest.approx(2 * precision * recall / (precision + recall))
    assert floors[COLLAPSED]["small/recall"] == floors[COLLAPSED]["small/f-score"] == 0
    assert found.sections["checks"].rows[OURS]["small/authentic"] > 0
    assert {"swd", "small/feature matching"} <= found.sections["more"].rows[OURS].keys()
    assert heard[-1] == (3 * 32 + 32, 3 * 32 + 32)
    kept = json.loads((tmp_path / "metrics.json").read_text())
    assert kept["metrics"] == ours
    assert len(list((tmp_path / "pictures").glob("*.png"))) == 32
    page = (tmp_path / "report.html").read_text()
    assert "nearest training picture" in page
    assert "seeds 0 to 31" in page


class Remembers(Plays):
    """Keeps in which mode it was asked."""

    modes: set[bool]

    def forward(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        self.modes.add(self.training)
        return super().forward(z, labels)


def test_the_untrained_one_takes_statistics_of_its_batches_and_the_trained_one_those_it_has_learnt(data, monkeypatch):
    """Running statistics of nothing would make gray: a floor that is too low to say anything."""
    ours, poor = (Remembers([picture(0, 1)] * 2, [0, 1]) for _ in range(2))
    ours.modes, poor.modes = set(), set()
    monkeypatch.setattr("i2i.evaluation.samples.untrained", lambda sampler: poor)
    measure_samples(PictureSampler(ours, CARD, device="cpu"), data, split="val", features=SMALL)
    assert (ours.modes, poor.modes) == ({False}, {True})


def test_classes_are_counted_and_compared_with_those_asked_for(data):
    rows = measure_samples(good(), data, features=SMALL).sections["classes"].rows
    for row in (OURS, REAL):
        assert rows[row] == {"small/classes": 1, "small/class entropy": 1, "small/asked": 1}
    one, cats = good(), [picture(0, seed) for seed in range(200, 240)]
    one.network = Plays(cats + cats, [0] * 40 + [1] * 40)
    found = measure_samples(one, data, features=SMALL).sections["classes"].rows[OURS]
    assert found == {"small/classes": 0.5, "small/class entropy": 0, "small/asked": 0.5}


def test_one_that_copies_is_found_out(data):
    learnt = LikeSamples(data, "train", CARD)
    copies = PictureSampler(Plays([learnt[index] for index in range(len(learnt))]), PLAIN, device="cpu")
    found = measure_samples(copies, data, features=SMALL)
    assert found.sections["checks"].rows[OURS]["small/copied"] == 1
    assert found.sections["checks"].rows[REAL]["small/copied"] < 0.5
    assert "asked" not in " ".join(found.sections["classes"].rows[OURS]), "it was asked for none"
    on_train = measure_samples(copies, data, split="train", features=SMALL)
    assert "small/copied" not in on_train.sections["checks"].rows[OURS]


def test_the_same_numbers_again_and_for_any_batch(data):
    card = dataclasses.replace(CARD, classes=())
    one, two = (
        measure_samples(
            PictureSampler(untrained(PictureSampler(good().network, card)), card, batch_size=size), data, features=SMALL
        )
        for size in (32, 5)
    )
    assert one.metrics == pytest.approx(two.metrics, rel=0.02, abs=0.02)


def test_a_class_is_asked_for_by_the_name_of_its_folder(data):
    reals = LikeSamples(data, "test", CARD)
    assert asked_like(reals, ("dog", "cat")).tolist() == [1] * 16 + [0] * 16
    assert asked_like(reals, ("cat", "fish")).tolist() == [0] * 16 + [0, 1] * 8
    assert asked_like(reals, ()).tolist() == [0] * 32


def test_too_few_pictures_and_splits_that_are_not_there_are_said(data, tmp_path):
    with pytest.raises(DatasetError, match="no holdout split"):
        measure_samples(good(), data, split="holdout")
    for index in range(9):
        (tmp_path / "test").mkdir(exist_ok=True)
        images.write(tmp_path / "test" / f"{index}.png", picture(0, index))
    with pytest.raises(DatasetError, match="the test split has 9 pictures, too few"):
        measure_samples(good(), tmp_path)


def test_the_features_are_the_random_ones_where_none_are_given(data):
    few = measure_samples(good(), data, split="val")
    assert [one["name"] for one in few.features] == ["random128"]
    assert "random128/kid" in few.metrics


def test_classes_by_hand():
    halves = [
        ({"f": np.array([[0.0], [10.0]])}, np.array([0, 1])),
        ({"f": np.array([[1.0], [12.0]])}, np.array([0, 2])),
    ]
    section = classes_section(({"f": np.array([[0.4], [9.0], [13.0]])}, np.array([0, 2, 2])), halves, "abc", REAL)
    assert section.rows[OURS] == pytest.approx({"f/classes": 1, "f/class entropy": 1, "f/asked": 2 / 3})
    assert section.rows[REAL]["f/asked"] == 0.5
    assert section.rows[REAL]["f/classes"] == pytest.approx(2 / 3)
