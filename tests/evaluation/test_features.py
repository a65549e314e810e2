import cv2
import numpy as np
import pytest
import torch

from i2i.data.day2night import draw
from i2i.evaluation.domains import represented
from i2i.evaluation.features import RandomFeatures, random_features
from i2i.evaluation.kid import discrepancy

HASH = "90bb2020608bc7e9"


@pytest.fixture(scope="module")
def features() -> RandomFeatures:
    return random_features()


def noise(count=3, side=40, channels=3, seed=0):
    return torch.randint(0, 256, (count, channels, side, side), generator=torch.Generator().manual_seed(seed)).to(
        torch.uint8
    )


def test_the_features_are_the_same_everywhere_and_say_so(features):
    # Of another hash all numbers are others, so their name would have to change too.
    assert (features.name, features.hash[:16]) == ("random128", HASH)
    assert RandomFeatures().hash == features.hash
    assert random_features(200).name == "random256"
    assert random_features(64) is features


def test_they_are_points_in_32_bits(features):
    found = features(noise())
    assert found.shape == (3, features.dimension)
    assert found.dtype == torch.float32
    assert torch.isfinite(features(torch.zeros(1, 3, 30, 50))).all()
    assert features(noise(0)).shape == (0, features.dimension)


def test_bytes_and_the_networks_range_are_the_same_pictures(features):
    scaled = noise().float() / 127.5 - 1
    assert torch.allclose(features(noise()), features(scaled), atol=1e-4)


def test_a_picture_does_not_mind_its_neighbours(features):
    together = features(noise(20))
    assert torch.allclose(together[17:], features(noise(20)[17:]), atol=1e-4)


def test_gray_is_colour_without_colours(features):
    gray = noise(channels=1)
    assert torch.allclose(features(gray), features(gray.expand(-1, 3, -1, -1)), atol=1e-5)


def test_nothing_is_drawn_from_training(features):
    torch.manual_seed(3)
    before = torch.get_rng_state()
    RandomFeatures()(noise())
    assert torch.equal(torch.get_rng_state(), before)


@pytest.fixture(scope="module")
def streets():
    return [draw(seed, (64, 64)) for seed in range(32)]


def test_they_rank_what_is_worse_as_worse(streets):
    """The order of docs/evaluation.md, on drawn streets: reals, a little blur, more blur or noise, another domain."""
    one, two = [night for _, night in streets[:16]], [night for _, night in streets[16:]]
    real = represented(random_features(), one)

    def distance(change):
        return discrepancy(real, represented(random_features(), [change(night) for night in two]))

    def blurred(sigma):
        return lambda night: cv2.GaussianBlur(night, (0, 0), sigma)

    def noisy(night):
        drawn = np.random.default_rng(0).normal(0, 40, night.shape)
        return np.clip(night + drawn, 0, 255).astype(np.uint8)

    same, little, much = distance(lambda night: night), distance(blurred(0.6)), distance(blurred(2.0))
    days = discrepancy(real, represented(random_features(), [day for day, _ in streets[16:]]))
    assert same < little < much < days
    assert little < distance(noisy) < days
