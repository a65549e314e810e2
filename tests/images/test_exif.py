import struct
import sys
from pathlib import Path

import pytest
from PIL import ExifTags, Image

from i2i.images import exif

sys.path.insert(0, str(Path(__file__).parent))
from camera import NOTE, block


@pytest.mark.parametrize("order", ["<", ">"])
def test_only_the_orientation_changes(order):
    assert exif.upright(block(order, 6)) == block(order, 1)
    assert exif.upright(exif.PREFIX + block(order, 8)) == block(order, 1)
    assert exif.upright(block(order, 1)) == block(order, 1)
    assert exif.upright(block(order, None)) == block(order, None)


def test_an_orientation_of_an_odd_type_becomes_a_plain_one():
    data = bytearray(block("<", 6))
    at = data.index(struct.pack("<HH", 0x0112, 3))
    data[at + 2] = 4
    assert exif.upright(bytes(data)) == block("<", 1)


def test_what_is_no_block_is_left_out():
    for data in (b"", b"Exif\0\0", b"II*\0" + b"\xff" * 60, b"MM\0*\0\0\0\x08\xff\xff" + bytes(40), block()[:30]):
        assert exif.upright(data) is None


@pytest.mark.parametrize("written", ['tiff:Orientation="6"', "<tiff:Orientation>6<", "tiff:Orientation = '6'"])
def test_the_orientation_of_a_packet_changes_and_nothing_else(written):
    packet = f"<x:xmpmeta é {written} rest 6/>"
    assert exif.upright_xmp(packet) == packet.replace("6", "1", 1).encode()
    assert exif.upright_xmp(packet.encode()) == exif.upright_xmp(packet)
    assert exif.upright_xmp(b"<none/>") == b"<none/>"


def test_the_test_block_is_what_cameras_write():
    read = Image.Exif()
    read.load(block())
    assert read[0x010F] == "cam"
    assert read.get_ifd(ExifTags.IFD.Exif)[0x927C] == NOTE
    assert read.get_ifd(ExifTags.IFD.GPSInfo)[2] == (51, 3, 7)
