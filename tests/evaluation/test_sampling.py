import numpy as np
import pytest
import torch

from i2i.data.day2night import draw
from i2i.errors import DatasetError
from i2i.evaluation import random_features, score_pictures
from i2i.evaluation.lots import Lot


@pytest.fixture(scope="module")
def nights():
    return [draw(seed, (64, 64))[1] for seed in range(36)]


class Levels:
    """A point a picture, its mean colour; and two classes, dark and bright."""

    name, hash, dimension = "levels", "0" * 64, 3

    def __call__(self, pictures):
        values = pictures.float() / 127.5 - 1 if pictures.dtype == torch.uint8 else pictures
        return values.expand(-1, 3, -1, -1).mean((2, 3)).float()

    def probabilities(self, pictures):
        bright = (self(pictures).mean(1) > 0).float()
        return torch.stack([1 - bright, bright], 1)


def test_real_pictures_score_as_real_ones(nights):
    found = score_pictures(nights[:12], nights[12:24], random_features(), nights[24:])
    assert abs(found["random128/kid"]) < 0.2
    assert found["diversity"] == pytest.approx(1, abs=0.25)
    assert found["random128/diversity"] == pytest.approx(1, abs=0.25)
    assert found["checkerboard"] < 3
    assert found["random128/copied"] < 0.3
    assert not any(name.endswith(("inception score", "classes")) for name in found)
    assert all(type(value) is float and np.isfinite(value) for value in found.values())


def test_a_copy_of_the_training_set_is_caught(nights):
    found = score_pictures(nights[24:], nights[12:24], random_features(), iter(nights[24:]))
    assert found["random128/copied"] == found["random128/nearer"] == 1
    assert found["random128/authentic"] == found["random128/distance ratio"] == 0


def test_one_picture_over_and_over_has_no_diversity(nights):
    found = score_pictures([nights[0]] * 12, nights[12:24], random_features())
    assert found["diversity"] == 0
    assert found["random128/diversity"] == pytest.approx(0, abs=1e-4)
    assert not any("copied" in name for name in found)


def test_a_planted_grid_raises_the_checkerboard(nights):
    y, x = np.indices((64, 64))
    board = ((y // 2 + x // 2) % 2 * 12).astype(np.uint8)[..., None]
    plain, gridded = (
        score_pictures(made, nights[12:24], Levels())["checkerboard"]
        for made in (nights[:12], [one // 2 + board for one in nights[:12]])
    )
    assert gridded > 2 * plain


def test_features_that_classify_bring_the_scores_of_classes(nights):
    dark, bright = np.zeros((32, 32, 3), np.uint8), np.full((32, 32, 3), 250, np.uint8)
    reals = [dark, bright] * 6
    both, one = (score_pictures(made, reals, Levels()) for made in (reals, [dark] * 12))
    names = [f"levels/{name}" for name in ("inception score", "classes", "class entropy")]
    assert [both[name] for name in names] == pytest.approx([2, 1, 1])
    assert [one[name] for name in names] == pytest.approx([1, 0.5, 0])


def test_several_features_each_have_their_say(nights):
    found = score_pictures(nights[:12], nights[12:24], [Levels(), random_features()], nights[24:])
    for name in ("kid", "copied", "f-score", "feature matching", "diversity"):
        assert {f"levels/{name}", f"random128/{name}"} <= found.keys()


def test_the_f_score_is_of_precision_and_recall(nights):
    made = [nights[at % 2] for at in range(12)]
    found = score_pictures(made, [*made[:2], *nights[12:24]], Levels())
    precision, recall = found["levels/precision"], found["levels/recall"]
    assert 0 < recall < precision
    assert found["levels/f-score"] == pytest.approx(2 * precision * recall / (precision + recall))


def test_too_few_are_refused(nights):
    with pytest.raises(DatasetError, match="9 made and 12 real"):
        score_pictures(nights[:9], nights[:12], Levels())


def test_two_lots_are_one_whatever_is_known_of_them(nights):
    def lot(pictures, found=None):
        made = Lot([Levels()], 64, 12)
        made.add(pictures, found)
        return made

    whole, first, second = lot(nights[:12]), lot(nights[:7]), lot(nights[7:12])
    first.extend(second)
    assert len(first) == 12
    assert np.array_equal(first.features["levels"], whole.features["levels"])
    assert np.array_equal(first.probabilities["levels"], whole.probabilities["levels"])
    assert first.apart() == whole.apart()
    assert first.spectrum is not None
    assert whole.spectrum is not None
    assert np.allclose(first.spectrum.power, whole.spectrum.power)
    assert len(first.patches.of(16)) == len(whole.patches.of(16))
    points = np.zeros((12, 3))
    assert lot(nights[:12], {"levels": points}).features["levels"] is not points
    assert not lot(nights[:12], {"levels": points}).features["levels"].any()


def test_small_pictures_have_no_spectrum():
    small = [np.full((16, 16, 3), 10 * at, np.uint8) for at in range(12)]
    assert "checkerboard" not in score_pictures(small, small, Levels())
