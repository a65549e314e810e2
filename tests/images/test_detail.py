import tracemalloc

import cv2
import numpy as np
import pytest

from i2i.data.day2night import draw
from i2i.evaluation import compare
from i2i.images import detail, resize, to_depth
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
    assert error(guided(lamp, small, large), resize(lamp, (96, 96))) < 1e-4


def test_of_a_flat_translation_nothing_of_the_photo_is_left():
    large = scene()
    small = resize(large, (32, 32))
    flat = np.full_like(small, 0.3)
    np.testing.assert_allclose(guided(flat, small, large), 0.3, atol=1e-4)


def test_edges_between_colours_of_one_luminance_guide_too():
    # Red beside the blue-green of its luma (Rec. 601): gray would be blind to this edge.
    large = np.empty((64, 64, 3), np.float32)
    large[:, :30], large[:, 30:] = (0.8, 0.1, 0.1), (0.1, 0.4393, 0.15)
    luma = cv2.cvtColor(large, cv2.COLOR_RGB2GRAY)
    assert np.ptp(luma) < 0.02
    small = resize(large, (16, 16))
    night = np.where(np.arange(64)[None, :, None] < 30, 0.2, 0.8) * np.ones((64, 1, 1), np.float32)
    result = resize(night.astype(np.float32), (16, 16))
    by_colour, by_luma = guided(result, small, large), guided(result, resize(luma[:, :, None], (16, 16)), large)
    assert error(by_colour, night) < 0.5 * error(by_luma, night)


@pytest.mark.slow
def test_a_true_night_comes_back_nearer_than_plain_and_without_the_light_of_the_day():
    day, night = draw(5, (512, 512))
    result, small = resize(night, (128, 128)), resize(day, (128, 128))
    large, plain = guided(result, small, day), resize(result, (512, 512))
    found, floor = compare(large, night), compare(plain, night)
    assert found["psnr"] > floor["psnr"] + 2
    assert found["ssim"] > floor["ssim"] + 0.01
    assert error(resize(large, (128, 128)).astype(float), result.astype(float)) < 1.5


@pytest.mark.parametrize(("of_the_photo", "channels_in", "channels_out"), [(1, 1, 3), (3, 1, 1), (1, 3, 3), (3, 3, 1)])
@pytest.mark.parametrize(
    ("size", "at"),
    [
        ((1, 1), (1, 1)),
        ((1, 40), (1, 8)),
        ((1, 40), (8, 8)),
        ((40, 1), (8, 8)),
        ((65, 33), (32, 16)),
        ((9, 90), (32, 32)),
    ],
)
def test_every_shape_comes_to_the_size_of_the_photo(of_the_photo, channels_in, channels_out, size, at):
    generator = np.random.default_rng(0)
    large = generator.random((*size, of_the_photo), np.float32)
    small, result = (generator.random((*at, channels), np.float32) for channels in (channels_in, channels_out))
    enlarged = guided(result, small, large)
    assert enlarged.shape == (*size, channels_out)
    assert enlarged.dtype == np.float32
    assert 0 <= enlarged.min() <= enlarged.max() <= 1


def test_a_side_that_is_shorter_than_the_result_is_shrunk_and_the_other_guided():
    large = street()[:24]
    small = resize(large, (32, 32))
    wanted = 0.5 * large
    assert error(guided(0.5 * small, small, large), wanted) < 0.6 * error(resize(0.5 * small, (24, 128)), wanted)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_the_depth_of_the_photo_is_kept_and_used(dtype):
    large = street()
    small = resize(large, (32, 32))
    exact = guided(0.5 * small, small, large)
    coded = guided(*(to_depth(part, dtype) for part in (0.5 * small, small, large)))
    assert coded.dtype == dtype
    assert error(to_depth(coded, np.float32), exact) < 1 / np.iinfo(dtype).max
    assert len(np.unique(coded)) > (1000 if dtype == np.uint16 else 50)


def test_strips_meet_without_a_seam(monkeypatch):
    large = street(97)
    small = resize(large, (20, 20))
    whole = guided(small[::-1], small, large)
    monkeypatch.setattr(detail, "_STRIP", 97 * 12 * 5)
    np.testing.assert_allclose(guided(small[::-1], small, large), whole, atol=1e-5)


@pytest.mark.slow
def test_memory_grows_by_less_than_twenty_bytes_a_pixel():
    def peak(height: int) -> int:
        result = np.zeros((64, 64, 3), np.uint8)
        large = np.zeros((height, 1024, 3), np.uint8)
        tracemalloc.start()
        guided(result, result, large)
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    # Of these are 3 the result itself; numpy's own allocations are counted, Pillow's are not.
    assert peak(2048) - peak(1024) < 20 * 1024 * 1024
