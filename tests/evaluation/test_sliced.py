import cv2
import numpy as np
import pytest

from i2i.data.day2night import draw
from i2i.evaluation.sliced import PATCH, PATCHES, Patches, patch_distances, pyramid, sliced_wasserstein


def sample(count: int = 200, seed: int = 0, dimension: int = 3) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(count, dimension))


def test_a_shift_moves_every_projection_by_its_part_of_it():
    # In 3 dimensions the mean of |cos| over directions is 1/2.
    one = sample()
    assert sliced_wasserstein(one, one) == 0
    assert sliced_wasserstein(one, one + np.array([0, 0, 4.0]), directions=4000) == pytest.approx(2, rel=0.03)


def test_a_spread_moves_by_the_mean_of_what_it_adds():
    # In one dimension: W1 of N(0, 1) and N(0, 3^2) is 2 E|x|.
    one = sample(2000, dimension=1)
    assert sliced_wasserstein(one, 3 * one, directions=4) == pytest.approx(2 * np.abs(one).mean(), rel=0.02)


def test_order_and_numbers_do_not_matter():
    one, two = sample(1000), sample(700, 1)
    assert sliced_wasserstein(one, one[::-1]) == 0
    assert sliced_wasserstein(one, two) < 0.15
    assert sliced_wasserstein(one, two) == pytest.approx(sliced_wasserstein(two, one), rel=0.5)


def test_a_pyramid_adds_up_to_its_picture():
    picture = (draw(0, (64, 64))[0] / 255).astype(np.float32)
    bands = pyramid(picture, 3)
    assert [len(band) for band in bands] == [64, 32, 16]
    whole = bands[-1]
    for band in bands[-2::-1]:
        whole = cv2.pyrUp(whole) + band
    assert np.allclose(whole, picture, atol=1e-6)


def patches(pictures, side: int = 64) -> Patches:
    found = Patches(side, len(pictures))
    for picture in pictures:
        found.add(picture)
    return found


@pytest.fixture(scope="module")
def streets():
    return [draw(seed, (64, 64))[0] for seed in range(16)]


def test_levels_see_their_own_frequencies(streets):
    real, other = patches(streets[:8]), patches(streets[8:])
    blurred = patches([cv2.GaussianBlur(one, (0, 0), 2.0) for one in streets[8:]])
    assert real.levels == [64, 32, 16]
    alike, worse = patch_distances(other, real), patch_distances(blurred, real)
    assert alike.keys() == {"swd", "swd 64", "swd 32", "swd 16"}
    assert alike["swd"] == pytest.approx(np.mean([alike[f"swd {level}"] for level in (64, 32, 16)]))
    # Standardised patches do not see that a band is weaker, but that its patches are smoother.
    assert worse["swd 64"] > 1.5 * alike["swd 64"]
    assert worse["swd 16"] < 1.2 * alike["swd 16"]
    assert patch_distances(real, real)["swd"] == 0


def test_brightness_is_no_difference(streets):
    real = patches(streets[:8])
    darker = patches([one // 2 for one in streets[:8]])
    assert patch_distances(darker, real)["swd"] < 20


def test_every_colour_is_standardised_by_itself(streets):
    """A lot whose red is five times as strong has the same texture."""
    dark = [one // 5 for one in streets[:8]]
    found, redder = patches(dark), patches([one * np.array([5, 1, 1], np.uint8) for one in dark])
    for level in found.levels:
        of = found.of(level).reshape(-1, 3, PATCH * PATCH)
        assert np.allclose(redder.of(level).reshape(of.shape), of, atol=1e-3)
        assert np.allclose(of.mean((0, 2)), 0, atol=1e-3)
        assert np.allclose(of.std((0, 2)), 1, atol=1e-3)


def test_patches_are_bounded():
    assert patches([np.zeros((20, 20, 3), np.uint8)] * 2, 20).of(16).shape == (2 * PATCHES, 147)
    assert Patches(1000, 10**6).levels == [256, 128, 64, 32, 16]
    many = Patches(16, 4096)
    many.add(np.zeros((16, 16, 3), np.uint8))
    assert many.of(16).shape == (2, 147)
