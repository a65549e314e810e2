import numpy as np
import pytest

from i2i.evaluation.copying import copying, nearest


def sample(count: int, seed: int = 0, dimension: int = 6, spread: float = 1.0) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, spread, (count, dimension))


def line(*values: float) -> np.ndarray:
    return np.array(values, float)[:, None]


def test_by_hand():
    # Training at 0, 10, 12; its pictures are 10, 2 and 2 from each other. Held out: 1 and 3 away.
    found = copying(line(0.5, 6, 12), line(1, 15), line(0, 10, 12))
    assert found.distances.tolist() == [0.5, 4, 0]
    assert found.nearest.tolist() == [0, 1, 2]
    assert found.nearer.tolist() == [1, 0, 1]
    assert found.copied.tolist() == [True, False, True]
    assert found.authentic.tolist() == [False, True, False]
    assert (found.usual, found.chance) == (2, 1 / 3)
    assert found.scores == {"copied": 2 / 3, "nearer": 2 / 3, "authentic": 1 / 3, "distance ratio": 0.25}


def test_ties_count_half():
    assert copying(line(1), line(1, 2, -1, 0.5), line(0, 50)).nearer.tolist() == [(1 + 2 / 2) / 4]


@pytest.mark.parametrize("noise", [0, 0.05])
def test_a_copy_of_the_training_set_is_caught(noise):
    training, held_out = sample(100), sample(60, 1)
    found = copying(training[:50] + sample(50, 2, spread=noise or 0), held_out, training).scores
    assert found["copied"] == found["nearer"] == 1
    assert found["authentic"] == 0
    assert found["distance ratio"] < 0.1


def test_half_a_copy_is_half_caught():
    training, held_out, others = sample(200), sample(200, 1), sample(100, 2)
    found = copying(np.concatenate([training[:100], others]), held_out, training).scores
    assert found["copied"] == pytest.approx(0.5 + 0.5 * 0.05, abs=0.03)
    assert found["nearer"] == pytest.approx(0.75, abs=0.03)


def test_new_pictures_of_the_same_kind_are_copied_as_often_as_chance_has_it():
    found = [copying(sample(20, 3 * at), sample(30, 3 * at + 1), sample(40, 3 * at + 2)) for at in range(200)]
    assert found[0].chance == 1 / 31
    copied, nearer = ([one.scores[name] for one in found] for name in ("copied", "nearer"))
    assert np.mean(copied) == pytest.approx(1 / 31, abs=4 * np.std(copied) / 200**0.5)
    assert np.mean(nearer) == pytest.approx(0.5, abs=4 * np.std(nearer) / 200**0.5)


def test_five_in_a_hundred_are_near():
    assert copying(sample(5), sample(99, 1), sample(9, 2)).chance == 0.05


def test_held_out_pictures_that_are_training_pictures_hide_no_copies():
    training = sample(40)
    found = copying(training[:20], np.concatenate([training[20:], sample(5, 1)]), training)
    assert found.copied.all()
    assert found.scores["distance ratio"] == 1


def test_the_nearest_of_many_are_found_part_by_part(monkeypatch):
    one, two = sample(30), sample(30, 1)
    whole, itself = nearest(one, two), nearest(one, one, apart=True)
    monkeypatch.setattr("i2i.evaluation.copying._TOGETHER", 7)
    for found, wanted in ((nearest(one, two), whole), (nearest(one, one, apart=True), itself)):
        assert np.array_equal(found[0], wanted[0])
        assert np.array_equal(found[1], wanted[1])
    assert (itself[0] > 0).all()
    assert (itself[1] != np.arange(30)).all()


def test_of_nothing_nothing_is_said():
    with pytest.raises(ValueError, match="pictures at least"):
        copying(sample(3), sample(3), sample(1))
