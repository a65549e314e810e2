import math

import numpy as np
import pytest

from i2i.evaluation.classes import inception_score, modes
from i2i.evaluation.frechet import feature_matching, frechet
from i2i.evaluation.manifold import f_score

SURE = np.eye(4)


def test_sure_and_even_classes_score_their_number():
    assert inception_score(np.repeat(SURE, 5, 0)) == pytest.approx(4)
    assert inception_score(SURE[[0, 0, 1, 1]]) == pytest.approx(2)


def test_one_class_or_no_certainty_score_one():
    assert inception_score(SURE[[2, 2, 2]]) == pytest.approx(1)
    assert inception_score(np.full((6, 4), 0.25)) == pytest.approx(1)


def test_by_hand():
    probabilities = np.array([[0.9, 0.1], [0.3, 0.7]])
    terms = [p * math.log(p / q) for row in probabilities for p, q in zip(row, (0.6, 0.4), strict=True)]
    assert inception_score(probabilities) == pytest.approx(math.exp(sum(terms) / 2))


def test_modes_are_the_classes_that_a_picture_is_taken_for():
    assert modes(SURE) == (4, 1, pytest.approx(1))
    assert modes(SURE[[0, 0, 0]]) == (1, 0.25, 0)
    found = modes(np.array([[0.4, 0.3, 0.3], [0.1, 0.5, 0.4], [0.6, 0.2, 0.2]]))
    assert (found.found, found.share) == (2, pytest.approx(2 / 3))
    wanted = -(2 / 3 * math.log(2 / 3) + 1 / 3 * math.log(1 / 3)) / math.log(3)
    assert found.entropy == pytest.approx(wanted)


def test_feature_matching_is_the_first_term_of_fid_and_sees_no_spread():
    one = np.random.default_rng(0).normal(size=(50, 3))
    one -= one.mean(0)
    moved = one + np.array([3, 0, 4])
    assert feature_matching(one, moved) == pytest.approx(25)
    assert frechet(one, moved) == pytest.approx(25)
    assert feature_matching(one, 5 * one) == pytest.approx(0)


def test_the_f_score_is_the_harmonic_mean():
    assert f_score(0.5, 1) == pytest.approx(2 / 3)
    assert f_score(0, 1) == f_score(0, 0) == 0
