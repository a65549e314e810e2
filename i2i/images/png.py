"""What Pillow does not write of PNG: 16 bits, and metadata byte for byte (W3C PNG, third edition)."""

import struct
import zlib

import numpy as np

from i2i.images.extras import Extras
from i2i.images.pixels import Array

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_COLOUR_TYPES = {1: 0, 2: 4, 3: 2, 4: 6}
_HEADER_END = 8 + 25
_SUB = 1
"""The filter that stores each byte's difference to the pixel before."""


def encode_16(whole: Array, extras: Extras) -> bytes:
    """Shape: (H, W, 1 to 4) uint16: gray, gray with alpha, RGB, RGB with alpha."""
    height, width, channels = whole.shape
    stored = whole.astype(">u2").view(np.uint8).reshape(height, width, 2 * channels)
    rows = np.empty((height, 1 + width * 2 * channels), np.uint8)
    rows[:, 0] = _SUB
    filtered = rows[:, 1:].reshape(height, width, 2 * channels)
    filtered[:, 0] = stored[:, 0]
    np.subtract(stored[:, 1:], stored[:, :-1], out=filtered[:, 1:])
    header = struct.pack(">IIBBBBB", width, height, 16, _COLOUR_TYPES[channels], 0, 0, 0)
    data = SIGNATURE + _chunk(b"IHDR", header) + _chunk(b"IDAT", zlib.compress(rows.data, 4)) + _chunk(b"IEND", b"")
    return with_extras(data, extras)


def with_extras(data: bytes, extras: Extras) -> bytes:
    """The file with chunks of metadata behind its header, where all of them may stand."""
    more = b""
    if extras.icc:
        more += _chunk(b"iCCP", b"icc\0\0" + zlib.compress(extras.icc))
    if extras.dpi:
        more += _chunk(b"pHYs", struct.pack(">IIB", *(round(one / 0.0254) for one in extras.dpi), 1))
    if extras.exif:
        more += _chunk(b"eXIf", extras.exif)
    if extras.xmp:
        more += _chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + extras.xmp)
    return data[:_HEADER_END] + more + data[_HEADER_END:]


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
