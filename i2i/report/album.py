"""Pictures inside a page: shrunk, encoded and kept to a weight."""

import base64
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from i2i import images
from i2i.errors import PictureError
from i2i.images.pixels import Array
from i2i.report.sheets import as_rgb, within

_SIDES = (1600, 1280, 1024, 768, 512, 384, 256, 192, 128, 96, 64)
_QUALITIES = (86, 66)
_BYTES_A_PIXEL = 0.2  # of a photograph at the better of these qualities, roughly


@dataclass(frozen=True, slots=True)
class Embedded:
    """A picture as a data URI, and its size in pixels."""

    uri: str
    width: int
    height: int

    @property
    def small(self) -> bool:
        """Whether it is so small that its pixels are to be seen when it is enlarged."""
        return max(self.width, self.height) <= 128


def embed(pictures: Sequence[Array | Path], *, weight: int, side: int = 1280) -> list[Embedded | None]:
    """Encode pictures so that all of them together stay below `weight` bytes of page; None for an unreadable file.

    The longer side is `side` at most; where the pictures would weigh too much, quality gives way first and size next.
    """
    if not pictures:
        return []
    room = weight * 3 // 4  # base64 writes 3 bytes as 4 letters
    expected = math.sqrt(room / (_BYTES_A_PIXEL * len(pictures)))
    sides = [s for s in _SIDES if s <= side and s <= 1.5 * expected] or [_SIDES[-1]]
    fitted = [_load(picture, sides[0]) for picture in pictures]
    for s in sides:
        fitted = [None if pixels is None else within(pixels, s) for pixels in fitted]
        for quality in _QUALITIES:
            smallest = (s, quality) == (sides[-1], _QUALITIES[-1])
            encoded = _encoded(fitted, quality, math.inf if smallest else room)
            if encoded is not None:
                return encoded
    raise AssertionError("the smallest size has no limit")


def _encoded(pictures: Sequence[Array | None], quality: int, room: float) -> list[Embedded | None] | None:
    """All of them, or None as soon as they take more than `room` bytes."""
    encoded: list[Embedded | None] = []
    for pixels in pictures:
        if pixels is None:
            encoded.append(None)
            continue
        data = _encode(pixels, quality)
        room -= len(data)
        if room < 0:
            return None
        uri = f"data:image/webp;base64,{base64.b64encode(data).decode('ascii')}"
        encoded.append(Embedded(uri, pixels.shape[1], pixels.shape[0]))
    return encoded


def _load(picture: Array | Path, side: int) -> Array | None:
    try:
        return within(as_rgb(images.read(picture) if isinstance(picture, Path) else picture), side)
    except PictureError:
        return None


def _encode(pixels: Array, quality: int) -> bytes:
    """WebP; lossless where the picture is tiny or a label map, whose few colours a lossy one would smear."""
    exact = max(pixels.shape[:2]) <= 64 or _few_colours(pixels)
    buffer = io.BytesIO()
    image = Image.fromarray(np.ascontiguousarray(pixels))
    image.save(buffer, "WEBP", quality=60 if exact else quality, lossless=exact, method=3)
    return buffer.getvalue()


def _few_colours(pixels: Array) -> bool:
    codes = pixels.astype(np.uint32) @ np.array([1 << 16, 1 << 8, 1], np.uint32)
    # A photograph has more in a few of its lines already, which saves sorting all of it.
    return len(np.unique(codes[:: max(1, len(codes) // 8)])) <= 64 and len(np.unique(codes)) <= 64
