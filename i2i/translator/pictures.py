"""The kinds of picture that a translator takes and gives back."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from PIL import Image

from i2i import images

Array = np.ndarray[Any, Any]


def as_array(picture: Any, channels: tuple[int, ...] = (1, 3)) -> Array:
    """A picture as an array of one of so many `channels`: gray and RGB, or both with alpha, or several pictures'."""
    if isinstance(picture, np.ndarray):
        if (
            picture.ndim != 3
            or not picture.size
            or picture.shape[2] not in channels
            or picture.dtype.name not in ("uint8", "uint16", "float32")
        ):
            wanted = " or ".join(f"(H, W, {count})" for count in sorted(channels, reverse=True))
            raise TypeError(f"a picture is {wanted}, uint8, uint16 or float32, not {picture.shape} {picture.dtype}")
        return picture
    if channels == (2, 4):
        return _with_alpha(picture)
    if channels != (1, 3):
        raise TypeError(
            f"several pictures make one input here: an array of {max(channels)} or {min(channels)} channels"
        )
    if isinstance(picture, Image.Image):
        if picture.mode in ("I", "F"):
            raise TypeError(f"a picture of 8 or 16 bits was wanted, not of Pillow's mode {picture.mode}")
        if picture.mode.startswith("I;16"):  # Pillow's own conversion would cut off at 255
            return np.asarray(picture).astype(np.uint16)[:, :, None]
        gray = picture.mode in ("1", "L", "LA")
        return np.atleast_3d(np.asarray(picture.convert("L" if gray else "RGB")))
    return images.read(picture)


def _with_alpha(picture: Any) -> Array:
    """Gray or colour, and alpha, which is opaque where the picture has none."""
    if isinstance(picture, Image.Image):
        gray = picture.mode in ("1", "L", "LA")
        return np.asarray(picture.convert("LA" if gray else "RGBA"))
    read = images.read_picture(picture)
    return images.with_alpha(read.pixels, read.alpha)


def as_pil(array: Array) -> Image.Image:
    array = images.to_depth(array, np.uint8)
    return Image.fromarray(array[:, :, 0] if array.shape[2] == 1 else array)


def by_size(pictures: Sequence[Array], batch_size: int) -> Iterator[list[int]]:
    groups: dict[tuple[Any, ...], list[int]] = {}
    for index, picture in enumerate(pictures):
        groups.setdefault((picture.shape, picture.dtype.name), []).append(index)
    for group in groups.values():
        for start in range(0, len(group), batch_size):
            yield group[start : start + batch_size]


def in_order(pictures: Sequence[Array], batch_size: int) -> Iterator[list[int]]:
    """Neighbours of one size, at most `batch_size` of them, in their order."""
    start = 0
    for index, picture in enumerate(pictures):
        first = pictures[start]
        if index - start == batch_size or (picture.shape, picture.dtype) != (first.shape, first.dtype):
            yield list(range(start, index))
            start = index
    if start < len(pictures):
        yield list(range(start, len(pictures)))
