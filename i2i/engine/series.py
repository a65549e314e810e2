"""The lines of a log as series of numbers, and what lasts in them how long."""

import math
from collections.abc import Callable, Mapping, Sequence
from statistics import fmean, pstdev
from typing import Any

Records = Sequence[Mapping[str, Any]]
Points = Sequence[tuple[int, float]]

LOOKS = 3
"""Looks in a row that have to agree: one alone may be of odd pictures."""
SETTLED = 100
"""Steps that a game may be anything; before, no generator has learnt to paint."""
LASTS = 100
"""Steps that a sign of the rounds has to last; one of looks nine tenths of it, which three of them span at batch 4."""
MEMORY = 1200
"""Lines of the log that a verdict looks back on: cost and memory do not grow with the run.

Six looks, where every step has its line and every step one picture: a look comes each 192 pictures then.
"""


class Signs:
    """The last lines of a log as series of numbers."""

    def __init__(self, records: Records) -> None:
        self.records = records[-MEMORY:]
        self._health: dict[str, list[tuple[int, float]]] = {}
        self._losses: dict[str, list[tuple[int, float]]] = {}
        for record in self.records:
            for kind, into in (("health", self._health), ("losses", self._losses)):
                values = record.get(kind)
                for name, value in values.items() if isinstance(values, Mapping) else ():
                    if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
                        into.setdefault(name, []).append((record["step"], float(value)))

    def of(self, sign: str) -> dict[str, Points]:
        """A sign by who shows it: {"AtoB": ...}, {"D/x": ...}."""
        return {name.removesuffix(f"/{sign}"): p for name, p in self._health.items() if name.endswith(f"/{sign}")}

    def losses(self, player: str) -> dict[str, Points]:
        """A player's losses by their whole name."""
        return {name: points for name, points in self._losses.items() if name.startswith(f"{player}/")}

    def one(self, who: str, sign: str) -> Points:
        """One series."""
        return self._health.get(f"{who}/{sign}", [])


def streak_of(points: Points, sick: Callable[[float], bool]) -> Points:
    """The last points in a row that are sick."""
    start = len(points)
    while start and sick(points[start - 1][1]):
        start -= 1
    return points[start:]


def looks(points: Points, sick: Callable[[float], bool]) -> Points:
    """The last points in a row that are sick, where they are enough looks at a game that has settled, for long enough.

    Large batches are looked at every few steps: three looks there may be one bad moment.
    """
    streak = [point for point in streak_of(points, sick) if point[0] > SETTLED]
    return streak if len(streak) >= LOOKS and streak[-1][0] - streak[0][0] >= 0.9 * LASTS else []


def recent_of(points: Points) -> Points:
    """The points of the last `LASTS` steps after a game has settled; none where there are not enough of them."""
    if not points or points[-1][0] < SETTLED + LASTS:
        return []
    recent = [point for point in points if point[0] > points[-1][0] - LASTS]
    return recent if len(recent) >= LOOKS or len(points) - len(recent) >= LOOKS else []


def side_by_side(*series: Points) -> list[tuple[int, tuple[float, ...]]]:
    """Series side by side, at the steps that all of them have."""
    steps = [dict(points) for points in series]
    return [(step, tuple(points[step] for points in steps)) for step in steps[0] if all(step in p for p in steps[1:])]


def marked(rows: Sequence[tuple[int, tuple[float, ...]]], sick: Callable[..., bool]) -> list[tuple[int, float]]:
    """1 where the values of a step are sick together, 0 where not."""
    return [(step, float(sick(*values))) for step, values in rows]


def span_of(points: Points) -> str:
    """'steps 120 to 400'."""
    return f"steps {points[0][0]:,} to {points[-1][0]:,}"


def cycle_of(values: Sequence[float]) -> tuple[int, float, float]:
    """(lag, strength, swing) of the clearest cycle: where a series repeats itself after having done the opposite.

    Strength is the autocorrelation at that lag, at most a third of the series, once the trend is taken off; 0 where
    nothing repeats. Swing is the standard deviation.
    """
    count = len(values)
    middle, mean = (count - 1) / 2, fmean(values)
    slope = sum((i - middle) * value for i, value in enumerate(values)) / sum((i - middle) ** 2 for i in range(count))
    rest = [value - mean - slope * (i - middle) for i, value in enumerate(values)]
    swing = pstdev(rest)
    if not swing:
        return 0, 0.0, 0.0
    best, opposite = (0, 0.0), False
    for lag in range(1, count // 3 + 1):
        likeness = fmean(one * two for one, two in zip(rest, rest[lag:], strict=False)) / swing**2
        opposite = opposite or likeness < -0.3
        if opposite and likeness > best[1]:
            best = lag, likeness
    return *best, swing
