"""Scores of a translator that people can trust, each beside what needs no learning and what real pictures get.

`measuring` decides between `pairs`, compared with the truth, and `domains`, compared as a distribution: by `kid`,
`frechet` and `manifold` on `features` that need no download (calibrated on `leaves`), and by the `structure` they keep.
`own_features` learn from the user's pictures, `weights` reads networks that the user has, `lpips` among them, and
`agreement` says what all features together say.
`segmentation` asks what a segmenter recognises in translations of label maps, `bootstrap` how far scores stray,
`choosing` by which rule the weights were chosen; `several` puts runs side by side. `checking` looks at all translations
together: `copying` of the training pictures, diversity, the `spectrum` of grids, `sliced` distances and `classes`;
`samples` measures generators from noise, and `sample_classes` which classes they make; `sampling` scores pictures that
have no input, `neighbours` puts those that are nearest beside them.
"""

from i2i.evaluation.asked_features import Asked, own_features_for, random_features_for
from i2i.evaluation.features import Classifies, Features, RandomFeatures, random_features
from i2i.evaluation.leaving import publish_several
from i2i.evaluation.measuring import Kind, evaluate, measure
from i2i.evaluation.own_features import OwnFeatures, own_features
from i2i.evaluation.pairs import compare
from i2i.evaluation.samples import measure_samples
from i2i.evaluation.sampling import score_pictures
from i2i.evaluation.scores import LOWER, NAMES, Evaluation
from i2i.evaluation.segmentation import Judge, judge_for
from i2i.evaluation.several import Several, measured_together
from i2i.evaluation.weights import Given, read_weights

__all__ = [
    "LOWER",
    "NAMES",
    "Asked",
    "Classifies",
    "Evaluation",
    "Features",
    "Given",
    "Judge",
    "Kind",
    "OwnFeatures",
    "RandomFeatures",
    "Several",
    "compare",
    "evaluate",
    "judge_for",
    "measure",
    "measure_samples",
    "measured_together",
    "own_features",
    "own_features_for",
    "publish_several",
    "random_features",
    "random_features_for",
    "read_weights",
    "score_pictures",
]
