"""The health of the game: from the lines of a log to a verdict in plain words, its evidence and what to try.

Numbers alone, without torch, so that `i2i doctor` answers at once. Which signs there are says `signals` (of every
round) and `probe` (of some pictures, now and then); how the thresholds were found, and how often they are right, says
docs/health.md.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, median, pstdev
from typing import Any

Records = Sequence[Mapping[str, Any]]

LOOKS = 3
"""Looks in a row that have to agree: one alone may be of odd pictures."""
SETTLED = 100
"""Steps that a game may be anything; before, no generator has learnt to paint."""
LASTS = 100
"""Steps that a sign of the rounds has to last."""

MEMORY = 400
"""Lines of the log that a verdict looks back on: cost and memory do not grow with the run."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is the matter with a game, in plain words."""

    name: str
    healthy: bool
    evidence: tuple[str, ...] = ()
    """What was seen: numbers, and the steps they are of."""
    advice: tuple[str, ...] = ()
    """What to try, the likeliest first."""
    step: int = 0
    """Since when."""


@dataclass(frozen=True, slots=True)
class Ailment:
    """Something that a game can suffer from: how it is called, what shows it and what helps."""

    name: str
    advice: tuple[str, ...]
    shown: Callable[["_Signs"], "_Found | None"]


@dataclass(frozen=True, slots=True)
class _Found:
    step: int
    evidence: tuple[str, ...]


Points = Sequence[tuple[int, float]]


class _Signs:
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


def verdict_of(records: Records) -> Verdict:
    """What the log says of the game as it stands at its last line."""
    if not records:
        return Verdict("nothing to tell from", True, ("The log has no lines yet.",))
    signs = _Signs(records)
    for ailment in AILMENTS:
        found = ailment.shown(signs)
        if found:
            return Verdict(ailment.name, False, found.evidence, ailment.advice, found.step)
    return Verdict("healthy", True, _wellbeing(signs), (), int(records[-1]["step"]))


def history(records: Records) -> list[tuple[int, str]]:
    """What the log told along the way: the step of each line that changed the verdict, and its verdict."""
    told: list[tuple[int, str]] = []
    for record in records:
        health = record.get("health")
        name = health.get("verdict") if isinstance(health, Mapping) else None
        if isinstance(name, str) and (not told or told[-1][1] != name):
            told.append((int(record["step"]), name))
    return told


def told(verdict: Verdict, step: int) -> str:
    """A verdict in a line or two, as it is told at a step of the run."""
    if verdict.healthy:
        return f"Step {step:,}: {verdict.name} again."
    advice = f" Try: {verdict.advice[0]}" if verdict.advice else ""
    return f"Step {step:,}: {verdict.name}. {' '.join(verdict.evidence)}{advice}"


# ------------------------------------------------------------------------------------------------- what lasts how long


def _streak(points: Points, sick: Callable[[float], bool]) -> Points:
    """The last points in a row that are sick."""
    start = len(points)
    while start and sick(points[start - 1][1]):
        start -= 1
    return points[start:]


def _looks(points: Points, sick: Callable[[float], bool]) -> Points:
    """The last points in a row that are sick, where they are enough looks at a game that has settled."""
    streak = [point for point in _streak(points, sick) if point[0] > SETTLED]
    return streak if len(streak) >= LOOKS else []


def _lasting(points: Points, sick: Callable[[float], bool]) -> Points:
    """As `_looks`, of signs that every line has."""
    streak = [point for point in _streak(points, sick) if point[0] > SETTLED]
    return streak if len(streak) >= LOOKS and streak[-1][0] - streak[0][0] >= LASTS else []


def _both(*series: Points) -> list[tuple[int, tuple[float, ...]]]:
    """Series side by side, at the steps that all of them have."""
    steps = [dict(points) for points in series]
    return [(step, tuple(points[step] for points in steps)) for step in steps[0] if all(step in p for p in steps[1:])]


def _pairs(rows: Sequence[tuple[int, tuple[float, ...]]], sick: Callable[..., bool]) -> list[tuple[int, float]]:
    return [(step, float(sick(*values))) for step, values in rows]


def _range(points: Points) -> str:
    """'steps 120 to 400'."""
    return f"steps {points[0][0]:,} to {points[-1][0]:,}"


# ------------------------------------------------------------------------------------------------------- the ailments


def _exploding(signs: _Signs) -> _Found | None:
    for record in reversed(signs.records):
        broken = record.get("health", {}).get("not a number") if isinstance(record.get("health"), Mapping) else None
        if broken:
            step = int(record["health"].get("broken step", record["step"]))
            return _Found(step, (f"Not a number any more since step {step:,}: {', '.join(map(str, broken))}.",))
    for player, points in signs.of("gradient").items():
        if len(points) < 12:
            continue
        usual = median(value for _, value in points[:-2])
        streak = _streak(points, lambda norm, usual=usual: norm > max(100.0, 10 * usual))
        if len(streak) >= 2 and streak[0][0] > SETTLED:
            norm = streak[-1][1]
            said = f"{player}'s gradient is {norm:.3g} long at step {streak[-1][0]:,}, {usual:.3g} before."
            return _Found(streak[0][0], (said,))
    return None


def _collapse(signs: _Signs) -> _Found | None:
    for direction, points in signs.of("diversity").items():
        if streak := _looks(points, lambda ratio: ratio < 0.1):
            value = fmean(v for _, v in streak)
            said = f"Outputs of {direction} differ from each other by {value:.1%} of what real pictures do"
            return _Found(streak[0][0], (f"{said} ({_range(streak)}; alarm below 10%).",))
    return None


