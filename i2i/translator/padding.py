"""How a picture grows to the multiple of pixels that a network wants."""

import numpy as np
from numpy.typing import NDArray

Index = NDArray[np.intp]


def padded(size: tuple[int, ...], multiple: int) -> tuple[Index, Index]:
    """The rows and the columns of a picture of that size, (height, width), that its padded version repeats.

    It grows to the bottom and the right by reflection, by repetition where it is too small to reflect.
    """
    rows, columns = (np.arange(side) for side in size[:2])
    height, width = (side + -side % multiple for side in size[:2])
    while len(rows) < height or len(columns) < width:
        bottom, right = height - len(rows), width - len(columns)
        down, over = min(bottom, len(rows) - 1), min(right, len(columns) - 1)
        if (bottom and not down) or (right and not over):
            return np.pad(rows, (0, bottom), mode="edge"), np.pad(columns, (0, right), mode="edge")
        rows, columns = np.pad(rows, (0, down), mode="reflect"), np.pad(columns, (0, over), mode="reflect")
    return rows, columns
