"""How far a score would stray if other pictures of the same kind had been scored: the percentile bootstrap.

Efron & Tibshirani 1993, "An Introduction to the Bootstrap", Sec. 13.3. It answers for the draw of the test pictures
alone: another seed of training strays as well, which only several runs can show.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from i2i.evaluation.scores import Array, Interval, Intervals, Scores

DRAWS = 2000
COVERAGE = 0.95
"""Share of the draws that lie between the two ends."""
_SEED = 0


def weights(pictures: int) -> Array:
    """How often each picture is drawn: the same every time, so that rows are compared on the same draws.

    Shape: -> (DRAWS, pictures) float64 whose rows have the sum `pictures`.
    """
    draw = np.random.default_rng(_SEED)
    return draw.multinomial(pictures, np.full(pictures, 1 / pictures), DRAWS).astype(np.float64)


def of_means(scores: Sequence[Mapping[str, float]]) -> Intervals:
    """Intervals of the means over pictures, score by score; none for fewer than 2 pictures."""
    if len(scores) < 2:
        return {}
    drawn = weights(len(scores)) / len(scores)
    names = list(scores[0])
    found = drawn @ np.array([[score[name] for name in names] for score in scores], np.float64)
    return dict(zip(names, _ends(found), strict=True))


def of_sums(counts: Array, scored: Callable[[Array], Scores]) -> Intervals:
    """Intervals of scores that are made of sums over pictures, as IoU is; none for fewer than 2 pictures.

    Shape: counts (N, ...), of which `scored` takes a sum over N.
    """
    if len(counts) < 2:
        return {}
    sums = np.tensordot(weights(len(counts)), counts, axes=1)
    each = [scored(one) for one in sums]
    names = list(each[0])
    found = np.array([[score[name] for name in names] for score in each], np.float64)
    return dict(zip(names, _ends(found), strict=True))


def _ends(found: Array) -> list[Interval]:
    """Shape: (DRAWS, scores) -> for each score its lower and its upper end."""
    tail = 50 * (1 - COVERAGE)
    lower, upper = np.percentile(found, [tail, 100 - tail], axis=0)
    return [(float(one), float(two)) for one, two in zip(lower, upper, strict=True)]