def _inversion(signs: _Signs) -> _Found | None:
    for direction, points in signs.of("correlation").items():
        rows = _both(points, signs.one(direction, "expected"))
        if streak := _looks(_pairs(rows, lambda is_, wanted: is_ < -0.3 and is_ < wanted - 0.5), bool):
            now = dict(rows)[streak[-1][0]]
            said = f"Brightness of input and output of {direction} correlates by {now[0]:.2f}, wanted {now[1]:.2f}"
            return _Found(streak[0][0], (f"{said} ({_range(streak)}; alarm below -0.3).",))
    return None


def _copies(signs: _Signs) -> _Found | None:
    for direction, points in signs.of("change").items():
        rows = _both(points, signs.one(direction, "correlation"))
        if streak := _looks(_pairs(rows, lambda change, kept: change < 0.1 and kept > 0.95), bool):
            now = dict(rows)[streak[-1][0]]
            said = f"Outputs of {direction} are {now[0]:.1%} of the way from input to target away from their input"
            return _Found(streak[0][0], (f"{said}, correlation {now[1]:.3f} ({_range(streak)}; alarm below 10%).",))
    return None


def _leak(signs: _Signs) -> _Found | None:
    for direction, points in signs.of("border").items():
        rows = _both(points, signs.one(direction, "border made"), signs.one(direction, "border read"))
        sick = _pairs(rows, lambda real, made, read: real > 0.5 and real - made > 0.25 and read > 0.5)
        if streak := _looks(sick, bool):
            real, made, read = dict(rows)[streak[-1][0]]
            return _Found(
                streak[0][0],
                (
                    f"{real:.0%} of the borders of real pictures of {direction} have one colour, {made:.0%} of the "
                    f"outputs' ({_range(streak)}).",
                    f"With a real picture's border alone D takes an output for {read:.0%} real.",
                ),
            )
    for direction, points in signs.of("grid").items():
        rows = _both(points, signs.one(direction, "grid made"))
        sick = _pairs(rows, lambda real, made: real > 0.15 and made < real / 2)
        if streak := _looks(sick, bool):
            real, made = dict(rows)[streak[-1][0]]
            said = f"Real pictures of {direction} are {real:.0%} steeper along a grid of 8 x 8 pixels, as JPEG leaves it"
            return _Found(streak[0][0], (f"{said}, outputs {max(0.0, made):.0%} ({_range(streak)}).",))
    return None


def _memorises(signs: _Signs) -> _Found | None:
    for direction, points in signs.of("trained-on").items():
        rows = _both(points, signs.one(direction, "held-out"))
        sick = _pairs(rows, lambda train, held: train > 0.7 and train - held > 0.25)
        if streak := _looks(sick, bool):
            train, held = dict(rows)[streak[-1][0]]
            said = f"D knows {train:.0%} of the real patches of {direction} that it was trained on, {held:.0%} of others"
            return _Found(streak[0][0], (f"{said} ({_range(streak)}; alarm at a gap of 25 points).",))
    return None


def _oscillates(signs: _Signs) -> _Found | None:
    return None


def _too_strong(signs: _Signs) -> _Found | None:
    losses = signs.losses("D")
    for name, real in losses.items():
        fake = losses.get(f"{name.removesuffix('real')}fake")
        if not name.endswith("/real") or fake is None:
            continue
        rows = _both(real, fake)
        if streak := _lasting(_pairs(rows, lambda *values: max(map(abs, values)) < 0.01), bool):
            on_real, on_fake = dict(rows)[streak[-1][0]]
            said = f"{name} is {on_real:.2g} and {name.removesuffix('real')}fake {on_fake:.2g}"
            return _Found(streak[0][0], (f"{said} ({_range(streak)}; alarm below 0.01).",))
    return None


def _useless(signs: _Signs) -> _Found | None:
    for judge, points in signs.of("accuracy").items():
        if streak := _lasting(points, lambda share: share < 0.52):
            value = fmean(v for _, v in streak)
            said = f"{judge} scores {value:.0%} of the real patches above the fake ones, and a coin 50%"
            return _Found(streak[0][0], (f"{said} ({_range(streak)}).",))
    return None


def _wellbeing(signs: _Signs) -> tuple[str, ...]:
    """The latest of the signs that say most."""
    said = []
    for sign, text in (("accuracy", "{who}: right on {value:.0%} of the patches"), ("diversity", "{who}: outputs differ by {value:.0%} of what reals do")):
        for who, points in signs.of(sign).items():
            said.append(f"{text.format(who=who, value=points[-1][1])} (step {points[-1][0]:,}).")
    return tuple(said) or ("The log has losses alone, no signs of health.",)


AILMENTS = (
    Ailment("exploding gradients", ("Lower --training.lr.", "Use --precision fp32."), _exploding),
    Ailment("mode collapse", ("Lower --training.lr.",), _collapse),
    Ailment("colour inversion", ("Start again with another --seed.",), _inversion),
    Ailment("does nothing", ("",), _copies),
    Ailment("data leak", ("",), _leak),
    Ailment("D memorises the training set", ("",), _memorises),
    Ailment("oscillation", ("",), _oscillates),
    Ailment("D too strong", ("",), _too_strong),
    Ailment("D useless", ("",), _useless),
)
"""In order: what is first explains what follows."""
