import os
import struct
import subprocess
import sys
import threading
import unicodedata
import warnings
import zlib

import cv2
import numpy as np
import pytest
from PIL import Image, ImageCms, ImageOps

from i2i import images
from i2i.errors import PictureError
from i2i.images import Probe
from i2i.images.files import Quiet


def noise(*shape, dtype=np.uint8):
    return np.random.default_rng(0).integers(0, np.iinfo(dtype).max + 1, shape, dtype=dtype)


@pytest.mark.parametrize("suffix", ["png", "webp", "bmp", "tif", "TIFF", "PNG"])
def test_lossless_formats_are_read_as_written(tmp_path, suffix):
    path = tmp_path / f"a.{suffix}"
    Image.fromarray(noise(5, 7, 3)).save(path, **({"lossless": True} if suffix == "webp" else {}))
    assert np.array_equal(images.read(path), noise(5, 7, 3))
    assert images.probe(path) == Probe(7, 5, 3, False, 8)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", ["png", "webp", "tif", "jpg"])
def test_every_exif_orientation_is_upright(tmp_path, orientation, suffix):
    path = tmp_path / f"a.{suffix}"
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"lossless": True} if suffix == "webp" else {}
    Image.fromarray(noise(16, 24, 3)).save(path, exif=exif, **options)
    upright = np.asarray(ImageOps.exif_transpose(Image.open(path)))
    picture = images.read_picture(path)
    assert np.array_equal(picture.pixels, upright)
    header = images.probe(path)
    assert (header.height, header.width) == upright.shape[:2]
    kept = Image.Exif()
    kept.load(picture.exif or b"")
    assert kept.get(0x0112, 1) == 1


@pytest.mark.parametrize("orientation", [1, 3, 6])
def test_16_bit_pictures_are_upright_too(tmp_path, orientation):
    path = tmp_path / "a.png"
    exif = Image.Exif()
    exif[0x0112] = orientation
    images.write(path, noise(4, 6, 3, dtype=np.uint16), exif=exif.tobytes())
    wanted = {1: noise(4, 6, 3, dtype=np.uint16)}
    wanted[3] = wanted[1][::-1, ::-1]
    wanted[6] = np.rot90(wanted[1], -1)
    assert np.array_equal(images.read(path), wanted[orientation])


@pytest.mark.parametrize(
    ("mode", "channels", "alpha"),
    [("1", 1, False), ("L", 1, False), ("LA", 1, True), ("P", 3, False), ("RGB", 3, False), ("RGBA", 3, True)],
)
def test_every_colour_model_becomes_gray_or_rgb(tmp_path, mode, channels, alpha):
    path = tmp_path / "a.png"
    image = Image.fromarray(noise(5, 7, 3)).convert(mode)
    image.save(path)
    picture = images.read_picture(path)
    assert images.probe(path) == Probe(7, 5, channels, alpha, 8)
    assert picture.pixels.shape == (5, 7, channels)
    assert (picture.alpha is not None) == alpha
    assert np.array_equal(picture.pixels.squeeze(), np.asarray(image.convert("L" if channels == 1 else "RGB")))


def test_a_palette_with_a_transparent_colour_keeps_colour_and_alpha_apart(tmp_path):
    image = Image.fromarray(np.array([[0, 1]], np.uint8), "P")
    image.putpalette([255, 0, 0, 0, 255, 0])
    image.save(tmp_path / "a.png", transparency=0)
    picture = images.read_picture(tmp_path / "a.png")
    assert picture.pixels.tolist() == [[[255, 0, 0], [0, 255, 0]]]
    assert picture.alpha is not None
    assert picture.alpha.tolist() == [[0, 255]]


def test_colour_under_full_transparency_is_kept_as_stored(tmp_path):
    stored = noise(4, 4, 4)
    stored[:, :, 3] = 0
    Image.fromarray(stored).save(tmp_path / "a.png")
    assert np.array_equal(images.read(tmp_path / "a.png"), stored[:, :, :3])


@pytest.mark.parametrize("suffix", ["jpg", "tif"])
def test_cmyk_becomes_rgb(tmp_path, suffix):
    Image.new("CMYK", (6, 4), (0, 255, 255, 0)).save(tmp_path / f"a.{suffix}")
    red = images.read(tmp_path / f"a.{suffix}")
    assert red.shape == (4, 6, 3)
    assert (red[..., 0] > 200).all()
    assert (red[..., 1:] < 60).all()


