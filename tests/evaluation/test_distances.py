import math

import numpy as np
import pytest

from i2i.evaluation.frechet import frechet
from i2i.evaluation.kid import SUBSET, discrepancy, kernel, kid
from i2i.evaluation.manifold import manifold


def sample(count, dimension=8, seed=0, shift=0.0, spread=1.0):
    return np.random.default_rng(seed).normal(shift, spread, (count, dimension))


# ------------------------------------------------------------------------------------------------------------------ KID


def test_kid_by_hand():
    # One dimension, k(a, b) = (a b + 1)^3; within: k(0, 1) = 1 and k(2, 3) = 343; between: 1, 1, 27, 64.
    one, two = np.array([[0.0], [1.0]]), np.array([[2.0], [3.0]])
    assert discrepancy(one, two) == pytest.approx(1 + 343 - 2 * (1 + 1 + 27 + 64) / 4)
    assert kernel(one, two).tolist() == [[1, 1], [27, 64]]


def test_of_one_distribution_kid_is_nothing_on_average_and_may_be_less():
    values = [discrepancy(sample(20, seed=2 * seed), sample(20, seed=2 * seed + 1)) for seed in range(200)]
    assert min(values) < 0
    assert abs(np.mean(values)) < 3 * np.std(values) / math.sqrt(len(values))


def test_kid_grows_with_a_shift_and_with_a_spread():
    one = sample(100)
    shifted = [kid(one, sample(100, seed=1, shift=shift)).value for shift in (0, 0.3, 0.6, 1.2)]
    assert shifted == sorted(shifted)
    assert kid(one, sample(100, seed=1, spread=2)).value > 5 * abs(shifted[0])


def test_the_error_is_how_far_kid_strays():
    found = [kid(sample(40, seed=2 * seed), sample(60, seed=2 * seed + 1, shift=0.5)) for seed in range(60)]
    values, errors = np.array(found).T
    assert np.median(errors) == pytest.approx(values.std(), rel=0.4)


def test_of_many_pictures_subsets_are_compared(monkeypatch):
    one, two = sample(300), sample(400, seed=1, shift=0.4)
    whole = kid(one, two)
    monkeypatch.setattr("i2i.evaluation.kid.SUBSET", 100)
    parts = kid(one, two)
    assert parts.value != whole.value
    assert parts.value == pytest.approx(whole.value, rel=0.1)
    assert parts.error == pytest.approx(whole.error, rel=0.3), "of all pictures, though quarters stray further"
    assert SUBSET == 1000


def test_kid_of_hardly_any_pictures_is_refused():
    with pytest.raises(ValueError, match="4 pictures"):
        kid(sample(3), sample(10))


# ------------------------------------------------------------------------------------------------------------------ FID


def gaussian(count, mean, covariance, seed=0):
    """A sample whose mean and covariance are exactly those."""
    draw = np.random.default_rng(seed).normal(size=(count, len(mean)))
    draw -= draw.mean(0)
    draw = draw @ np.linalg.inv(np.linalg.cholesky(np.cov(draw.T))).T
    return draw @ np.linalg.cholesky(covariance).T + mean


@pytest.mark.parametrize("count", [3, 50])
def test_frechet_of_two_gaussians_is_the_formula(count):
    from scipy.linalg import sqrtm

    c1, c2 = np.array([[2.0, 0.5], [0.5, 1.0]]), np.array([[1.0, -0.3], [-0.3, 3.0]])
    m1, m2 = np.array([0.0, 1.0]), np.array([2.0, -1.0])
    wanted = 8 + np.trace(c1 + c2 - 2 * np.real(sqrtm(c1 @ c2)))
    assert frechet(gaussian(count, m1, c1), gaussian(count + 9, m2, c2, 1)) == pytest.approx(wanted)


def test_frechet_of_diagonal_gaussians_is_that_of_their_deviations():
    one, two = gaussian(9, np.zeros(3), np.diag([1.0, 4, 9])), gaussian(9, np.zeros(3), np.diag([4.0, 4, 1]))
    assert frechet(one, two) == pytest.approx(1 + 0 + 4)


def test_frechet_of_fewer_pictures_than_dimensions():
    one = sample(5, 40)
    assert frechet(one, one) == pytest.approx(0, abs=1e-9)
    assert frechet(one, one + 2) == pytest.approx(160)


def test_frechet_is_biased_by_few_pictures():
    few, many = (frechet(sample(count, 20), sample(count, 20, seed=1)) for count in (30, 1000))
    assert few > 5 * many


# ------------------------------------------------------------------------------------------------- precision and so on


def test_equal_sets_are_covered_and_distant_ones_are_not():
    one = sample(30)
    assert manifold(one, one) == (1, 1, 1)
    assert manifold(one, one + 100) == (0, 0, 0)


def test_half_of_the_modes_are_precise_and_cover_half():
    one = np.concatenate([sample(20), sample(20, seed=1) + 100])
    found = manifold(one, sample(20, seed=2))
    assert found.precision > 0.8
    assert found.recall <= 0.5
    assert found.coverage <= 0.5
    assert manifold(sample(20, seed=2), one).precision <= 0.5


def test_one_picture_over_and_over_is_precise_and_covers_little():
    one = sample(60)
    found = manifold(one, one[:1].repeat(60, 0))
    assert found.precision == 1
    assert found.recall < 0.1
    assert found.coverage < 0.5


def test_the_third_neighbour_decides_on_precision_and_the_fifth_on_coverage():
    real = np.arange(10.0)[:, None]  # the k-th neighbour of either end is k away
    assert manifold(real, np.array([[-4.5], [14.5]])).coverage == 1 / 10  # of 0, and not of 9, which is 5.5 away
    assert manifold(real, np.array([[-2.5], [12.5]])).precision == 1 / 2
    assert manifold(np.array([[-2.5], [12.5]]), real).recall == 1 / 2


def test_two_pictures_have_a_manifold():
    assert manifold(sample(2), sample(2)) == (1, 1, 1)
