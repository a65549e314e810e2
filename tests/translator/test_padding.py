import numpy as np
import pytest

from i2i.translator.padding import padded


@pytest.mark.parametrize(
    ("height", "width", "multiple", "rows", "columns"),
    [
        (4, 8, 4, [0, 1, 2, 3], list(range(8))),
        (3, 2, 4, [0, 1, 2, 1], [0, 1, 0, 1]),  # reflected twice where once is too little
        (1, 3, 4, [0, 0, 0, 0], [0, 1, 2, 2]),  # repeated where a side has nothing to reflect
        (5, 8, 8, [0, 1, 2, 3, 4, 3, 2, 1], list(range(8))),
    ],
)
def test_a_picture_grows_by_reflection(height, width, multiple, rows, columns):
    found = padded((height, width), multiple)
    assert [index.tolist() for index in found] == [rows, columns]


@pytest.mark.parametrize("size", [(1, 1), (7, 300), (256, 256), (257, 2)])
def test_both_sides_become_multiples_and_keep_the_picture_in_their_corner(size):
    rows, columns = padded(size, 256)
    assert len(rows) % 256 == len(columns) % 256 == 0
    assert np.array_equal(rows[: size[0]], np.arange(size[0]))
    assert np.array_equal(columns[: size[1]], np.arange(size[1]))
    assert len(rows) - size[0] < 256
    assert len(columns) - size[1] < 256
