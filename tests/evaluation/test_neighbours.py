import numpy as np
import pytest

from i2i import images
from i2i.errors import DatasetError
from i2i.evaluation.features import random_features
from i2i.evaluation.like_samples import LikeSamples
from i2i.evaluation.neighbours import neighbours
from i2i.networks.settings import DCGANGenerator
from i2i.sampler import Card

CARD = Card(architecture=DCGANGenerator(width=2), out_channels=3, size="28", resize="short")


def noise(seed: int, size: tuple[int, int] = (28, 28)) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (*size, 3), dtype=np.uint8)


def test_the_nearest_in_pixels_is_found_among_many_and_mirrored_too():
    reals = [noise(index) for index in range(150)]
    brighter = np.clip(reals[130].astype(int) + 1, 0, 255).astype(np.uint8)
    heard = []
    found = neighbours([reals[7], reals[99][:, ::-1], brighter], reals, on_progress=lambda *at: heard.append(at))
    assert [one.place for one in found] == [7, 99, 130]
    assert [one.distance for one in found[:2]] == [0, 0]
    assert 0.9 < found[2].distance <= 1
    assert heard == [(64, 150), (128, 150), (150, 150)]


def test_the_nearest_by_features_is_of_its_kind():
    smooth = [np.full((28, 28, 3), level, np.uint8) for level in (40, 200)]
    found = neighbours([noise(9), smooth[1] - 1], [*smooth, noise(3)], random_features())
    assert [one.place for one in found] == [2, 1]


def test_real_pictures_are_of_the_samplers_size_and_know_their_class(tmp_path):
    for name, count in {"cat": 3, "dog": 5}.items():
        (tmp_path / "train" / name).mkdir(parents=True)
        for index in range(count):
            images.write(tmp_path / "train" / name / f"{index}.png", noise(index, (40, 60)))
    reals = LikeSamples(tmp_path, "train", CARD)
    assert (len(reals), reals.total, reals.classes, reals.labels.tolist()) == (8, 8, ("cat", "dog"), [0] * 3 + [1] * 5)
    wanted = images.resize(noise(1, (40, 60)), (28, 42))[:, 7:35]
    assert np.array_equal(reals[4], wanted), "the middle, short side first"
    assert reals.name(4) == "dog/1.png"
    few = LikeSamples(tmp_path, "train", CARD, most=3)
    assert [few.name(index) for index in range(len(few))] == ["cat/0.png", "dog/0.png", "dog/4.png"]
    with pytest.raises(DatasetError, match="no test split"):
        LikeSamples(tmp_path, "test", CARD)
