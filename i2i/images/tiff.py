"""TIFF files of 8 and 16 bits (TIFF 6.0), which neither Pillow nor OpenCV writes with all of their metadata."""

import struct
import zlib
from collections.abc import Callable
from fractions import Fraction

from i2i.images.exif import byte_order, entries
from i2i.images.extras import Extras
from i2i.images.pixels import Array

_STRIP_BYTES = 1 << 22
_DEFLATE, _DIFFERENCES = 8, 2

_WIDTH, _HEIGHT, _BITS, _COMPRESSION, _PHOTOMETRIC = 256, 257, 258, 259, 262
_OFFSETS, _ORIENTATION, _SAMPLES, _ROWS, _COUNTS = 273, 274, 277, 278, 279
_X_RESOLUTION, _Y_RESOLUTION, _PLANAR, _UNIT, _PREDICTOR = 282, 283, 284, 296, 317
_ALPHA, _XMP, _ICC = 338, 700, 34675
# Of a block of EXIF the tags that say how its own picture, or its thumbnail, is stored; with those that are set here.
_STORAGE = frozenset(
    {254, 255, 266, 301, 320, 322, 323, 324, 325, 330, 339, 513, 514, 529, 530, 531, 532, 33723, 34377}
    | {_WIDTH, _HEIGHT, _BITS, _COMPRESSION, _PHOTOMETRIC, _OFFSETS, _ORIENTATION, _SAMPLES, _ROWS, _COUNTS}
    | {_PLANAR, _PREDICTOR, _ALPHA, _XMP, _ICC}
)
_BYTE, _SHORT, _LONG, _RATIONAL, _UNDEFINED = 1, 3, 4, 5, 7
_CODES = {_BYTE: "B", _SHORT: "H", _LONG: "I", _RATIONAL: "I", _UNDEFINED: "B"}


def encode(whole: Array, extras: Extras) -> bytes:
    """Deflated differences in strips of 4 MB.

    The file begins with the block of EXIF as it is: a block is a TIFF without a picture, so that all that points into
    it, a maker's note too, still does. The picture's tags follow, with those of the block among them.

    Shape: (H, W, 1 to 4) uint8 or uint16: gray, gray with alpha, RGB, RGB with alpha.
    """
    height, width, channels = whole.shape
    order = (extras.exif and byte_order(extras.exif)) or "<"
    told = entries(extras.exif) if extras.exif else None
    body = bytearray(extras.exif if extras.exif and told is not None else _header(order))
    tags: dict[int, bytes] = {}
    for tag, at in told or ():
        if tag not in _STORAGE and not (extras.dpi and tag in (_X_RESOLUTION, _Y_RESOLUTION, _UNIT)):
            tags[tag] = bytes(body[at : at + 12])

    def append(data: bytes) -> int:
        body.extend(b"\0" * (len(body) % 2))
        body.extend(data)
        return len(body) - len(data)

    def set_tag(tag: int, kind: int, *values: int, data: bytes | None = None) -> None:
        tags[tag] = _entry(order, append, tag, kind, values, data)

    rows = max(1, min(height, _STRIP_BYTES // (width * channels * whole.itemsize)))
    strips = [_packed(whole[start : start + rows], order) for start in range(0, height, rows)]
    set_tag(_OFFSETS, _LONG, *[append(strip) for strip in strips])
    set_tag(_COUNTS, _LONG, *map(len, strips))
    set_tag(_ROWS, _LONG, rows)
    set_tag(_WIDTH, _LONG, width)
    set_tag(_HEIGHT, _LONG, height)
    set_tag(_BITS, _SHORT, *[8 * whole.itemsize] * channels)
    set_tag(_COMPRESSION, _SHORT, _DEFLATE)
    set_tag(_PREDICTOR, _SHORT, _DIFFERENCES)
    set_tag(_PHOTOMETRIC, _SHORT, 1 if channels < 3 else 2)
    set_tag(_ORIENTATION, _SHORT, 1)
    set_tag(_SAMPLES, _SHORT, channels)
    set_tag(_PLANAR, _SHORT, 1)
    if channels in (2, 4):
        set_tag(_ALPHA, _SHORT, 2)  # not multiplied into the colours
    if extras.dpi:
        for tag, value in zip((_X_RESOLUTION, _Y_RESOLUTION), extras.dpi, strict=True):
            set_tag(tag, _RATIONAL, *Fraction(value).limit_denominator(1000).as_integer_ratio())
        set_tag(_UNIT, _SHORT, 2)
    if extras.xmp:
        set_tag(_XMP, _BYTE, data=extras.xmp)
    if extras.icc:
        set_tag(_ICC, _UNDEFINED, data=extras.icc)
    directory = struct.pack(f"{order}H", len(tags)) + b"".join(tags[tag] for tag in sorted(tags))
    start = append(directory + struct.pack(f"{order}I", 0))
    struct.pack_into(f"{order}I", body, 4, start)
    return bytes(body)


def _header(order: str) -> bytes:
    return (b"II*\0" if order == "<" else b"MM\0*") + bytes(4)


def _entry(
    order: str, append: Callable[[bytes], int], tag: int, kind: int, values: tuple[int, ...], data: bytes | None
) -> bytes:
    """The 12 bytes of a tag; what has no room in them is appended."""
    packed = struct.pack(f"{order}{len(values)}{_CODES[kind]}", *values) if data is None else data
    count = len(packed) // {_SHORT: 2, _LONG: 4, _RATIONAL: 8}.get(kind, 1)
    inside = packed.ljust(4, b"\0") if len(packed) <= 4 else struct.pack(f"{order}I", append(packed))
    return struct.pack(f"{order}HHI", tag, kind, count) + inside


def _packed(strip: Array, order: str) -> bytes:
    differences = strip.copy()
    differences[:, 1:] -= strip[:, :-1]
    stored = differences.astype(differences.dtype.newbyteorder(order), copy=False)
    return zlib.compress(stored.data, 1)  # 4 is 2% smaller, and takes twice as long