def test_ycck_becomes_rgb(tmp_path):
    """Adobe's CMYK as luma and chroma, all four inverted: for black of 0 its YCC are those of the inverted colour."""
    inverted = Image.new("RGB", (16, 16), (55, 225, 215)).convert("YCbCr")
    planes = [plane.point(lambda level: 255 - level) for plane in inverted.split()]
    stored = Image.merge("CMYK", [*planes, Image.new("L", (16, 16), 0)])
    stored.save(tmp_path / "a.jpg", quality=95)
    data = bytearray((tmp_path / "a.jpg").read_bytes())
    data[data.index(b"Adobe") + 11] = 2
    colour = images.read(damaged(tmp_path, "a.jpg", bytes(data)))
    assert np.abs(colour.astype(int) - (200, 30, 40)).max() < 6


@pytest.mark.parametrize("suffix", ["png", "tif"])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_16_bits_are_read_in_full(tmp_path, suffix, channels):
    stored = noise(5, 7, channels, dtype=np.uint16)
    order = [2, 1, 0, 3][:channels] if channels > 1 else [0]
    assert cv2.imwrite(str(tmp_path / f"a.{suffix}"), stored[:, :, order])
    picture = images.read_picture(tmp_path / f"a.{suffix}")
    assert picture.pixels.dtype == np.uint16
    assert np.array_equal(picture.pixels, stored[:, :, :3])
    assert (picture.alpha is not None) == (channels == 4)
    assert images.probe(tmp_path / f"a.{suffix}") == Probe(7, 5, min(channels, 3), channels == 4, 16)


def test_16_bit_gray_by_pillow_is_read_in_full(tmp_path):
    for suffix in ("png", "tif"):
        Image.fromarray(noise(5, 7, dtype=np.uint16)).save(tmp_path / f"a.{suffix}")
        assert np.array_equal(images.read(tmp_path / f"a.{suffix}")[:, :, 0], noise(5, 7, dtype=np.uint16))


def test_floating_point_tiff_is_refused_in_words(tmp_path):
    Image.fromarray(np.ones((4, 4), np.float32)).save(tmp_path / "a.tif")
    for look in (images.read, images.probe):
        with pytest.raises(PictureError, match="floating point numbers; save it as 8 or 16-bit"):
            look(tmp_path / "a.tif")


@pytest.mark.parametrize("suffix", ["webp", "png", "tif", "gif"])
def test_the_first_picture_of_several_is_taken(tmp_path, suffix):
    first, second = (Image.new("RGB", (6, 4), colour) for colour in ((250, 0, 0), (0, 0, 250)))
    first.save(tmp_path / f"a.{suffix}", save_all=True, append_images=[second])
    assert images.read(tmp_path / f"a.{suffix}")[0, 0].argmax() == 0


@pytest.mark.parametrize(
    "name", ["Köln 東京.png", unicodedata.normalize("NFD", "é.png"), "a b'c\".png", "x" * 200 + ".png"]
)
def test_any_name_is_read_and_written(tmp_path, name):
    images.write(tmp_path / name, noise(3, 3, 3))
    assert np.array_equal(images.read(tmp_path / name), noise(3, 3, 3))


def test_channels_can_be_asked_for(tmp_path):
    images.write(tmp_path / "a.png", noise(4, 6, 3))
    assert images.read(tmp_path / "a.png", channels=1).shape == (4, 6, 1)
    images.write(tmp_path / "g.png", noise(4, 6, 1))
    assert images.read(tmp_path / "g.png", channels=3).shape == (4, 6, 3)


def damaged(tmp_path, name, data):
    path = tmp_path / name
    path.write_bytes(data)
    return path


def saved(suffix, dtype=np.uint8):
    done, data = cv2.imencode(suffix, noise(200, 200, 3, dtype=dtype))
    assert done
    return data.tobytes()


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("empty.jpg", b"", "the file is empty"),
        ("text.jpg", b"no picture at all, but long enough to be read as one", "not a picture"),
        ("cut.jpg", saved(".jpg")[:9000], "truncated"),
        ("cut.png", saved(".png")[:9000], ""),
        ("cut16.png", saved(".png", np.uint16)[:9000], ""),
        ("cut16.tif", saved(".tif", np.uint16)[:9000], ""),
        ("cut.webp", saved(".webp")[:2000], ""),
        ("cut.bmp", saved(".bmp")[:9000], "truncated"),
        ("tiny.png", b"\x89PNG\r\n\x1a\n", ""),
        ("tiny.tif", b"II*\0", ""),
    ],
)
def test_a_damaged_file_is_one_line_with_path_and_reason(tmp_path, name, data, reason, capfd):
    path = damaged(tmp_path, name, data)
    with pytest.raises(PictureError) as error:
        images.read(path)
    assert str(error.value).startswith(f"{path}: cannot be read as a picture: ")
    assert reason in str(error.value)
    assert "\n" not in str(error.value)
    assert capfd.readouterr() == ("", "")


