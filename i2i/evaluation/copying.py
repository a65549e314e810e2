"""Whether a model paints what it has memorised: how near its pictures come to those that it was trained on.

A real picture that training never saw has a nearest training picture too, so distances say something only beside its:
the rank test of Meehan, Chaudhuri & Dasgupta 2020 (arXiv 2004.05675), and authenticity of Alaa et al. 2022 (arXiv
2102.08921), which compares each training picture's copy with that picture's own neighbourhood.
"""

import dataclasses

import numpy as np

from i2i.evaluation.scores import Array, Scores

NEAR = 0.05
"""Share of the held-out pictures, nearest to training, beyond which nearness counts as a copy."""
_TOGETHER = 1000


@dataclasses.dataclass(frozen=True, slots=True)
class Copying:
    """What is known of each of N pictures beside M real ones that training never saw."""

    distances: Array
    """To the nearest training picture. Shape: (N,)."""
    nearest: Array
    """The index of that one. Shape: (N,)."""
    copied: Array
    """Whether it is as near as only the nearest NEAR of the held-out ones are. Shape: (N,) bool."""
    nearer: Array
    """Share of the held-out pictures that are farther from training, ties counting half. Shape: (N,)."""
    authentic: Array
    """Whether its training picture has another training picture nearer than it. Shape: (N,) bool."""
    usual: float
    """The median distance of the held-out ones."""
    chance: float
    """Share of `copied` that pictures drawn like the held-out ones have on average."""

    @property
    def scores(self) -> Scores:
        """Means over pictures, and the ratio of the median distances."""
        ratio = float(np.median(self.distances)) / self.usual if self.usual else 1.0
        means = {name: float(np.mean(getattr(self, name))) for name in ("copied", "nearer", "authentic")}
        return means | {"distance ratio": ratio}

    @property
    def each(self) -> list[Scores]:
        """Of each picture, the scores that are means."""
        columns = zip(self.copied, self.nearer, self.authentic, strict=True)
        return [{"copied": float(a), "nearer": float(b), "authentic": float(c)} for a, b, c in columns]


def copying(made: Array, held_out: Array, training: Array) -> Copying:
    """Compare distances to the nearest training picture.

    Shape: (N, D), (M, D) and (K, D) features; N and M 1 at least, K 2. Raises ValueError for fewer.
    """
    if not len(made) or not len(held_out) or len(training) < 2:
        counts = len(made), len(held_out), len(training)
        raise ValueError(f"copies are sought among 1, 1 and 2 pictures at least, not {counts}")
    distances, at = nearest(made, training)
    real = np.sort(nearest(held_out, training)[0])
    own, _ = nearest(training, training, apart=True)
    # Of an exchangeable picture and M others it is among the nearest k of them with the chance k / (M + 1), exactly.
    k = max(1, int(NEAR * (len(real) + 1)))
    farther = len(real) - np.searchsorted(real, distances, side="right")
    alike = np.searchsorted(real, distances, side="right") - np.searchsorted(real, distances, side="left")
    return Copying(
        distances=distances,
        nearest=at,
        copied=distances <= real[k - 1],
        nearer=(farther + alike / 2) / len(real),
        authentic=distances > own[at],
        usual=float(np.median(real)),
        chance=k / (len(real) + 1),
    )


def nearest(sample: Array, others: Array, *, apart: bool = False) -> tuple[Array, Array]:
    """Distance to the nearest of the others, and which that is; `apart`: where both are one sample, not itself.

    Shape: (N, D), (K, D) -> (N,) float64, (N,) int64. Memory for 1000 x K distances.
    """
    from scipy.spatial.distance import cdist

    distances, at = np.empty(len(sample)), np.empty(len(sample), np.int64)
    for first in range(0, len(sample), _TOGETHER):
        part = slice(first, first + _TOGETHER)
        found = cdist(sample[part], others)
        if apart:
            rows = np.arange(len(found))
            found[rows, first + rows] = np.inf
        at[part] = found.argmin(1)
        distances[part] = found.min(1)
    return distances, at
