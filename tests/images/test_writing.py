import numpy as np
import pytest
from PIL import Image, ImageCms

from i2i import images
from i2i.errors import PictureError


def noise(*shape, dtype=np.uint8):
    return np.random.default_rng(0).integers(0, np.iinfo(dtype).max + 1, shape, dtype=dtype)


@pytest.mark.parametrize("suffix", ["png", "tif", "bmp", "PNG"])
@pytest.mark.parametrize("channels", [1, 3])
def test_lossless_formats_give_back_every_pixel(tmp_path, suffix, channels):
    images.write(tmp_path / f"a.{suffix}", noise(5, 7, channels))
    assert np.array_equal(images.read(tmp_path / f"a.{suffix}"), noise(5, 7, channels))


@pytest.mark.parametrize("suffix", ["png", "tif"])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("with_alpha", [False, True])
def test_16_bits_come_back_with_alpha_profile_and_resolution(tmp_path, suffix, channels, with_alpha):
    icc = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    pixels = noise(5, 7, channels, dtype=np.uint16)
    alpha = noise(5, 7, dtype=np.uint16) if with_alpha else None
    images.write(tmp_path / f"a.{suffix}", pixels, alpha=alpha, icc=icc, dpi=(300, 300))
    picture = images.read_picture(tmp_path / f"a.{suffix}")
    assert np.array_equal(picture.pixels[:, :, :channels], pixels)
    assert (picture.alpha is None) == (alpha is None)
    assert alpha is None or np.array_equal(picture.alpha, alpha)
    assert picture.icc == (icc if picture.pixels.shape[2] == 3 else None)
    assert picture.dpi == pytest.approx((300, 300), rel=1e-3)


@pytest.mark.parametrize("suffix", ["jpg", "webp", "bmp"])
def test_formats_of_8_bits_round(tmp_path, suffix):
    images.write(tmp_path / f"a.{suffix}", np.full((16, 16, 3), 128 * 257 + 129, np.uint16))
    assert np.abs(images.read(tmp_path / f"a.{suffix}").astype(int) - 129).max() <= (0 if suffix == "bmp" else 1)


@pytest.mark.parametrize(
    ("suffix", "kept"), [("png", True), ("webp", True), ("tif", True), ("jpg", False), ("bmp", False)]
)
def test_alpha_is_kept_where_the_format_has_it(tmp_path, suffix, kept):
    images.write(tmp_path / f"a.{suffix}", noise(5, 7, 3), alpha=noise(5, 7))
    assert (images.read_picture(tmp_path / f"a.{suffix}").alpha is not None) == kept


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "tif"])
def test_profile_and_exif_are_written(tmp_path, suffix):
    icc = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    exif = Image.Exif()
    exif[0x010F] = "maker"
    images.write(tmp_path / f"a.{suffix}", noise(5, 7, 3), icc=icc, exif=exif.tobytes())
    with Image.open(tmp_path / f"a.{suffix}") as image:
        assert image.info["icc_profile"] == icc
        assert image.getexif()[0x010F] == "maker"


def test_a_profile_of_rgb_is_left_out_of_a_gray_picture(tmp_path):
    icc = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    images.write(tmp_path / "a.png", noise(5, 7, 1), icc=icc)
    assert images.read_picture(tmp_path / "a.png").icc is None


def test_what_was_there_stays_whole_when_writing_fails(tmp_path, monkeypatch):
    images.write(tmp_path / "a.png", noise(5, 7, 3))

    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.write_bytes", fail)
    with pytest.raises(PictureError, match=r"a\.png: cannot be written: No space left on device"):
        images.write(tmp_path / "a.png", noise(5, 7, 3) // 2)
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]
    assert np.array_equal(images.read(tmp_path / "a.png"), noise(5, 7, 3))


def test_what_is_beside_while_writing_is_never_taken_for_a_picture(tmp_path, monkeypatch):
    seen = []
    monkeypatch.setattr("pathlib.Path.replace", lambda self, target: seen.append((self.parent, self.name)))
    images.write(tmp_path / "a.png", noise(5, 7, 3))
    ((folder, name),) = seen
    assert folder == tmp_path
    assert name.endswith(".png")
    assert not images.is_picture(name)


def test_an_unknown_suffix_or_missing_folder_is_told(tmp_path):
    with pytest.raises(PictureError, match="ends in one of bmp, jpeg, jpg, png, tif, tiff, webp"):
        images.write(tmp_path / "a.heic", noise(3, 3, 3))
    with pytest.raises(PictureError, match="No such file or directory"):
        images.write(tmp_path / "none" / "a.png", noise(3, 3, 3))


def test_a_picture_too_large_for_its_format_is_told(tmp_path):
    with pytest.raises(PictureError, match=r"a\.webp: cannot be written"):
        images.write(tmp_path / "a.webp", np.zeros((1, 20000, 1), np.uint8))
    assert not list(tmp_path.iterdir())
