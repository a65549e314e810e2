"""What a classifier says of a lot of pictures: the Inception score, and how many of the classes are made at all."""

from typing import NamedTuple

import numpy as np

from i2i.evaluation.scores import Array


class Modes(NamedTuple):
    """Which classes a lot of pictures holds."""

    found: int
    """Classes that a picture at least is taken for."""
    share: float
    """Of all classes, those found, in [0, 1]."""
    entropy: float
    """Of the classes that pictures are taken for, by that of equally many of each: 1 is even, 0 is one class."""


def inception_score(probabilities: Array) -> float:
    """exp of the mean KL(p(y|x) || p(y)) (Salimans et al. 2016, arXiv 1606.03498), of all pictures in one lot.

    Between 1 and the number of classes: that, where each picture is surely of one class and classes are even. The
    paper's mean over ten parts is a lower number of the same pictures. Shape: (N, K), rows of sum 1.
    """
    mean = probabilities.mean(0)
    # 0 log 0 is 0.
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = np.where(probabilities > 0, probabilities * (np.log(probabilities) - np.log(mean)), 0.0)
    return float(np.exp(terms.sum(1).mean()))


def modes(probabilities: Array) -> Modes:
    """Count classes by what each picture is taken for, as VEEGAN counts modes (Srivastava et al. 2017).

    Shape: (N, K), 1 row at least, 2 classes at least.
    """
    classes = probabilities.shape[1]
    shares = np.bincount(probabilities.argmax(1), minlength=classes) / len(probabilities)
    there = shares[shares > 0]
    entropy = max(0.0, -float((there * np.log(there)).sum()))
    return Modes(len(there), len(there) / classes, entropy / float(np.log(classes)))
