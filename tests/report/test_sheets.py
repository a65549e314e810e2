"""Contact sheets: geometry, sizes and names."""

import numpy as np
import pytest

from i2i.report import sheet

RED, GREEN, BLUE = (255, 0, 0), (0, 255, 0), (0, 0, 255)


def flat(color: tuple[int, ...], height: int = 64, width: int = 64) -> np.ndarray:
    return np.broadcast_to(np.array(color, np.uint8), (height, width, len(color))).copy()


def box(page: np.ndarray, color: tuple[int, ...]) -> tuple[int, int, int, int]:
    """Top, left, height and width of everything of that color."""
    rows, columns = np.nonzero((page == color).all(axis=2))
    return int(rows.min()), int(columns.min()), int(np.ptp(rows)) + 1, int(np.ptp(columns)) + 1


def test_columns_stand_side_by_side_and_rows_below_each_other():
    page = sheet({"source": [flat(RED), flat(BLUE)], "target": [flat(GREEN), flat((9, 9, 9))]}, side=64)
    red, green, blue = (box(page, color) for color in (RED, GREEN, BLUE))
    assert page.dtype == np.uint8
    assert page.shape[2] == 3
    assert red[2:] == green[2:] == blue[2:] == (64, 64)
    assert red[0] == green[0]
    assert red[1] + 64 < green[1]
    assert red[1] == blue[1]
    assert red[0] + 64 < blue[0]


def test_a_large_picture_is_brought_to_the_side_with_its_aspect():
    assert box(sheet({"source": [flat(RED, 600, 300)]}, side=128), RED)[2:] == (128, 64)


def test_a_small_picture_is_enlarged_by_whole_pixels():
    checks = np.indices((28, 28)).sum(axis=0) % 2 * 255
    page = sheet({"digit": [checks.astype(np.uint8)]}, side=256)
    top, left, height, width = box(page, (255, 255, 255))
    assert (height, width) == (252, 252)
    assert (page[top : top + 9, left + 9 : left + 18] == 255).all()


def test_a_picture_above_half_the_side_is_left_as_it_is():
    assert box(sheet({"source": [flat(RED, 100, 150)]}, side=256), RED)[2:] == (100, 150)


def test_gray_color_and_every_depth_come_together():
    page = sheet(
        {
            "gray": [flat((255,))[:, :, 0]],
            "deep": [flat(RED).astype(np.uint16) * 257],
            "float": [flat(GREEN).astype(np.float32) / 255],
            "alpha": [np.dstack([flat(BLUE), flat((0,))])],
        },
        side=64,
    )
    for color in ((255, 255, 255), RED, GREEN, BLUE):
        assert box(page, color)[2:] == (64, 64)


def test_a_column_may_be_shorter_than_its_neighbour():
    page = sheet({"source": [flat(RED), flat(RED)], "target": [flat(GREEN)]}, side=64)
    assert box(page, GREEN)[2] == 64


def test_many_pictures_of_one_kind_go_into_a_square():
    page = sheet({"made": [flat(RED, 32, 32)] * 64}, side=32)
    assert 0.8 < page.shape[1] / page.shape[0] < 1.25


def test_names_of_any_script_and_length_are_drawn_within_the_sheet():
    names = ["Straße é.png", "東京 12.jpg", "x" * 500 + ".png", "line\nbreak\udce9.png", ""]
    pictures = [flat(RED)] * len(names)
    plain = sheet({"source": pictures}, side=64)
    page = sheet({"source": pictures}, captions=names, side=64)
    assert page.shape[1] == plain.shape[1]
    assert page.shape[0] > plain.shape[0]


def test_a_sheet_of_nothing_is_refused():
    with pytest.raises(ValueError, match="needs a picture"):
        sheet({"source": []})
