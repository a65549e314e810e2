"""Headers tell before training what would stop it in the middle."""

from pathlib import Path

import numpy as np
import pytest

from i2i import images
from i2i.data.folders import find_pairs
from i2i.data.opening import open_dataset
from i2i.data.preflight import check_pairs, check_pictures
from i2i.data.settings import DataSettings
from i2i.errors import DatasetError

NATIVE = DataSettings(size="32", resize="none")


def picture(path: Path, height: int, width: int) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    images.write(path, np.full((height, width, 3), 90, np.uint8))
    return path


def pairs(root: Path, sizes: list[tuple[tuple[int, int], tuple[int, int]]]) -> Path:
    for index, (a, b) in enumerate(sizes):
        picture(root / "train" / "A" / f"{index}.png", *a)
        picture(root / "train" / "B" / f"{index}.png", *b)
    return root


def test_a_pair_of_two_sizes_is_named_with_both_sizes_before_training(tmp_path: Path) -> None:
    root = pairs(tmp_path, [((40, 40), (40, 40))] * 3 + [((40, 40), (40, 44))])
    with pytest.raises(DatasetError, match=r"A/3\.png is 40 x 40 and .*B/3\.png is 44 x 40.*1 of 4 pairs"):
        open_dataset("pairs", root, NATIVE)


def test_the_last_picture_smaller_than_the_crop_is_named_before_training(tmp_path: Path) -> None:
    root = pairs(tmp_path, [((40, 40), (40, 40))] * 3 + [((31, 40), (31, 40))])
    with pytest.raises(DatasetError, match=r"A/3\.png \(40 x 31\): smaller than the crop of 32 x 32.*1 of 4"):
        open_dataset("pairs", root, NATIVE)


def test_a_resized_picture_is_never_too_small(tmp_path: Path) -> None:
    root = pairs(tmp_path, [((5, 7), (5, 7))])
    check_pairs(find_pairs(root).pairs, DataSettings(size="32", resize="square"))
    check_pictures([root / "train" / "A" / "0.png"], DataSettings(size="32", resize="short"))


def test_half_of_a_side_by_side_picture_counts(tmp_path: Path) -> None:
    picture(tmp_path / "train" / "0.png", 40, 62)
    with pytest.raises(DatasetError, match=r"\(31 x 40\)"):
        check_pairs(find_pairs(tmp_path).pairs, NATIVE)


def test_both_domains_are_looked_at(tmp_path: Path) -> None:
    picture(tmp_path / "trainA" / "0.png", 40, 40)
    picture(tmp_path / "trainB" / "0.png", 20, 40)
    with pytest.raises(DatasetError, match=r"trainB/0\.png \(40 x 20\)"):
        open_dataset("domains", tmp_path, NATIVE)


def test_an_unreadable_picture_is_left_to_its_turn(tmp_path: Path) -> None:
    broken = tmp_path / "0.png"
    broken.write_bytes(b"no picture")
    check_pictures([broken], NATIVE)
