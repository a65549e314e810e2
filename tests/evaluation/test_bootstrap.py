import numpy as np
import pytest

from i2i.evaluation import bootstrap


def test_the_interval_of_a_mean_is_that_of_its_standard_error():
    values = np.random.default_rng(5).normal(10, 2, 400)
    lower, upper = bootstrap.of_means([{"l1": float(value)} for value in values])["l1"]
    # Of so many normal values the percentile interval is the mean, 1.96 standard errors to either side.
    error = 1.96 * values.std() / 20
    assert (lower, upper) == pytest.approx((values.mean() - error, values.mean() + error), abs=0.02)


def test_it_is_the_same_every_time_and_draws_the_same_pictures_for_every_score():
    scores = [{"a": float(at), "b": float(2 * at)} for at in range(30)]
    one, two = bootstrap.of_means(scores), bootstrap.of_means(scores)
    assert one == two
    assert one["b"] == pytest.approx([2 * end for end in one["a"]])


def test_equal_pictures_do_not_stray_and_one_picture_says_nothing():
    assert bootstrap.of_means([{"l1": 3.0}] * 7)["l1"] == pytest.approx((3, 3))
    assert bootstrap.of_means([{"l1": 3.0}]) == {}
    assert bootstrap.of_sums(np.ones((1, 2)), lambda total: {"x": float(total.sum())}) == {}


def test_every_draw_has_as_many_pictures():
    assert np.array_equal(bootstrap.weights(9).sum(axis=1), np.full(bootstrap.DRAWS, 9))


def test_scores_of_sums_are_those_of_the_drawn_sums():
    # A share over all pixels of all pictures, of pictures of different sizes: no mean of the pictures' own shares.
    counts = np.array([[1.0, 1], [90, 100], [0, 9], [5, 10]])
    lower, upper = bootstrap.of_sums(counts, lambda total: {"share": float(total[0] / total[1])})["share"]
    drawn = bootstrap.weights(4) @ counts
    assert [lower, upper] == pytest.approx(np.percentile(drawn[:, 0] / drawn[:, 1], [2.5, 97.5]))
    assert lower < 96 / 120 < upper
