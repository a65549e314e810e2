import numpy as np
import pytest

from i2i import images
from i2i.data.settings import DataSettings
from i2i.data.transforms import Transform, target_size
from i2i.errors import DatasetError

ALL = {
    "rotate": 10.0,
    "scale": 0.1,
    "shift": 0.1,
    "brightness": 0.2,
    "contrast": 0.2,
    "noise": 0.05,
    "blur": 1.0,
    "jpeg": 50,
}


def noise(*shape):
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


def make(train=True, nearest=(False, False), photometry=True, **settings):
    return Transform(DataSettings(size="32", **settings), train=train, nearest=nearest, photometry=photometry)


def test_a_pair_is_cropped_flipped_and_warped_as_one():
    coordinates = np.stack(np.meshgrid(np.arange(48), np.arange(48), indexing="ij"), -1)
    picture = np.concatenate([coordinates, coordinates[..., :1]], -1).astype(np.uint8) * 5
    transform = make(rotate=10.0, scale=0.1, shift=0.1)
    for index in range(20):
        one, other = transform((0, 0, index), [picture, picture], "x")
        assert one.shape == (32, 32, 3)
        assert np.array_equal(one, other)


def test_every_crop_and_both_flips_occur_and_the_flip_does_not_hang_on_the_crop():
    picture = np.repeat(np.arange(40, dtype=np.uint8)[None, :, None], 40, axis=0)
    transform = make()
    drawn = [transform((7, 0, index), [picture, picture], "x")[0][0, :, 0] for index in range(400)]
    lefts = {(int(row.min()), bool(row[0] > row[-1])) for row in drawn}
    assert lefts == {(left, flip) for left in range(9) for flip in (False, True)}
    assert 150 < sum(row[0] > row[-1] for row in drawn) < 250


def test_draws_are_a_function_of_seed_epoch_and_index_alone():
    picture = noise(48, 48, 3)
    first, second = make(**ALL), make(**ALL)
    second((5, 5, 5), [picture, picture], "x")
    results = {}
    for key in [(1, 0, 0), (2, 0, 0), (1, 1, 0), (1, 0, 1)]:
        a = first(key, [picture, picture], "x")
        b = second(key, [picture, picture], "x")
        assert all(np.array_equal(left, right) for left, right in zip(a, b, strict=True))
        results[key] = a[0].tobytes()
    assert len(set(results.values())) == 4


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_photometry_changes_the_source_and_never_the_target(channels, dtype):
    picture = images.to_depth(noise(48, 48, channels), dtype)
    plain, photo = make(), make(**{name: ALL[name] for name in ("brightness", "contrast", "noise", "blur", "jpeg")})
    for index in range(5):
        before, after = (transform((0, 0, index), [picture, picture], "x") for transform in (plain, photo))
        assert np.array_equal(before[1], after[1])
        assert not np.array_equal(before[0], after[0])
        assert after[0].dtype == dtype
        assert after[0].shape == (32, 32, channels)
        if dtype == np.float32:
            assert after[0].min() >= 0
            assert after[0].max() <= 1


@pytest.mark.parametrize("nearest", [(True, False), (False, True), (True, True)])
def test_label_maps_get_no_new_labels_from_resizing_or_warping(nearest):
    labels = np.random.default_rng(0).choice(np.array([3, 90, 200], np.uint8), (64, 80, 1))
    photo = noise(64, 80, 3)
    transform = make(nearest=nearest, rotate=20.0, scale=0.2)
    pictures = [transform.fit(labels if label else photo, nearest=label) for label in nearest]
    for index in range(5):
        for result, label in zip(transform((0, 0, index), pictures, "x"), nearest, strict=True):
            assert not label or set(np.unique(result)) <= {3, 90, 200}


@pytest.mark.parametrize(
    ("resize", "size", "train", "validation"),
    [
        ("square", (100, 200), (36, 36), (32, 32)),
        ("short", (100, 200), (36, 72), (32, 64)),
        ("short", (200, 100), (72, 36), (64, 32)),
        ("none", (100, 200), (100, 200), (100, 200)),
    ],
)
def test_pictures_are_loaded_by_the_settings_and_validated_at_the_crops_size(resize, size, train, validation):
    settings = DataSettings(size="32", resize=resize)
    assert target_size(size, settings, train=True) == train
    assert target_size(size, settings, train=False) == validation


def test_validation_by_the_short_side_covers_a_crop_that_is_not_square():
    settings = DataSettings(size="32x64", resize="short")
    assert target_size((100, 150), settings, train=False) == (43, 64)


def test_validation_takes_the_middle_and_never_flips():
    picture = np.zeros((40, 60, 1), np.uint8)
    picture[4:36, 14:46] = noise(32, 32, 1)
    transform = make(train=False, resize="none")
    assert np.array_equal(transform((0, 3, 9), [picture], "x")[0], noise(32, 32, 1))


@pytest.mark.parametrize("train", [True, False])
def test_a_crop_larger_than_the_picture_names_file_sizes_and_way_out(train):
    with pytest.raises(DatasetError) as error:
        make(train=train, resize="none")((0, 0, 0), [noise(20, 40, 3)], "folder/a.png")
    assert "folder/a.png: is 40 x 20" in str(error.value)
    assert "crop of 32 x 32" in str(error.value)
    assert "--resize square or short, or a smaller --size" in str(error.value)


def test_a_picture_decoded_smaller_fits_to_where_it_would_in_full():
    ramp = np.broadcast_to(np.arange(0, 244, 2, dtype=np.uint8)[:122, None, None], (122, 120, 1))
    padded = np.concatenate([ramp, ramp[-1:]])  # 123 rows
    halved = padded[:-1].reshape(61, 2, 60, 2, 1).mean(axis=(1, 3))
    halved = np.concatenate([halved, np.full((1, 60, 1), 243)]).astype(np.uint8)  # 61.5 rounded up
    transform = make(load=30)
    whole, reduced = (transform.fit(pixels, nearest=False, size=(123, 120)).astype(int) for pixels in (padded, halved))
    assert np.abs(whole - reduced).max() <= 1
