"""Scores of a translator that people can trust, each beside what needs no learning and what real pictures get.

`measuring` decides between `pairs`, compared with the truth, and `domains`, compared as a distribution: by `kid`,
`frechet` and `manifold` on `features` that need no download (calibrated on `leaves`), and by the `structure` they keep.
"""

from i2i.evaluation.features import Features, RandomFeatures, random_features
from i2i.evaluation.measuring import Kind, evaluate, measure
from i2i.evaluation.pairs import compare
from i2i.evaluation.scores import LOWER, NAMES, Evaluation

__all__ = [
    "LOWER",
    "NAMES",
    "Evaluation",
    "Features",
    "Kind",
    "RandomFeatures",
    "compare",
    "evaluate",
    "measure",
    "random_features",
]
