"""PNG of both depths, with metadata byte for byte (W3C PNG, third edition)."""

import struct
import zlib

import cv2
import numpy as np

from i2i.images.extras import Extras
from i2i.images.pixels import Array

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_HEADER_END = 8 + 25
_GRAY_WITH_ALPHA = 4
_SUB = 1
"""The filter that stores each byte's difference to the pixel before."""


def encode(whole: Array, extras: Extras) -> bytes:
    """By OpenCV: of a photo 2 to 9% larger than Pillow's best of five filters a row, in a fifth of the time.

    Shape: (H, W, 1 to 4) uint8 or uint16: gray, gray with alpha, RGB, RGB with alpha.
    """
    channels = whole.shape[2]
    if channels == 2:
        return with_extras(_gray_with_alpha(whole), extras)
    if channels > 1:
        whole = cv2.cvtColor(whole, cv2.COLOR_RGB2BGR if channels == 3 else cv2.COLOR_RGBA2BGRA)
    done, data = cv2.imencode(".png", whole)
    if not done:
        raise ValueError("OpenCV could not encode it")
    return with_extras(data.tobytes(), extras)


def _gray_with_alpha(whole: Array) -> bytes:
    """What OpenCV does not write."""
    height, width, _ = whole.shape
    stored = whole.astype(whole.dtype.newbyteorder(">")).view(np.uint8).reshape(height, width, -1)
    rows = np.empty((height, 1 + stored[0].size), np.uint8)
    rows[:, 0] = _SUB
    filtered = rows[:, 1:].reshape(stored.shape)
    filtered[:, 0] = stored[:, 0]
    np.subtract(stored[:, 1:], stored[:, :-1], out=filtered[:, 1:])
    header = struct.pack(">IIBBBBB", width, height, 8 * whole.itemsize, _GRAY_WITH_ALPHA, 0, 0, 0)
    return _SIGNATURE + _chunk(b"IHDR", header) + _chunk(b"IDAT", zlib.compress(rows.data, 1)) + _chunk(b"IEND", b"")


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
