"""Scores of one lot of pictures beside a real one: whether it is copied, all alike or gridded, and what people ask for.

They are of any generator's pictures: the translator's, and what is made of noise.
"""

from collections.abc import Mapping, Sequence

from i2i.evaluation.classes import inception_score, modes
from i2i.evaluation.copying import Copying
from i2i.evaluation.features import Features
from i2i.evaluation.frechet import feature_matching, frechet
from i2i.evaluation.kid import kid
from i2i.evaluation.lots import Lot
from i2i.evaluation.manifold import f_score, manifold
from i2i.evaluation.scores import Array, Scores
from i2i.evaluation.sliced import patch_distances
from i2i.evaluation.spectrum import grid

_NOTHING = 1e-9


def checks(made: Lot, real: Lot, copied: Mapping[str, Copying]) -> Scores:
    """What was found of copying, by the name of the features; diversity and checkerboard.

    Diversity is the mean distance of two made pictures by that of two real ones: 0 is one picture over and over, 1 as
    different as real ones. checkerboard: as `grid`; left out where pictures are smaller than 32 pixels.
    """
    scores = {f"{name}/{key}": value for name, found in copied.items() for key, value in found.scores.items()}
    scores["diversity"] = made.apart() / max(real.apart(), _NOTHING)
    theirs = real.features
    for name, ours in made.features.items():
        scores[f"{name}/diversity"] = _apart(ours) / max(_apart(theirs[name]), _NOTHING)
    if made.spectrum and real.spectrum and made.has_spectrum and real.has_spectrum:
        scores["checkerboard"] = grid(made.spectrum, real.spectrum)
    return scores


def asked_for(made: Lot, real: Lot) -> Scores:
    """SWD by level, feature matching, F-score; of a classifier the Inception score and the classes that are made."""
    scores = patch_distances(made.patches, real.patches)
    theirs = real.features
    for name, ours in made.features.items():
        shares = manifold(theirs[name], ours)
        scores[f"{name}/feature matching"] = feature_matching(ours, theirs[name])
        scores[f"{name}/f-score"] = f_score(shares.precision, shares.recall)
    for name, probabilities in made.probabilities.items():
        counted = modes(probabilities)
        scores[f"{name}/inception score"] = inception_score(probabilities)
        scores[f"{name}/classes"] = counted.share
        scores[f"{name}/class entropy"] = counted.entropy
    return scores


def likeness(made: Lot, real: Lot) -> Scores:
    """KID and its error, FID, precision, recall and coverage."""
    return likeness_of(made.features, real.features)


def likeness_of(made: Mapping[str, Array], real: Mapping[str, Array]) -> Scores:
    """The same of features by their name. Shape: (N, D) and (M, D) each."""
    scores: Scores = {}
    for name, ours in made.items():
        distance, shares = kid(ours, real[name]), manifold(real[name], ours)
        found = {"kid": distance.value, "kid error": distance.error, "fid": frechet(ours, real[name])}
        scores |= {f"{name}/{key}": value for key, value in (found | shares._asdict()).items()}
    return scores


def titles(features: Sequence[Features]) -> tuple[dict[str, str], dict[str, str]]:
    """What `checks` and `asked_for` are called, in the order of a table; levels of SWD are the numbers they are."""
    own = {"copied": "copied", "nearer": "nearer to training", "distance ratio": "distance to training"}
    own |= {"authentic": "authentic", "diversity": "diversity"}
    asked = {"feature matching": "feature matching", "f-score": "F-score", "inception score": "Inception score"}
    asked |= {"classes": "classes made", "class entropy": "evenness of classes"}
    levels = {f"swd {1 << power}": f"SWD x 1000, {1 << power} px" for power in range(8, 3, -1)}
    first, second = (
        {f"{one.name}/{key}": f"{title} ({one.name})" for one in features for key, title in named.items()}
        for named in (own, asked)
    )
    first |= {"diversity": "diversity (pixels)", "checkerboard": "checkerboard"}
    return first, {"swd": "SWD x 1000"} | levels | second


def _apart(features: Array) -> float:
    """The mean distance of two pictures. Shape: (N, D), N of 2 at least."""
    from scipy.spatial.distance import pdist

    return float(pdist(features).mean())
