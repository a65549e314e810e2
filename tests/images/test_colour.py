import io
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from i2i import images
from i2i.images import colour
from i2i.images.icc import shaper
from i2i.images.pixels import to_depth

sys.path.insert(0, str(Path(__file__).parent))
import profiles

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
COLOUR = {"Display P3": profiles.DISPLAY_P3, "Adobe RGB": profiles.ADOBE_RGB, "ProPhoto": profiles.PROPHOTO}
GRAY = {"gamma 2.2": profiles.GRAY_22, "dot gain": profiles.DOT_GAIN}


def noise(*shape, dtype=np.uint8):
    return np.random.default_rng(0).integers(0, np.iinfo(dtype).max + 1, shape, dtype=dtype)


def apart(a, b):
    return np.abs(a.astype(int) - b.astype(int))


def by_littlecms(pixels, source, target, mode="RGB"):
    """Relative colorimetric, in 8 bits."""
    opened = [ImageCms.ImageCmsProfile(io.BytesIO(one)) for one in (source, target)]
    image = Image.fromarray(pixels if mode == "RGB" else pixels[:, :, 0])
    return np.asarray(ImageCms.profileToProfile(image, *opened, 1, outputMode="RGB", flags=0x2000))


@pytest.mark.parametrize("icc", COLOUR.values(), ids=COLOUR)
def test_colours_are_those_of_littlecms(icc):
    own = noise(128, 128, 3)
    assert apart(colour.to_srgb(own, icc), by_littlecms(own, icc, SRGB)).max() <= 1
    back = apart(colour.from_srgb(own, icc), by_littlecms(own, SRGB, icc))
    assert back.max() <= 2  # its light has 14 bits, which are few steps in the dark
    assert back.mean() < 0.1
    deep = to_depth(own, np.uint16)
    assert apart(to_depth(colour.to_srgb(deep, icc), np.uint8), by_littlecms(own, icc, SRGB)).max() <= 1


@pytest.mark.parametrize("icc", GRAY.values(), ids=GRAY)
def test_grays_are_those_of_littlecms(icc):
    own = np.arange(256, dtype=np.uint8).reshape(16, 16, 1)
    expected = by_littlecms(own, icc, SRGB, "L")[:, :, :1]
    assert apart(colour.to_srgb(own, icc), expected).max() <= 2  # whose own curves are of fewer steps
    assert apart(to_depth(colour.to_srgb(to_depth(own, np.uint16), icc), np.uint8), expected).max() <= 2


