import numpy as np
import pytest
import torch
from PIL import Image

from i2i import images


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_every_level_survives_the_round_trip_through_the_networks_range(dtype):
    levels = np.arange(np.iinfo(dtype).max + 1, dtype=dtype).reshape(-1, 16, 1)
    assert np.array_equal(images.from_network(images.to_network(levels), dtype)[0], levels)


def test_black_and_white_are_minus_one_and_one_in_every_depth():
    for dtype, white in ((np.uint8, 255), (np.uint16, 65535), (np.float32, 1)):
        tensor = images.to_network(np.array([0, white], dtype).reshape(1, 2, 1))
        assert tensor.shape == (1, 1, 1, 2)
        assert tensor.flatten().tolist() == [-1, 1]


def test_output_is_rounded_and_clamped_never_truncated():
    values = torch.tensor([-5.0, 5.0, (100.6 / 127.5) - 1, (100.4 / 127.5) - 1]).view(1, 1, 1, 4)
    assert images.from_network(values).flatten().tolist() == [0, 255, 101, 100]


def test_a_picture_without_batch_axis_comes_back_without_one():
    assert images.from_network(torch.zeros(3, 4, 5)).shape == (4, 5, 3)
    assert images.from_network(torch.zeros(2, 3, 4, 5), np.float32).shape == (2, 4, 5, 3)


def test_scale_agrees_with_to_network_on_every_level_and_leaves_floats_alone():
    levels = np.arange(256, dtype=np.uint8).reshape(16, 16, 1)
    batch = torch.from_numpy(levels).permute(2, 0, 1)[None]
    assert torch.equal(images.scale(batch), images.to_network(levels))
    assert torch.equal(
        images.scale(torch.full((1, 1, 2, 2), -0.5, dtype=torch.float64)), torch.full((1, 1, 2, 2), -0.5)
    )
    with pytest.raises(TypeError, match="int64"):
        images.scale(torch.zeros(1, 1, 2, 2, dtype=torch.int64))


def test_depths_turn_into_each_other_by_rounding():
    deep = np.arange(65536, dtype=np.uint16).reshape(256, 256, 1)
    assert np.array_equal(images.to_depth(deep, np.uint8), np.rint(deep / 257).astype(np.uint8))
    flat = np.arange(256, dtype=np.uint8).reshape(16, 16, 1)
    for dtype in (np.uint16, np.float32):
        assert np.array_equal(images.to_depth(images.to_depth(flat, dtype), np.uint8), flat)
    assert np.array_equal(images.to_depth(images.to_depth(deep, np.float32), np.uint16), deep)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", [(5, 7), (40, 50), (5, 50), (40, 7)])
def test_resize_gives_the_size_type_and_axis_asked_for(dtype, channels, size):
    picture = images.to_depth(np.random.default_rng(0).random((20, 30, channels), np.float32), dtype)
    for nearest in (False, True):
        resized = images.resize(picture, size, nearest=nearest)
        assert resized.shape == (*size, channels)
        assert resized.dtype == dtype


def test_resizing_to_the_same_size_is_the_identity():
    picture = np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8)
    assert images.resize(picture, (20, 30)) is picture


def test_resizing_is_pillows_bicubic_whatever_the_depth():
    picture = np.random.default_rng(0).integers(0, 256, (9, 12, 3), np.uint8)
    for size in ((5, 7), (14, 20), (5, 20)):
        expected = np.asarray(Image.fromarray(picture).resize(size[::-1], Image.Resampling.BICUBIC))
        assert np.array_equal(images.resize(picture, size), expected)
        deep = images.to_depth(images.resize(images.to_depth(picture, np.uint16), size), np.uint8)
        # Pillow rounds 8-bit pictures between its two passes, and overshoots are cut there too.
        assert float(np.abs(deep.astype(int) - expected).mean()) < 1


def test_shrinking_is_antialiased():
    stripes = np.tile(np.array([0.0, 1.0], np.float32), (30, 15))[:, :, None]
    assert float(np.abs(images.resize(stripes, (10, 10)) - 0.5).max()) < 0.1


def test_enlarging_does_not_leave_the_range():
    picture = np.zeros((8, 8, 1), np.float32)
    picture[:, 4:] = 1
    large = images.resize(picture, (32, 32))
    assert large.min() == 0
    assert large.max() == 1


def test_nearest_makes_no_new_labels():
    labels = np.random.default_rng(0).choice(np.array([3, 90, 200], np.uint8), (50, 60, 1))
    for size in ((30, 37), (77, 100)):
        assert set(np.unique(images.resize(labels, size, nearest=True))) <= {3, 90, 200}


def test_gray_to_colour_and_back_is_the_identity():
    gray = np.arange(256, dtype=np.uint8).reshape(16, 16, 1)
    assert np.array_equal(images.with_channels(images.with_channels(gray, 3), 1), gray)


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_of_pixels_that_reach_beyond_the_picture_only_its_extent_is_resized(dtype):
    picture = images.to_depth(np.random.default_rng(0).integers(0, 256, (8, 12, 3), dtype=np.uint8), dtype)
    padded = np.pad(picture, ((0, 5), (0, 1), (0, 0)))
    whole, part = images.resize(picture, (4, 6)), images.resize(padded, (4, 6), extent=(8, 12))
    assert np.array_equal(whole[:2, :4], part[:2, :4])  # the filter sees four pixels beyond
    assert not np.array_equal(whole[:2, :4], images.resize(padded, (4, 6))[:2, :4])
