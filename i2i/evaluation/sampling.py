"""A lot of pictures, whoever made it, scored beside a real one: for generators that have no input to keep."""

from collections.abc import Iterable, Sequence
from itertools import islice

import numpy as np

from i2i.errors import DatasetError
from i2i.evaluation.copying import copying
from i2i.evaluation.features import Features
from i2i.evaluation.lot_scores import asked_for, checks, likeness
from i2i.evaluation.lots import LEAST, Lot, represented
from i2i.evaluation.scores import Array, Scores

_TOGETHER = 32


def score_pictures(
    made: Sequence[Array],
    reals: Sequence[Array],
    features: Features | Sequence[Features],
    training: Iterable[Array] = (),
) -> Scores:
    """All scores that need no input: likeness, diversity, checkerboard, what is asked for, and copying of `training`.

    `training` are the pictures that the generator learnt from, none of them among `reals`; fewer than LEAST are not
    looked at. Inception score and classes are there where the features classify. Names begin with the features' where
    they rest on them. Bring pictures to one size before. Shape: (H, W, 1 or 3) uint8, uint16 or float32 in [0, 1] each.
    Raises DatasetError for fewer than LEAST of either.
    """
    if min(len(made), len(reals)) < LEAST:
        raise DatasetError(
            f"{len(made)} made and {len(reals)} real pictures are too few for scores of a distribution, which need "
            f"{LEAST} of each. Make or add more."
        )
    asked = list(features) if isinstance(features, Sequence) else [features]
    side = min(reals[0].shape[:2])
    ours, theirs = (Lot(asked, side, len(pictures)) for pictures in (made, reals))
    for lot, pictures in ((ours, made), (theirs, reals)):
        for batch in _batches(pictures):
            lot.add(batch)
    learnt: dict[str, list[Array]] = {one.name: [] for one in asked}
    count = 0
    for batch in _batches(training):
        count += len(batch)
        for one in asked:
            learnt[one.name].append(represented(one, batch))
    mine, real = ours.features, theirs.features
    known = {name: np.concatenate(parts) for name, parts in learnt.items()} if count >= LEAST else {}
    copied = {name: copying(mine[name], real[name], found) for name, found in known.items()}
    return likeness(ours, theirs) | checks(ours, theirs, copied) | asked_for(ours, theirs)


def _batches(pictures: Iterable[Array]) -> Iterable[list[Array]]:
    ahead = iter(pictures)
    while group := list(islice(ahead, _TOGETHER)):
        yield group
