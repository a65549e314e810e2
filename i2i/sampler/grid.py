"""Many pictures of one size as one."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
GAP = 2
"""Pixels between two pictures, and around all."""
_PAPER = 22


def grid(pictures: Sequence[Array], columns: int | None = None) -> Array:
    """Pictures row by row, as wide as high where the number of columns is left open.

    Shape: (H, W, C) uint8 each, 1 or more of one shape -> one picture of C channels.
    """
    height, width, channels = pictures[0].shape
    across = min(len(pictures), columns or math.ceil(math.sqrt(len(pictures) * height / width)))
    down = math.ceil(len(pictures) / across)
    paper = np.full((GAP + down * (height + GAP), GAP + across * (width + GAP), channels), _PAPER, np.uint8)
    for index, picture in enumerate(pictures):
        row, column = divmod(index, across)
        top, left = GAP + row * (height + GAP), GAP + column * (width + GAP)
        paper[top : top + height, left : left + width] = picture
    return paper
