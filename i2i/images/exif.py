"""EXIF and XMP of an upright picture: the orientation is said to be 1, and every other byte stays as it was."""

import re
import struct

from PIL import ExifTags, Image

PREFIX = b"Exif\0\0"
"""Before the block in a JPEG, and before every block that Pillow makes."""

Entry = tuple[int, int]
"""A tag, and where its 12 bytes begin."""

_ORIENTATION = 0x0112
_SHORT = 3
_XMP_ORIENTATION = re.compile(rb"(tiff:Orientation\s*(?:=\s*[\"']|>)\s*)\d+")

# Of a TIFF's tags those that say something of the picture; the others say how it is stored.
_TOLD = (
    ExifTags.Base.ImageDescription,
    ExifTags.Base.Make,
    ExifTags.Base.Model,
    ExifTags.Base.Software,
    ExifTags.Base.DateTime,
    ExifTags.Base.Artist,
    ExifTags.Base.HostComputer,
    ExifTags.Base.Copyright,
)


def bare(exif: bytes) -> bytes:
    """The block alone: a TIFF header, its tags, and what they point at."""
    while exif.startswith(PREFIX):
        exif = exif.removeprefix(PREFIX)
    return exif


def upright(exif: bytes) -> bytes | None:
    """The block with an orientation of 1, else byte for byte; None where its tags cannot be found."""
    block = bytearray(bare(exif))
    found = entries(block)
    if found is None:
        return None
    order = byte_order(block)
    for tag, at in found:
        if tag == _ORIENTATION:
            kind, count, value = struct.unpack_from(f"{order}HIH", block, at + 2)
            if (kind, count, value) != (_SHORT, 1, 1):
                struct.pack_into(f"{order}HIHH", block, at + 2, _SHORT, 1, 1, 0)
    return bytes(block)


def upright_xmp(xmp: bytes | str) -> bytes:
    """The packet with an orientation of 1, where it says one, else byte for byte."""
    packet = xmp.encode() if isinstance(xmp, str) else xmp
    return _XMP_ORIENTATION.sub(rb"\g<1>1", packet)


def byte_order(block: bytes | bytearray) -> str | None:
    """'<' or '>', as struct writes it; None where this is no block."""
    return {b"II*\0": "<", b"MM\0*": ">"}.get(bytes(block[:4]))


def entries(block: bytes | bytearray) -> list[Entry] | None:
    """The tags of the first directory; None where there is none."""
    order = byte_order(block)
    if order is None or len(block) < 14:
        return None
    (start,) = struct.unpack_from(f"{order}I", block, 4)
    if start + 2 > len(block):
        return None
    (count,) = struct.unpack_from(f"{order}H", block, start)
    if start + 2 + 12 * count > len(block):
        return None
    return [(struct.unpack_from(f"{order}H", block, at)[0], at) for at in range(start + 2, start + 2 + 12 * count, 12)]


def of_tiff(image: Image.Image) -> bytes | None:
    """What a TIFF says of its picture as a block of EXIF: values are kept, their places change.

    Raises one of DAMAGED where they cannot be read.
    """
    stored, kept = image.getexif(), Image.Exif()
    for tag in _TOLD:
        if tag in stored:
            kept[tag] = stored[tag]
    for directory in (ExifTags.IFD.Exif, ExifTags.IFD.GPSInfo):
        if found := stored.get_ifd(directory):
            kept[directory] = found
    return bare(kept.tobytes()) if len(kept) else None
