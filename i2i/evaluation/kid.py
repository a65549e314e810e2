"""KID: how far two samples of features are apart, without bias (Binkowski et al. 2018, arXiv 1801.01401)."""

import math
from typing import NamedTuple

import numpy as np

from i2i.evaluation.scores import Array

SUBSET = 1000
"""Pictures of a sample, at most, that are compared at once."""
SUBSETS = 100


class Distance(NamedTuple):
    """A distance and its standard error."""

    value: float
    error: float


def kernel(one: Array, two: Array) -> Array:
    """(x . y / D + 1)^3, as in the paper. Shape: (N, D), (M, D) -> (N, M)."""
    return (one @ two.T / one.shape[1] + 1) ** 3


def kid(one: Array, two: Array) -> Distance:
    """The squared maximum mean discrepancy, its unbiased estimate; about 0, or less, for samples of one distribution.

    Of samples of up to twice SUBSET pictures the complete estimate, which is the mean over all subsets; of larger ones
    the mean over SUBSETS random subsets. Its error is the delete-half jackknife (Shao & Wu 1989), over as many.
    Shape: (N, D) and (M, D), 4 rows at least. Raises ValueError for fewer.
    """
    if min(len(one), len(two)) < 4:
        raise ValueError(f"KID needs 4 pictures on either side, not {len(one)} and {len(two)}")
    draw = np.random.default_rng(0)
    share = min(0.5, SUBSET / max(len(one), len(two)))
    n, m = (max(2, round(share * len(sample))) for sample in (one, two))
    # What fits is computed once, and subsets are cut out of it.
    whole = (kernel(one, one), kernel(two, two), kernel(one, two)) if share == 0.5 else None
    values = []
    for _ in range(SUBSETS):
        i, j = draw.choice(len(one), n, replace=False), draw.choice(len(two), m, replace=False)
        if whole:
            xx, yy, xy = whole
            values.append(_discrepancy(xx[np.ix_(i, i)], yy[np.ix_(j, j)], xy[np.ix_(i, j)]))
        else:
            values.append(discrepancy(one[i], two[j]))
    value = _discrepancy(*whole) if whole else float(np.mean(values))
    return Distance(value, float(np.std(values)) * math.sqrt(share / (1 - share)))


def discrepancy(one: Array, two: Array) -> float:
    """The complete unbiased estimate alone. Shape: (N, D) and (M, D), 2 rows at least -> a number."""
    return _discrepancy(kernel(one, one), kernel(two, two), kernel(one, two))


def _discrepancy(xx: Array, yy: Array, xy: Array) -> float:
    """The unbiased estimate of Gretton et al. 2012, of samples of different sizes."""
    n, m = xy.shape
    return float((xx.sum() - xx.trace()) / (n * (n - 1)) + (yy.sum() - yy.trace()) / (m * (m - 1)) - 2 * xy.mean())
