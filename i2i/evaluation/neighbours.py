"""The training picture that is nearest to each sample: what a generator has learnt by heart stands beside itself."""

from collections.abc import Callable, Sequence
from itertools import islice
from typing import NamedTuple

import numpy as np

from i2i.evaluation.features import Features
from i2i.evaluation.lots import represented
from i2i.evaluation.scores import Array

_TOGETHER = 64


class Neighbour(NamedTuple):
    """Which picture, and how far it is: the root mean square of 255 in pixels, or the distance of features."""

    place: int
    distance: float


def neighbours(
    made: Sequence[Array],
    reals: Sequence[Array],
    features: Features | None = None,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> list[Neighbour]:
    """Of each made picture the nearest real one: pixel by pixel, mirrored or not, or by `features`.

    Memory for a few dozen real pictures, however many there are. Shape: (H, W, C) uint8 each, of one size.
    """
    from scipy.spatial.distance import cdist

    def points(pictures: Sequence[Array]) -> Array:
        if features is not None:
            return represented(features, pictures)
        return np.stack([picture.reshape(-1) for picture in pictures]).astype(np.float32)

    ours = points(made)
    scale = 1.0 if features is not None else 1 / np.sqrt(ours.shape[1])
    best = [Neighbour(0, np.inf)] * len(made)
    ahead = iter(reals)
    done = 0
    while block := list(islice(ahead, _TOGETHER)):
        # Training mirrors pictures, which pixels notice and features hardly.
        found = cdist(ours, points(block))
        if features is None:
            found = np.minimum(found, cdist(ours, points([picture[:, ::-1] for picture in block])))
        for row, at in enumerate(found.argmin(1)):
            distance = float(found[row, at] * scale)
            if distance < best[row].distance:
                best[row] = Neighbour(done + int(at), distance)
        done += len(block)
        on_progress(done, len(reals))
    return best
