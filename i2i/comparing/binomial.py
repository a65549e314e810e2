"""How sure a share of votes is."""

import math
from collections.abc import Callable


def exact_interval(hits: int, trials: int, coverage: float = 0.95) -> tuple[float, float]:
    """The interval of a share (Clopper & Pearson 1934), which holds for few votes as well; (0, 1) for none.

    It is without a half exactly where `sign_test` is below 1 - coverage, so that the two never contradict each other.
    """
    tail = (1 - coverage) / 2
    low = _where(lambda share: _at_least(hits, trials, share) > tail) if hits else 0.0
    high = 1 - _where(lambda share: _at_least(trials - hits, trials, share) > tail) if hits < trials else 1.0
    return low, high


def sign_test(hits: int, trials: int) -> float:
    """The chance of a share at least as far from a half, to either side, if nobody preferred anything."""
    return min(1.0, 2 * _at_least(max(hits, trials - hits), trials, 0.5))


def _at_least(hits: int, trials: int, share: float) -> float:
    """The chance of so many hits or more."""
    if not hits or not 0 < share < 1:
        return float(not hits or share >= 1)
    one, other = math.log(share), math.log1p(-share)
    # By logarithms: beyond a thousand votes the plain factors leave the range of floating point.
    logs = (
        math.lgamma(trials + 1)
        - math.lgamma(count + 1)
        - math.lgamma(trials - count + 1)
        + count * one
        + (trials - count) * other
        for count in range(hits, trials + 1)
    )
    return min(1.0, math.fsum(map(math.exp, logs)))


def _where(reached: Callable[[float], bool]) -> float:
    """The share from which on something is reached, by halving."""
    low, high = 0.0, 1.0
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (low, middle) if reached(middle) else (middle, high)
    return high
