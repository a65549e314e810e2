import numpy as np
import pytest

from i2i.evaluation.spectrum import STRIDES, Spectrum, grid


def noise(seed: int, shape: tuple[int, int] = (64, 64)) -> np.ndarray:
    return np.random.default_rng(seed).integers(100, 140, (*shape, 3)).astype(np.uint8)


def spectrum(pictures, size: int = 32) -> Spectrum:
    found = Spectrum(size)
    assert all(found.add(picture) for picture in pictures)
    return found


def planted(picture: np.ndarray, stride: int, strength: int) -> np.ndarray:
    """Each first row and column of a stride is brighter."""
    y, x = np.indices(picture.shape[:2])
    return picture + np.uint8(strength) * ((y % stride == 0) & (x % stride == 0))[..., None]


def test_larger_pictures_are_looked_at_in_squares():
    pictures = [noise(seed, (70, 100)) for seed in range(4)]
    squares = [one[top : top + 32, left : left + 32] for one in pictures for top in (3, 35) for left in (2, 34, 66)]
    assert np.allclose(spectrum(pictures).power, spectrum(squares).power / 6)


def test_smaller_pictures_are_not_counted():
    found = Spectrum(32)
    assert not found.add(noise(0, (31, 90)))
    assert not found.power.any()


@pytest.mark.parametrize("stride", STRIDES)
def test_a_planted_grid_stands_out_and_of_its_stride(stride):
    real = spectrum([noise(seed) for seed in range(12)])
    plain = [noise(seed) for seed in range(12, 24)]
    made = spectrum([planted(one, stride, 8 * stride) for one in plain])
    assert grid(spectrum(plain), real) < 1.5
    assert grid(made, real) > 2
    peaks = made.peaks()
    assert max(peaks, key=lambda one: peaks[one] / real.peaks()[one]) <= stride
    # Of a stride below none of its own: a grid of 8 has harmonics of 4 and 2, a grid of 2 has none of 8.
    assert all(peaks[longer] < 1.5 for longer in STRIDES if longer > stride)


def test_sizes_without_all_harmonics_are_refused():
    with pytest.raises(ValueError, match="multiple of 8"):
        Spectrum(36)
