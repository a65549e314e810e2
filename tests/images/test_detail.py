import cv2
import numpy as np
import pytest

from i2i.images import resize
from i2i.images.detail import guided


def scene(side: int = 128) -> np.ndarray:
    """Flat fields with a slanted edge, and a fine texture in one of them."""
    rows, columns = np.mgrid[:side, :side]
    left = columns < side // 2 + (rows - side // 2) // 8
    texture = 0.08 * ((rows // 2 + columns // 2) % 2)
    gray = np.where(left, 0.2 + texture, 0.7).astype(np.float32)
    return np.stack([gray, 0.9 * gray, 0.8 * gray + 0.1], axis=2)


def steepest(picture: np.ndarray) -> float:
    """Mean over the rows of the largest step between neighbours."""
    return float(np.abs(np.diff(picture.mean(axis=2), axis=1)).max(axis=1).mean())


def error(one: np.ndarray, two: np.ndarray) -> float:
    return float(np.abs(one - two).mean())


def test_an_edge_is_sharper_than_plainly_enlarged():
    large = scene()
    small = resize(large, (32, 32))
    darker = 0.4 * small
    plain = resize(darker, (128, 128))
    assert steepest(guided(darker, small, large)) > 1.4 * steepest(plain)


def street(side: int = 128) -> np.ndarray:
    """Contrast at every scale, as photos have it: what is finer than the small picture too."""
    generator = np.random.default_rng(0)
    layers = [resize(generator.random((n, n, 1), np.float32), (side, side)) - 0.5 for n in (4, 8, 16, 32, 64)]
    return np.clip(0.5 + 0.5 * sum(layers) * np.array([1, 0.9, 0.8], np.float32), 0, 1).astype(np.float32)


@pytest.mark.parametrize(("gain", "offset"), [(1.0, 0.0), (0.5, 0.2), (-0.6, 0.9)])
def test_the_detail_of_the_photo_comes_back_with_the_gain_of_the_translation(gain, offset):
    large = street()
    small = resize(large, (32, 32))
    translated, wanted = gain * small + offset, gain * large + offset
    assert error(guided(translated, small, large), wanted) < 0.4 * error(resize(translated, (128, 128)), wanted)


def test_what_the_photo_does_not_have_stays():
    # A lamp that only the translation shows: the photo is flat and lends no edges.
    large = np.full((96, 96, 3), 0.5, np.float32)
    small = resize(large, (24, 24))
    lamp = small.copy()
    lamp[10:14, 10:14] = (1.0, 0.8, 0.2)
    assert error(guided(lamp, small, large), resize(lamp, (96, 96))) < 0.01


def test_of_a_flat_translation_nothing_of_the_photo_is_left():
    large = scene()
    small = resize(large, (32, 32))
    flat = np.full_like(small, 0.3)
    np.testing.assert_allclose(guided(flat, small, large), 0.3, atol=1e-4)


@pytest.mark.parametrize(("channels_in", "channels_out"), [(1, 1), (1, 3), (3, 1), (3, 3)])
@pytest.mark.parametrize("size", [(1, 1), (5, 90), (65, 33)])
def test_shape_and_range_are_kept(channels_in, channels_out, size):
    generator = np.random.default_rng(0)
    large = generator.random((*size, channels_in), np.float32)
    small = resize(large, (max(1, size[0] // 2), max(1, size[1] // 2)))
    result = guided(generator.random((*small.shape[:2], channels_out), np.float32), small, large)
    assert result.shape == (*size, channels_out)
    assert result.dtype == np.float32
    assert 0 <= result.min() <= result.max() <= 1


def test_the_wrong_luminance_would_show():
    # Rec. 601 luma, as everywhere else: a red edge guides less than a green one of the same height.
    red, green = (np.zeros((64, 64, 3), np.float32) for _ in range(2))
    red[:, 32:, 0] = green[:, 32:, 1] = 1
    step = np.zeros((16, 16, 1), np.float32)
    step[:, 8:] = 1
    sharp = [steepest(guided(step, resize(photo, (16, 16)), photo)) for photo in (red, green)]
    assert sharp[1] > sharp[0]
    assert cv2.cvtColor(green[:1, -1:], cv2.COLOR_RGB2GRAY)[0, 0] == pytest.approx(0.587)
