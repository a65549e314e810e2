"""Precision and recall (Kynkaanniemi et al. 2019, arXiv 1904.06991) and coverage (Naeem et al. 2020, arXiv 2002.09797).

Density is left out: it rises when a generator makes but a few pictures.
"""

from typing import NamedTuple

import numpy as np

from i2i.evaluation.scores import Array

NEIGHBOURS = 3
"""The neighbour whose distance is a picture's radius, for precision and recall as in their paper."""
NEIGHBOURS_COVERAGE = 5


class Manifold(NamedTuple):
    """Shares of pictures, each in [0, 1]."""

    precision: float
    """Made pictures within the radius of a real one: whether what is made looks real."""
    recall: float
    """Real pictures within the radius of a made one; one stray picture has a large radius."""
    coverage: float
    """Real pictures that have a made one within their own radius: whether everything real is made."""


def manifold(real: Array, made: Array) -> Manifold:
    """Shape: (N, D) and (M, D); a radius is that of the last neighbour where there are few."""
    between = _distances(real, made)
    of_real, of_made = (np.sort(_distances(sample, sample), axis=1) for sample in (real, made))

    def radius(distances: Array, neighbours: int) -> Array:
        return distances[:, min(neighbours, len(distances) - 1)]  # the first is the picture itself

    return Manifold(
        precision=float((between <= radius(of_real, NEIGHBOURS)[:, None]).any(0).mean()),
        recall=float((between <= radius(of_made, NEIGHBOURS)).any(1).mean()),
        coverage=float((between.min(1) <= radius(of_real, NEIGHBOURS_COVERAGE)).mean()),
    )


def f_score(precision: float, recall: float) -> float:
    """The harmonic mean of both, 0 where both are 0: near the smaller one."""
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def _distances(one: Array, two: Array) -> Array:
    from scipy.spatial.distance import cdist

    return cdist(one, two)
