"""What trials are scored on, and by what."""

import math
from pathlib import Path
from typing import Any

import pytest

from i2i import images
from i2i.data import day2night
from i2i.data.day2night import draw
from i2i.errors import DatasetError, SettingsError
from i2i.experiment import change
from i2i.recipes import RECIPES
from i2i.tuning.held_out import HeldOut, best_error, held_out, mean_error


def test_a_look_of_pairs_is_their_l1_and_of_two_domains_the_mean_of_both_directions() -> None:
    assert mean_error({"step": 4, "l1": 0.25, "best_step": 2}) == 0.25
    look = {
        "step": 4,
        "AtoB/error": 0.5,
        "AtoB/kid": 9.0,
        "AtoB/structure": 0.1,
        "BtoA/error": 0.7,
        "BtoA/best_step": 4,
    }
    assert mean_error(look) == pytest.approx(0.6)
    assert mean_error({}) is None


def test_the_best_of_a_run_has_the_lowest_of_each_direction() -> None:
    looks = [
        {"validation": {"AtoB/error": 0.5, "BtoA/error": 0.9}},
        {"losses": {}},
        {"validation": {"AtoB/error": 0.8, "BtoA/error": 0.3}},
        {"validation": {"AtoB/error": math.nan, "BtoA/error": math.inf}},
    ]
    assert best_error(looks) == pytest.approx(0.4)
    assert best_error([{"validation": {"l1": math.nan}}, {"losses": {}}]) is None


@pytest.mark.parametrize(
    ("counts", "pictures", "split", "untouched"),
    [
        ({"val": 3, "test": 2}, 3, "val", True),
        ({"val": 3, "test": 0}, 3, "val", False),
        ({"val": 0, "test": 2}, 2, "test", False),
        ({"val": 0, "test": 0}, 1, "train", False),
    ],
)
def test_whose_pictures_choose(
    tmp_path: Path, counts: dict[str, Any], pictures: int, split: str, untouched: bool
) -> None:
    data = day2night.write(tmp_path / "data", train=6, size=(16, 16), **counts)
    for name, count in counts.items():
        if not count:
            for side in "AB":
                (data / name / side).rmdir()
            (data / name).rmdir()
    base = change(RECIPES["pix2pix"], {"data": {"size": "16"}})
    assert held_out(base, data) == HeldOut("l1", pictures, split, untouched)


def test_domains_are_compared_by_their_error_and_too_few_are_not(tmp_path: Path) -> None:
    base = change(RECIPES["cyclegan"], {"data": {"size": "16"}})
    enough = day2night.write(tmp_path / "enough", train=3, val=0, test=8, size=(16, 16))
    assert held_out(base, enough) == HeldOut("error", 8, "test", False)
    few = day2night.write(tmp_path / "few", train=3, val=0, test=7, size=(16, 16))
    with pytest.raises(DatasetError, match=r"nothing to compare trials by: .*too few"):
        held_out(base, few)


def test_nothing_held_out_and_pictures_from_noise_have_no_score(tmp_path: Path) -> None:
    data = day2night.write(tmp_path / "data", train=4, val=0, test=0, size=(16, 16))
    base = change(RECIPES["pix2pix"], {"data": {"size": "16", "holdout": 0}})
    with pytest.raises(DatasetError, match="nothing to compare trials by: no pictures are held out"):
        held_out(base, data)
    (tmp_path / "pictures").mkdir()
    images.write(tmp_path / "pictures" / "1.png", draw(0, (64, 64))[0])
    with pytest.raises(SettingsError, match="dcgan: cannot be tuned"):
        held_out(RECIPES["dcgan"], tmp_path / "pictures")
