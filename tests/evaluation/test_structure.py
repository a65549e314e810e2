import numpy as np
import pytest

from i2i.data.day2night import draw
from i2i.evaluation.structure import SIDE, kept, normalised


def street(seed=0, night=False):
    return draw(seed, (96, 128))[int(night)]


def both(one, two):
    return kept(normalised(one), normalised(two))


def test_a_copy_keeps_everything():
    assert both(street(), street()) == pytest.approx((1, 1), abs=1e-6)
    assert normalised(street()).shape == (SIDE, SIDE)


@pytest.mark.parametrize("change", [lambda x: 0.3 * x, lambda x: 0.5 * x + 0.4, lambda x: x / 2 + 0.01])
def test_gain_and_offset_change_nothing(change):
    picture = street() / np.float32(255)
    assert both(picture, change(picture).astype(np.float32)) == pytest.approx((1, 1), abs=1e-3)


def test_colour_changes_nothing():
    grey = street().mean(2, keepdims=True).astype(np.float32) / 255
    tinted = grey * np.array([1.0, 0.6, 0.3], np.float32)
    assert both(grey, tinted) == pytest.approx((1, 1), abs=1e-3)


def test_edges_do_not_mind_which_side_is_brighter_and_light_does():
    picture = street()
    ssim, orientation = both(picture, 255 - picture)
    assert orientation == pytest.approx(1, abs=1e-3)
    assert ssim < 0


@pytest.mark.parametrize("name", ["shifted", "mirrored", "shuffled", "another"])
def test_what_is_elsewhere_is_lost(name):
    picture = street()
    rows = np.random.default_rng(0).permutation(len(picture))
    others = {
        "shifted": np.roll(picture, 12, 1),
        "mirrored": picture[:, ::-1],
        "shuffled": picture[rows],
        "another": street(1),
    }
    ssim, orientation = both(picture, others[name])
    assert ssim < 0.75
    assert orientation < 0.75


def test_a_street_by_night_keeps_more_than_another_street():
    same = [both(street(seed), street(seed, night=True)) for seed in range(6)]
    other = [both(street(seed), street(seed + 1, night=True)) for seed in range(6)]
    assert np.mean([one.orientation for one in same]) > np.mean([one.orientation for one in other]) + 0.1


def test_flat_pictures_have_no_structure():
    flat = np.full((20, 20, 3), 90, np.uint8)
    assert both(flat, street()).orientation == 0
    assert np.isfinite(both(flat, flat)).all()
