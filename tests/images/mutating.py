"""Mutated picture files for `test_fuzzing.py`: seeds of every format, and the damage that its structure invites."""

import io
import random
import re
import struct
import zlib
from collections.abc import Callable

import cv2
import numpy as np
from PIL import Image, ImageCms


def seeds() -> dict[str, tuple[str, bytes]]:
    """name: (suffix, a sound file), of every format, depth and colour model that is read."""
    draw = np.random.default_rng(0)
    smooth = cv2.resize(draw.integers(0, 256, (5, 6, 3), np.uint8), (40, 30), interpolation=cv2.INTER_CUBIC)
    colour = Image.fromarray(smooth)
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "maker"
    icc = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    alpha = colour.copy()
    alpha.putalpha(Image.fromarray(smooth[:, :, 0]))

    def held(format: str, mode: str = "RGB", **options: object) -> bytes:
        file = io.BytesIO()
        (alpha if mode in ("RGBA", "LA") else colour).convert(mode).save(file, format, **options)
        return file.getvalue()

    def deep(suffix: str, channels: int) -> bytes:
        done, data = cv2.imencode(suffix, smooth[:, :, [0, 1, 2, 0][:channels]].astype(np.uint16) * 257)
        assert done
        return data.tobytes()

    def more() -> dict[str, object]:
        return {
            "save_all": True,
            "append_images": [colour.rotate(90), colour.rotate(180)],
        }  # Pillow leaves marks on them

    found = {
        "jpeg": (".jpg", held("JPEG", exif=exif, icc_profile=icc, dpi=(72, 72))),
        "jpeg progressive": (".jpg", held("JPEG", progressive=True)),
        "jpeg gray": (".jpg", held("JPEG", "L")),
        "jpeg cmyk": (".jpg", held("JPEG", "CMYK", icc_profile=icc)),
        "jpeg mpo": (".jpg", held("MPO", **more())),
        "png": (".png", held("PNG", exif=exif, icc_profile=icc, dpi=(72, 72))),
        "png alpha": (".png", held("PNG", "RGBA")),
        "png gray alpha": (".png", held("PNG", "LA")),
        "png palette": (".png", held("PNG", "P", transparency=bytes(range(200)))),
        "png 1 bit": (".png", held("PNG", "1")),
        "png 16 gray": (".png", deep(".png", 1)),
        "png 16": (".png", deep(".png", 3)),
        "png 16 alpha": (".png", deep(".png", 4)),
        "png animated": (".png", held("PNG", **more())),
        "webp": (".webp", held("WEBP", exif=exif, icc_profile=icc)),
        "webp lossless alpha": (".webp", held("WEBP", "RGBA", lossless=True)),
        "webp animated": (".webp", held("WEBP", **more())),
        "bmp": (".bmp", held("BMP")),
        "bmp palette": (".bmp", held("BMP", "P")),
        "bmp 1 bit": (".bmp", held("BMP", "1")),
        "tiff": (".tif", held("TIFF", exif=exif, icc_profile=icc)),
        "tiff 16 gray": (".tif", deep(".tif", 1)),
        "tiff 16": (".tif", deep(".tif", 3)),
        "tiff cmyk": (".tif", held("TIFF", "CMYK")),
        "tiff pages": (".tif", held("TIFF", **more())),
        "tiff big": (".tif", held("TIFF", big_tiff=True)),
        "gif": (".gif", held("GIF", "P")),
        "gif animated": (".gif", held("GIF", "P", transparency=3, **more())),
    }
    for packing in ("tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg"):
        found[f"tiff {packing}"] = ".tif", held("TIFF", compression=packing)
    found["tiff fax"] = ".tif", held("TIFF", "1", compression="group4")
    return found


def mutated(data: bytes, others: list[bytes], draw: random.Random) -> bytes:
    """The file with one to four kinds of damage."""
    held = bytearray(data)
    for _ in range(draw.choice((1, 1, 1, 2, 4))):
        draw.choice(_KINDS)(held, others, draw)
        if not held:
            break
    # A wrong checksum would hide everything behind it from the fuzzing; half the files get right ones.
    return _with_checksums(bytes(held)) if draw.random() < 0.5 else bytes(held)


_EXTREME = (0, 1, 2, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x10000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 20_000)


def _flip_bits(held: bytearray, others: list[bytes], draw: random.Random) -> None:
    for _ in range(draw.choice((1, 2, 8, 40))):
        held[draw.randrange(len(held))] ^= 1 << draw.randrange(8)


def _flip_in_header(held: bytearray, others: list[bytes], draw: random.Random) -> None:
    for _ in range(draw.choice((1, 2, 4))):
        held[draw.randrange(min(len(held), 128))] = draw.choice((0, 1, 0x7F, 0x80, 0xFF, draw.randrange(256)))


def _extreme_field(held: bytearray, others: list[bytes], draw: random.Random) -> None:
    """A number of 2 or 4 bytes, in either order, somewhere at the beginning or anywhere."""
    width = draw.choice((2, 4))
    at = draw.randrange(max(1, min(len(held), draw.choice((64, 256, len(held)))) - width))
    value = draw.choice(_EXTREME) & (256**width - 1)
    held[at : at + width] = value.to_bytes(width, draw.choice(("little", "big")))


def _cut(held: bytearray, others: list[bytes], draw: random.Random) -> None:
    del held[draw.randrange(len(held)) :]


def _remove(held: bytearray, others: list[bytes], draw: random.Random) -> None:
    start = draw.randrange(len(held))
    del held[start : start + draw.choice((1, 2, 16, 300))]