def test_a_bit_flipped_in_a_16_bit_png_is_seen(tmp_path):
    data = bytearray(saved(".png", np.uint16))
    data[len(data) // 2] ^= 1
    with pytest.raises(PictureError):
        images.read(damaged(tmp_path, "a.png", bytes(data)))


def test_folders_pipes_and_missing_files_are_told_apart(tmp_path):
    (tmp_path / "a.jpg").mkdir()
    os.mkfifo(tmp_path / "b.jpg")
    for name, reason in (("a.jpg", "it is a folder"), ("b.jpg", "it is not a file"), ("c.jpg", "No such file")):
        for look in (images.read, images.probe):
            with pytest.raises(PictureError, match=reason):
                look(tmp_path / name)


def test_a_file_one_may_not_read_is_told_so(tmp_path, monkeypatch):
    images.write(tmp_path / "a.png", noise(3, 3, 3))

    def refuse(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.read_bytes", refuse)
    with pytest.raises(PictureError, match=r"a\.png: cannot be read as a picture: Permission denied"):
        images.read(tmp_path / "a.png")


def test_a_name_with_a_line_break_stays_on_one_line(tmp_path):
    with pytest.raises(PictureError) as error:
        images.read(tmp_path / "a\nb.jpg")
    assert "\n" not in str(error.value)


def test_a_huge_picture_is_refused_before_it_is_decoded(tmp_path):
    header = struct.pack(">IIBBBBB", 60000, 60000, 8, 2, 0, 0, 0)
    data = bytearray(saved(".png"))
    data[16:29] = header
    data[29:33] = struct.pack(">I", zlib.crc32(data[12:29]))
    path = damaged(tmp_path, "a.png", bytes(data))
    with pytest.raises(PictureError, match="60000 x 60000 pixels are more than the 400 million"):
        images.read(path)
    assert images.probe(path).width == 60000


def test_an_animation_that_claims_a_canvas_its_bytes_cannot_hold_is_refused(tmp_path):
    """Pillow draws its small frame into a black picture of 1.2 GB."""
    first, second = (Image.new("RGB", (6, 4), colour) for colour in ((250, 0, 0), (0, 0, 250)))
    first.save(tmp_path / "a.png", save_all=True, append_images=[second])
    data = bytearray((tmp_path / "a.png").read_bytes())
    data[16:24] = struct.pack(">II", 19_999, 19_999)
    data[29:33] = struct.pack(">I", zlib.crc32(data[12:29]))
    with pytest.raises(PictureError, match="claims 19999 x 19999 pixels, which its"):
        images.read(damaged(tmp_path, "a.png", bytes(data)))


def test_a_canvas_larger_than_any_webp_is_refused_before_it_is_allocated(tmp_path):
    first, second = (Image.new("RGB", (6, 4), colour) for colour in ((250, 0, 0), (0, 0, 250)))
    first.save(tmp_path / "a.webp", save_all=True, append_images=[second])
    data = bytearray((tmp_path / "a.webp").read_bytes())
    assert data[12:16] == b"VP8X"
    data[24:27] = (8_388_647).to_bytes(3, "little")
    path = damaged(tmp_path, "a.webp", bytes(data))
    for look in (images.read, images.probe):
        with pytest.raises(PictureError, match="a WebP canvas of 8388648 x 4 pixels"):
            look(path)


def test_a_png_whose_chunks_are_in_another_order_is_refused(tmp_path):
    data = saved(".png")
    palette = struct.pack(">I", 3) + b"PLTE\0\0\0" + struct.pack(">I", zlib.crc32(b"PLTE\0\0\0"))
    path = damaged(tmp_path, "a.png", data[:8] + palette + data[8:])
    for look in (images.read, images.probe):
        with pytest.raises(PictureError, match="its header is not at its beginning"):
            look(path)


def test_a_tiff_without_all_of_its_strips_is_refused_and_not_filled_with_black(tmp_path):
    Image.fromarray(noise(30, 40, 3)).save(tmp_path / "a.tif")
    data = bytearray((tmp_path / "a.tif").read_bytes())
    first = int.from_bytes(data[4:8], "little") + 2
    height = next(at for at in range(first, len(data), 12) if data[at : at + 2] == b"\x01\x01")
    data[height + 8 : height + 12] = struct.pack("<I", 4000)
    with pytest.raises(PictureError, match="133 of its 134 strips are missing"):
        images.read(damaged(tmp_path, "a.tif", bytes(data)))


def test_the_most_packed_png_there_is_is_read(tmp_path):
    Image.new("1", (8000, 8000)).save(tmp_path / "a.png", compress_level=9)
    assert (tmp_path / "a.png").stat().st_size * 1032 < 1.3 * 8000 * 8000 / 8
    assert not images.read(tmp_path / "a.png").any()


def test_what_pillow_asserts_of_a_file_is_its_damage(tmp_path, monkeypatch):
    images.write(tmp_path / "a.png", noise(4, 4, 3))

    def asserts(*_, **__):
        raise AssertionError

    monkeypatch.setattr(Image, "open", asserts)
    with pytest.raises(PictureError, match="AssertionError"):
        images.read(tmp_path / "a.png")


def test_a_picture_beyond_pillows_own_limit_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    images.write(tmp_path / "a.png", noise(8, 8, 3))
    assert images.read(tmp_path / "a.png").shape == (8, 8, 3)
    assert Image.MAX_IMAGE_PIXELS == 10


def test_the_process_wide_switches_are_put_back_after_threads(tmp_path):
    before = Image.MAX_IMAGE_PIXELS, list(warnings.filters), cv2.utils.logging.getLogLevel()
    images.write(tmp_path / "a.png", noise(64, 64, 3))
    threads = [threading.Thread(target=lambda: [images.read(tmp_path / "a.png") for _ in range(20)]) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Quiet._inside == 0
    assert (Image.MAX_IMAGE_PIXELS, list(warnings.filters), cv2.utils.logging.getLogLevel()) == before


def test_profile_exif_and_resolution_are_carried(tmp_path):
    icc = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    exif = Image.Exif()
    exif[0x010F] = "maker"
    Image.fromarray(noise(4, 6, 3)).save(tmp_path / "a.jpg", icc_profile=icc, exif=exif, dpi=(300, 300))
    picture = images.read_picture(tmp_path / "a.jpg")
    assert picture.icc == icc
    assert picture.dpi == (300, 300)
    assert picture.format == "JPEG"
    kept = Image.Exif()
    kept.load(picture.exif)
    assert kept[0x010F] == "maker"


def test_reading_imports_no_torch(tmp_path):
    images.write(tmp_path / "a.png", noise(3, 3, 3))
    code = f"import sys, i2i.images as m; m.read({str(tmp_path / 'a.png')!r}); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def photo(path, height, width, **options):
    """Structures of all sizes, as a photo has them."""
    generator = np.random.default_rng(0)
    pixels = np.full((height, width, 3), 127.5, np.float32)
    for octave in range(2, 9):
        small = generator.normal(0, 4 * 1.5 ** (octave - 2), (max(2, height >> octave), max(2, width >> octave), 3))
        pixels += cv2.resize(small.astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC)
    Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(path, **options)
    return path


@pytest.mark.parametrize(
    ("side", "shape"), [(103, (410, 501)), (102, (205, 251)), (52, (205, 251)), (51, (103, 126)), (25, (52, 63))]
)
def test_a_jpeg_is_decoded_as_small_as_its_target_allows_and_never_smaller(tmp_path, side, shape):
    path = photo(tmp_path / "a.jpg", 410, 501, quality=92)
    pixels, size = images.read_reduced(path, lambda size: (side, side))
    assert size == (410, 501)
    assert pixels.shape == (*shape, 3)
    assert min(pixels.shape[:2]) >= 2 * side
    whole = images.resize(images.read(path), (side, side)).astype(float)
    times = round(410 / shape[0])
    reduced = images.resize(pixels, (side, side), extent=(410 / times, 501 / times))
    assert np.abs(reduced - whole).mean() < 1.2
    assert np.abs(reduced - whole)[-8:, -8:].mean() < 1.5  # nothing is shifted where 410 / 4 was rounded up


@pytest.mark.parametrize(("orientation", "shape"), [(1, (50, 100, 3)), (6, (100, 50, 3))])
def test_a_jpeg_lying_on_its_side_is_reduced_by_the_sides_that_are_seen(tmp_path, orientation, shape):
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = photo(tmp_path / "a.jpg", 200, 400, exif=exif)
    asked = []
    pixels, size = images.read_reduced(path, lambda size: (asked.append(size), (shape[0] // 2, shape[1] // 2))[1])
    assert asked == [size] == [(4 * shape[0], 4 * shape[1])]
    assert pixels.shape == shape


def test_whole_pictures_are_read_where_nothing_may_be_lost(tmp_path):
    jpeg, png = photo(tmp_path / "a.jpg", 400, 400), photo(tmp_path / "a.png", 400, 400)
    exif = Image.Exif()
    exif[0x0112] = 3
    turned = photo(tmp_path / "b.jpg", 404, 404, exif=exif)
    assert images.read_reduced(turned, lambda size: (20, 20))[0].shape == (404, 404, 3)
    assert images.read_reduced(jpeg, None)[0].shape == (400, 400, 3)
    assert images.read_reduced(jpeg, lambda size: size)[0].shape == (400, 400, 3)
    assert images.read_reduced(jpeg, lambda size: (101, 101))[0].shape == (400, 400, 3)
    assert images.read_reduced(png, lambda size: (20, 20))[0].shape == (400, 400, 3)
