"""Which crop of a picture is taken, and whether mirrored: a function of the picture's key alone.

The same numbers serve a picture that a worker has just decoded and a batch that is cut from pictures kept decoded, so
a run does not depend on how it is fed.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from i2i.images.pixels import Array

Key = Sequence[int]
"""What a draw depends on: (seed, epoch, index), and more where an item has several draws."""

_GAMMA = np.uint64(0x9E3779B97F4A7C15)
_FIRST, _SECOND = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)


class Frames(NamedTuple):
    """Where the crops of some pictures lie. Shape: (N,) each, pixels; `mirrored` is bool, left to right."""

    top: Array
    left: Array
    mirrored: Array


def numbers(keys: Sequence[Key], count: int) -> Array:
    """`count` uniform numbers a key, for many keys at once. Shape: (len(keys), count), float64 in [0, 1).

    SplitMix64 (Steele, Lea and Flood 2014) as a hash: NumPy's generators take 20 microseconds to seed for each key.
    """
    parts = np.array([[part % 2**64 for part in key] for key in keys], dtype=np.uint64)
    state = np.zeros(len(parts), np.uint64)
    for part in parts.T:
        state = _mix((state ^ part) + _GAMMA)
    lanes = state[:, None] + _GAMMA * np.arange(1, count + 1, dtype=np.uint64)
    return (_mix(lanes) >> np.uint64(11)).astype(np.float64) * 2.0**-53


def _mix(state: Array) -> Array:
    state = (state ^ (state >> np.uint64(30))) * _FIRST
    state = (state ^ (state >> np.uint64(27))) * _SECOND
    return state ^ (state >> np.uint64(31))


def frames(keys: Sequence[Key], heights: Array, widths: Array, crop: tuple[int, int], *, flip: bool) -> Frames:
    """One crop a key: every place equally likely, half of them mirrored where `flip` says so.

    `heights` and `widths`, (N,) pixels, are those of the pictures and at least the crop's.
    """
    down, right, side = numbers(keys, 3).T
    top = (down * (np.asarray(heights) - crop[0] + 1)).astype(np.int64)
    left = (right * (np.asarray(widths) - crop[1] + 1)).astype(np.int64)
    return Frames(top, left, (side < 0.5) & flip)


def cut(picture: Array, frame: Frames, crop: tuple[int, int]) -> Array:
    """The crop of one picture, (H, W, C), by frames that hold one; a view."""
    top, left = int(frame.top[0]), int(frame.left[0])
    cropped = picture[top : top + crop[0], left : left + crop[1]]
    return cropped[:, ::-1] if frame.mirrored[0] else cropped
