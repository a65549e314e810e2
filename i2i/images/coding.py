"""How a file's pixels were coded, so that a result can be coded alike."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from PIL import Image, JpegImagePlugin

Quality = int | Literal["keep"]
"""Of JPEG and WebP, 1 to 100, where WebP is lossless at 100; keep codes as the input was coded."""

Subsampling = Literal["keep", "444", "422", "420"]
"""Of the colours of a JPEG: whole, halved across, or halved both ways."""

SUBSAMPLINGS: dict[Subsampling, int] = {"444": 0, "422": 1, "420": 2}
"""In Pillow's numbers."""


@dataclass(frozen=True, slots=True)
class Coding:
    """Of a JPEG its tables, of a WebP whether it is lossless."""

    tables: tuple[tuple[int, ...], ...] = ()
    """The divisors of a JPEG's 64 frequencies, row by row, a table a component; the last is for all that follow."""
    subsampling: Subsampling = "keep"
    lossless: bool = False


def coding(image: Image.Image, data: bytes, *, on_its_side: bool) -> Coding:
    """The coding of an opened file. A picture that is turned by a quarter turns its frequencies too."""
    if isinstance(image, JpegImagePlugin.JpegImageFile):
        return _of_jpeg(image, on_its_side=on_its_side)
    return Coding(lossless=image.format == "WEBP" and _is_lossless(data))


def _of_jpeg(image: JpegImagePlugin.JpegImageFile, *, on_its_side: bool) -> Coding:
    chosen = [image.quantization.get(layer[3], []) for layer in image.layer]
    if not chosen or any(len(table) != 64 for table in chosen):
        return Coding()
    while len(chosen) > 1 and chosen[-1] == chosen[-2]:
        chosen.pop()
    if on_its_side:
        chosen = [np.reshape(table, (8, 8)).T.reshape(64).tolist() for table in chosen]
    found: Subsampling = "444"  # also of what is rare, and of gray, which says nothing of colours
    for name, number in SUBSAMPLINGS.items():
        if number == JpegImagePlugin.get_sampling(image):
            found = name
    if on_its_side and found == "422":  # it would be halved down alone, which nobody writes
        found = "444"
    return Coding(tuple(map(tuple, chosen)), found)


def _is_lossless(data: bytes) -> bool:
    """Whether the first picture of a WebP is coded as VP8L (RFC 9649)."""
    at = 12
    while at + 8 <= len(data):
        kind, length = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
        if kind in (b"VP8L", b"VP8 "):
            return kind == b"VP8L"
        # A frame of an animation holds its picture behind 16 bytes of its place and time.
        at += 8 + 16 if kind == b"ANMF" else 8 + length + length % 2
    return False