@pytest.mark.parametrize("icc", COLOUR.values(), ids=COLOUR)
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_what_lies_within_srgb_comes_back_within_a_level(icc, dtype):
    srgb = np.maximum(noise(128, 128, 3, dtype=dtype), np.iinfo(dtype).max // 32)  # darker ones have fewer levels there
    own = colour.from_srgb(srgb, icc)
    assert apart(own, srgb).max() > 5
    assert apart(colour.from_srgb(colour.to_srgb(own, icc), icc), own).max() <= 1


def test_grays_stay_neutral_and_display_p3_keeps_all_of_their_levels():
    for dtype in (np.uint8, np.uint16):
        gray = np.arange(np.iinfo(dtype).max + 1, dtype=dtype).reshape(-1, 16, 1).repeat(3, axis=2)
        for icc in COLOUR.values():
            assert np.ptp(colour.to_srgb(gray, icc).astype(int), axis=2).max() <= (0 if dtype == np.uint8 else 1)
        assert np.array_equal(colour.from_srgb(colour.to_srgb(gray, profiles.DISPLAY_P3), profiles.DISPLAY_P3), gray)


def test_black_and_white_stay_what_they_are():
    ends = np.array([0, 65535], np.uint16).reshape(1, 2, 1)
    for icc in COLOUR.values():
        assert np.array_equal(colour.to_srgb(ends.repeat(3, axis=2), icc), ends.repeat(3, axis=2))
    for icc in GRAY.values():
        assert np.array_equal(colour.to_srgb(ends, icc), ends)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_srgb_under_any_name_is_left_as_it_is(dtype):
    primaries = ((0.43607, 0.22249, 0.01392), (0.38515, 0.71687, 0.09708), (0.14307, 0.06061, 0.7141))
    named = profiles.matrix(primaries, profiles.parametric(*profiles.SRGB_CURVE))
    pixels = noise(8, 8, 3, dtype=dtype)
    for icc in (SRGB, named):
        assert colour.to_srgb(pixels, icc) is pixels
        assert colour.from_srgb(pixels, icc) is pixels
    assert colour.to_srgb(pixels, None) is pixels


def test_a_scanners_profile_that_has_no_way_back_is_kept_and_not_applied():
    pixels = noise(8, 8, 3)
    assert colour.usable(profiles.scanner(), 3)
    assert colour.to_srgb(pixels, profiles.scanner()) is pixels


def test_a_profile_that_is_damaged_or_of_something_else_is_unusable():
    cut = profiles.ADOBE_RGB[:200]
    lab = profiles.profile(b"Lab ", {})
    for icc in (None, b"", b"\xff" * 400, cut, lab):
        assert not colour.usable(icc, 3)
        assert colour.to_srgb(noise(4, 4, 3), icc) is not None
    assert not colour.usable(profiles.GRAY_22, 3)
    assert colour.usable(profiles.ADOBE_RGB, 1)
    assert not colour.is_of(profiles.ADOBE_RGB, 1)


@pytest.mark.parametrize(
    "curve",
    [
        b"curv\0\0\0\0\xff\xff\xff\xff",
        b"para\0\0\0\0\0\x09\0\0",
        b"text\0\0\0\0",
        profiles.parametric(-9.0),
        profiles.sampled([0.5, 0.5]),
        b"",
    ],
)
def test_a_curve_that_makes_no_sense_is_told(curve, capfd):
    assert shaper(profiles.profile(b"GRAY", {b"kTRC": curve})) is None
    assert shaper(profiles.matrix(((0.1, 0.1, 0.1),) * 3, profiles.power(2.2))) is None
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("curve", [profiles.parametric(2.2), profiles.sampled([0, 0.1, 0.4, 1]), profiles.power(1.0)])
def test_every_kind_of_curve_is_undone(curve):
    icc = profiles.profile(b"GRAY", {b"kTRC": curve})
    deep = np.arange(2048, 65536, dtype=np.uint16).reshape(-1, 16, 1)
    assert apart(colour.from_srgb(colour.to_srgb(deep, icc), icc), deep).max() <= 3


def test_files_are_read_as_srgb_and_written_in_their_profile(tmp_path):
    own = colour.from_srgb(np.maximum(noise(16, 24, 3), 30), profiles.ADOBE_RGB)
    Image.fromarray(own).save(tmp_path / "a.png", icc_profile=profiles.ADOBE_RGB)
    picture = images.read_picture(tmp_path / "a.png")
    assert picture.icc == profiles.ADOBE_RGB
    assert apart(picture.pixels, np.maximum(noise(16, 24, 3), 30)).max() <= 4
    assert np.array_equal(images.read(tmp_path / "a.png"), picture.pixels)
    for name in ("b.png", "b.tif"):
        images.write(tmp_path / name, picture.pixels, icc=picture.icc)
        with Image.open(tmp_path / name) as image:
            assert apart(np.asarray(image), own).max() <= 1
            assert image.info["icc_profile"] == profiles.ADOBE_RGB
    assert images.write(tmp_path / "b.bmp", picture.pixels, icc=picture.icc) == ("colour profile",)
    with Image.open(tmp_path / "b.bmp") as image:  # which says no profile, so it is sRGB
        assert np.array_equal(np.asarray(image), picture.pixels)


def test_a_gray_file_with_a_profile_of_colour_is_read_by_its_gray_axis(tmp_path):
    ramp = np.arange(256, dtype=np.uint8).reshape(16, 16)
    Image.fromarray(ramp).save(tmp_path / "a.png", icc_profile=profiles.PROPHOTO)
    expected = by_littlecms(ramp[:, :, None].repeat(3, axis=2), profiles.PROPHOTO, SRGB)[:, :, 1]
    picture = images.read_picture(tmp_path / "a.png")
    assert picture.pixels.shape == (16, 16, 1)
    assert apart(picture.pixels[:, :, 0], expected).max() <= 1


def test_a_picture_of_16_bits_by_tables_alone_is_taken_as_it_is_stored(tmp_path):
    deep = noise(8, 8, 3, dtype=np.uint16)
    images.write(tmp_path / "a.png", deep, icc=profiles.scanner())
    picture = images.read_picture(tmp_path / "a.png")
    assert picture.icc == profiles.scanner()
    assert np.array_equal(picture.pixels, deep)