def _repeat(held: bytearray, others: list[bytes], draw: random.Random) -> None:
    start = draw.randrange(len(held))
    part = held[start : start + draw.randrange(1, 200)]
    held[start:start] = part * draw.choice((1, 2, 50))


def _splice(held: bytearray, others: list[bytes], draw: random.Random) -> None:
    """Bytes of another file of the same format, or of any."""
    other = draw.choice(others)
    start, at = draw.randrange(len(other)), draw.randrange(len(held))
    part = other[start : start + draw.randrange(1, 400)]
    held[at : at + draw.choice((0, len(part)))] = part


def _fill(held: bytearray, others: list[bytes], draw: random.Random) -> None:
    start, length = draw.randrange(len(held)), draw.choice((4, 32, 500))
    held[start : start + length] = bytes([draw.choice((0, 0xFF, draw.randrange(256)))]) * len(
        held[start : start + length]
    )


def _swap_parts(held: bytearray, others: list[bytes], draw: random.Random) -> None:
    """Chunks, segments or tags in another order, twice, or gone."""
    starts = _parts(bytes(held))
    if len(starts) < 3:
        return
    parts = [bytes(held[a:b]) for a, b in zip(starts, [*starts[1:], len(held)], strict=True)]
    first, second = draw.randrange(len(parts)), draw.randrange(len(parts))
    kind = draw.randrange(3)
    if kind == 0:
        parts[first], parts[second] = parts[second], parts[first]
    elif kind == 1:
        parts.insert(first, parts[second])
    else:
        del parts[first]
    held[starts[0] :] = b"".join(parts)


def _edit_size(held: bytearray, others: list[bytes], draw: random.Random) -> None:
    """Width or height, as each format writes them, as another number: huge, zero, or one off."""
    data = bytes(held)
    value = draw.choice((0, 1, 2, 39, 41, 255, 4000, 16_384, 19_999, 65_535, 2**31 - 1, 2**32 - 1))
    second = draw.random() < 0.5
    if data.startswith(b"\x89PNG"):
        held[16 + 4 * second : 20 + 4 * second] = struct.pack(">I", value & 0xFFFFFFFF)
    elif data.startswith(b"BM"):
        held[18 + 4 * second : 22 + 4 * second] = struct.pack("<I", value & 0xFFFFFFFF)
    elif data.startswith(b"GIF"):
        held[6 + 2 * second : 8 + 2 * second] = struct.pack("<H", value & 0xFFFF)
    elif data.startswith(b"\xff\xd8"):
        for match in re.finditer(rb"\xff[\xc0-\xc2]\0", data):
            at = match.start() + 5 + 2 * second
            held[at : at + 2] = struct.pack(">H", value & 0xFFFF)
    elif data.startswith(b"RIFF"):
        held[24 + 3 * second : 27 + 3 * second] = struct.pack("<I", value & 0xFFFFFF)[:3]
    elif data[:4] == b"II*\0":
        _edit_tag(held, draw, 257 if second else 256, value)


def _edit_tiff(held: bytearray, others: list[bytes], draw: random.Random) -> None:
    """A tag that decides how pixels are read: depth, packing, colours, offsets, rows a strip, samples."""
    if bytes(held[:4]) == b"II*\0":
        _edit_tag(held, draw, draw.choice((258, 259, 262, 273, 277, 278, 279, 284, 317, 320, 322, 338, 339)), None)


def _edit_tag(held: bytearray, draw: random.Random, tag: int, value: int | None) -> None:
    at = int.from_bytes(held[4:8], "little")
    for entry in range(at + 2, min(at + 2 + 12 * 40, len(held) - 12), 12):
        if int.from_bytes(held[entry : entry + 2], "little") == tag:
            choice = draw.choice((*_EXTREME, *range(20), 32946, 50000)) if value is None else value
            field = draw.choice((2, 4, 8, 8, 8)) if value is None else 8  # the type, the count, or the value
            width = 2 if field == 2 else 4
            held[entry + field : entry + field + width] = (choice & (256**width - 1)).to_bytes(width, "little")


_KINDS: list[Callable[[bytearray, list[bytes], random.Random], None]] = [
    _flip_bits, _flip_in_header, _extreme_field, _cut, _remove, _repeat, _splice, _fill, _swap_parts, _edit_size,
    _edit_tiff,
]  # fmt: skip


def _parts(data: bytes) -> list[int]:
    """Where the chunks of PNG and WebP, the segments of JPEG and the blocks of GIF begin."""
    starts = []
    if data.startswith(b"\x89PNG"):
        at = 8
        while at + 8 <= len(data):
            starts.append(at)
            at += 12 + int.from_bytes(data[at : at + 4], "big")
    elif data.startswith(b"RIFF"):
        at = 12
        while at + 8 <= len(data):
            starts.append(at)
            size = int.from_bytes(data[at + 4 : at + 8], "little")
            at += 8 + size + size % 2
    elif data.startswith(b"\xff\xd8"):
        at = 2
        while at + 4 <= len(data) and data[at] == 0xFF and data[at + 1] != 0xDA:
            starts.append(at)
            at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        starts.append(at)
    elif data.startswith(b"GIF"):
        starts = [match.start() for match in re.finditer(rb"!\xf9|!\xff|,\0\0", data)]
    return [start for start in starts if start < len(data)]


def _with_checksums(data: bytes) -> bytes:
    if not data.startswith(b"\x89PNG"):
        return data
    held, at = bytearray(data), 8
    while at + 12 <= len(held):
        size = int.from_bytes(held[at : at + 4], "big")
        if at + 12 + size > len(held):
            break
        held[at + 8 + size : at + 12 + size] = struct.pack(">I", zlib.crc32(held[at + 4 : at + 8 + size]))
        at += 12 + size
    return bytes(held)
