"""FID: the Frechet distance of two Gaussians fitted to features (Heusel et al. 2017, arXiv 1706.08500)."""

import numpy as np

from i2i.evaluation.scores import Array


def frechet(one: Array, two: Array) -> float:
    """|m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2)); 0 for equal samples.

    Biased upwards, and the more the fewer pictures there are (Chong & Forsyth 2020, arXiv 1911.07023): of one
    distribution two samples of 100 are far apart. Compare only numbers of equally many pictures, and see KID first.
    Shape: (N, D) and (M, D), 2 rows at least.
    """
    difference = one.mean(0) - two.mean(0)
    # The root of C1 C2 has the singular values of A B^T for its eigenvalues, where C1 = A^T A and C2 = B^T B. Of few
    # pictures that is exact where the root of a D x D matrix without full rank is not.
    a, b = _root_of_covariance(one), _root_of_covariance(two)
    root = np.linalg.svd(a @ b.T, compute_uv=False).sum()
    return float(max(0.0, difference @ difference + (a * a).sum() + (b * b).sum() - 2 * root))


def feature_matching(one: Array, two: Array) -> float:
    """|m1 - m2|^2, the distance of the mean features (Salimans et al. 2016, arXiv 1606.03498, Sec. 3.1).

    The first of FID's terms: 0 for lots of one mean, however differently they spread. Shape: (N, D) and (M, D).
    """
    difference = one.mean(0) - two.mean(0)
    return float(difference @ difference)


def _root_of_covariance(sample: Array) -> Array:
    """A, of which A^T A is the covariance, with no more rows than columns."""
    centred: Array = (sample - sample.mean(0)) / np.sqrt(len(sample) - 1)
    return centred if len(centred) <= centred.shape[1] else np.asarray(np.linalg.qr(centred, mode="r"))
