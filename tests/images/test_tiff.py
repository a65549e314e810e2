import io
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import ExifTags, Image

from i2i import images
from i2i.images import tiff
from i2i.images.extras import Extras

sys.path.insert(0, str(Path(__file__).parent))
from camera import NOTE, block


def noise(*shape, dtype=np.uint8):
    return np.random.default_rng(0).integers(0, np.iinfo(dtype).max + 1, shape, dtype=dtype)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("order", ["<", ">"])
def test_others_read_what_is_written(dtype, channels, order):
    whole = noise(37, 23, channels, dtype=dtype)
    data = tiff.encode(whole, Extras(exif=block(order, 1), xmp=b"<x/>", dpi=(300, 72.5)))
    if dtype == np.uint8:
        with Image.open(io.BytesIO(data)) as image:
            assert np.array_equal(np.atleast_3d(np.asarray(image)), whole)
        return
    decoded = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    swapped = np.atleast_3d(decoded)[:, :, [2, 1, 0, 3][:channels] if channels > 1 else [0]]
    assert np.array_equal(swapped, whole)


def test_a_picture_of_many_strips_is_whole(monkeypatch, tmp_path):
    monkeypatch.setattr(tiff, "_STRIP_BYTES", 1000)
    images.write(tmp_path / "a.tif", noise(100, 60, 3))
    images.write(tmp_path / "b.tif", noise(100, 60, 3, dtype=np.uint16))
    assert np.array_equal(images.read(tmp_path / "a.tif"), noise(100, 60, 3))
    assert np.array_equal(images.read(tmp_path / "b.tif"), noise(100, 60, 3, dtype=np.uint16))


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("order", ["<", ">"])
def test_a_block_of_exif_stays_where_it_was_with_all_that_points_into_it(tmp_path, dtype, order):
    images.write(tmp_path / "a.tif", noise(5, 7, 3, dtype=dtype), exif=block(order, 1), dpi=(300, 300))
    data = (tmp_path / "a.tif").read_bytes()
    assert data[8 : len(block())] == block(order, 1)[8:]
    with Image.open(tmp_path / "a.tif") as image:
        found = image.getexif()
        assert (found[0x010F], found[0x0112], image.n_frames) == ("cam", 1, 1)
        assert found.get_ifd(ExifTags.IFD.Exif)[0x927C] == NOTE
        assert found.get_ifd(ExifTags.IFD.GPSInfo)[2] == (51, 3, 7)
        assert image.info["dpi"] == (300, 300)


def test_a_tiffs_own_words_go_to_other_formats(tmp_path):
    images.write(tmp_path / "a.tif", noise(5, 7, 3), exif=block(orientation=1), xmp=b"<x/>")
    picture = images.read_picture(tmp_path / "a.tif")
    assert picture.xmp == b"<x/>"
    for name in ("a.jpg", "a.png", "a.webp", "b.tif"):
        assert images.write(tmp_path / name, picture.pixels, exif=picture.exif, xmp=picture.xmp) == ()
        with Image.open(tmp_path / name) as image:
            found = image.getexif()
            assert found[0x010F] == "cam"
            assert found.get_ifd(ExifTags.IFD.Exif)[0x927C] == NOTE
            assert found.get_ifd(ExifTags.IFD.GPSInfo)[2] == (51, 3, 7)
        assert images.read_picture(tmp_path / name).xmp == b"<x/>"


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_deep_tiff_lying_on_its_side_is_set_upright_once(tmp_path, orientation):
    for name, dtype in (("a.tif", np.uint8), ("b.tif", np.uint16)):
        data = bytearray(tiff.encode(noise(4, 6, 3, dtype=dtype), Extras()))
        at = data.index(b"\x12\x01\x03\x00\x01\x00\x00\x00\x01")
        data[at + 8] = orientation
        (tmp_path / name).write_bytes(data)
    flat, deep = (images.read(tmp_path / name) for name in ("a.tif", "b.tif"))
    header = images.probe(tmp_path / "b.tif")
    assert deep.shape == flat.shape == (header.height, header.width, 3)
    corner = noise(4, 6, 3, dtype=np.uint16)[0, 0]
    places = {1: (0, 0), 2: (0, -1), 3: (-1, -1), 4: (-1, 0), 5: (0, 0), 6: (0, -1), 7: (-1, -1), 8: (-1, 0)}
    assert np.array_equal(deep[places[orientation]], corner)
    assert np.array_equal(flat[places[orientation]], noise(4, 6, 3)[0, 0])
