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
"""Steps that a sign of the rounds has to last; one of looks nine tenths of it, which three of them span at batch 4."""

CYCLES = 90
"""Lines of the log that are searched for a cycle."""
MEMORY = 1200
"""Lines of the log that a verdict looks back on: cost and memory do not grow with the run.

Six looks, where every step has its line and every step one picture: a look comes each 192 pictures then.
"""


UNTOLD = "nothing to tell from"
"""The verdict on a log that has only begun."""


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
        return Verdict(UNTOLD, True, ("The log has no lines yet.",))
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
    """The last points in a row that are sick, where they are enough looks at a game that has settled, for long enough.

    Large batches are looked at every few steps: three looks there may be one bad moment.
    """
    streak = [point for point in _streak(points, sick) if point[0] > SETTLED]
    return streak if len(streak) >= LOOKS and streak[-1][0] - streak[0][0] >= 0.9 * LASTS else []


def _recent(points: Points) -> Points:
    """The points of the last `LASTS` steps after a game has settled; none where there are not enough of them."""
    if not points or points[-1][0] < SETTLED + LASTS:
        return []
    recent = [point for point in points if point[0] > points[-1][0] - LASTS]
    return recent if len(recent) >= LOOKS or len(points) - len(recent) >= LOOKS else []


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
        usual = median(value for _, value in points[:10])
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
    accuracy = [fmean(v for _, v in recent) for points in signs.of("accuracy").values() if (recent := _recent(points))]
    for direction, points in signs.of("border").items() if max(accuracy, default=0) > 0.9 else ():
        rows = _both(points, signs.one(direction, "border made"), signs.one(direction, "border read"))
        sick = _pairs(rows, lambda real, made, read: real > 0.5 and real - made > 0.25)
        if streak := _looks(sick, bool):
            real, made, read = dict(rows)[streak[-1][0]]
            said = (
                f"{real:.0%} of the borders of real pictures of {direction} have one colour, {made:.0%} of the outputs'"
            )
            told = (
                f"D tells {max(accuracy):.0%} of the patches apart; given a real picture's border alone, outputs come"
            )
            return _Found(
                streak[0][0],
                (f"{said} ({_range(streak)}).", f"{told} {read:.0%} of the way to a real picture's score."),
            )
    for direction, points in signs.of("grid").items():
        rows = _both(points, signs.one(direction, "grid made"))
        if streak := _looks(_pairs(rows, lambda real, made: real > 3 and made < real / 2), bool):
            real, made = dict(rows)[streak[-1][0]]
            said = (
                f"Cut along a grid of 8 x 8 pixels, as JPEG cuts them, real pictures of {direction} have {real:.3g} "
                f"times less fine detail than cut elsewhere, outputs {made:.3g} ({_range(streak)}; alarm above 3)."
            )
            return _Found(streak[0][0], (said,))
    return None


def _memorises(signs: _Signs) -> _Found | None:
    for direction, points in signs.of("trained-on").items():
        rows = [row for row in _both(points, signs.one(direction, "held-out")) if row[0] > SETTLED]
        # Groups of pictures take turns and one may be odd, so the mean of two turns of all of them or more: as many as
        # the last steps hold, for large batches are looked at every few steps, while D may happen to know what it saw.
        late = [row for row in rows if row[0] >= rows[-1][0] - 2.4 * LASTS]
        rows = max(late, rows[-2 * LOOKS :], key=len)
        if len(rows) < 2 * LOOKS or rows[-1][0] - rows[0][0] < 2 * LASTS:
            continue
        train, held = fmean(values[0] for _, values in rows), fmean(values[1] for _, values in rows)
        if train > 0.7 and train - held > 0.25:
            said = (
                f"D knows {train:.0%} of the real patches of {direction} that it was trained on, {held:.0%} of others"
            )
            return _Found(
                rows[0][0], (f"{said} (steps {rows[0][0]:,} to {rows[-1][0]:,}; alarm at a gap of 25 points).",)
            )
    return None


def _oscillates(signs: _Signs) -> _Found | None:
    for name, points in (signs.losses("D") | signs.losses("G")).items():
        settled = [point for point in points if point[0] > SETTLED][-CYCLES:]
        if "gan" not in name or len(settled) < 24 or settled[-1][0] - settled[0][0] < LASTS:
            continue
        lag, strength, swing = _cycle([math.log(abs(value) + 1e-4) for _, value in settled])
        if strength > 0.45 and swing > 0.5:
            period = lag * (settled[-1][0] - settled[0][0]) / (len(settled) - 1)
            said = f"{name} swings by a factor of {math.exp(2 * swing):.1f} every {period:.0f} steps"
            return _Found(settled[0][0], (f"{said} ({_range(settled)}; it repeats itself by {strength:.2f} of 1).",))
    return None


def _cycle(values: Sequence[float]) -> tuple[int, float, float]:
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


def _too_strong(signs: _Signs) -> _Found | None:
    losses = signs.losses("D")
    taught, played = (
        sum(
            fmean(v for _, v in recent)
            for name, p in signs.losses("G").items()
            if term in name and (recent := _recent(p))
        )
        for term in ("l1", "gan")
    )
    if taught > played:
        return None  # with the truth to learn from, G goes on learning whatever D says
    for name in losses:
        other = f"{name.removesuffix('real')}fake"
        if not name.endswith("/real") or other not in losses:
            continue
        real, fake = _recent(losses[name]), _recent(losses[other])
        if not real or not fake:
            continue
        # The median: a D that has won stumbles now and then.
        won = [median(abs(value) for _, value in points) for points in (real, fake)]
        if max(won) < 0.01:
            said = f"{name} is {won[0]:.2g} and {other} {won[1]:.2g}"
            return _Found(real[0][0], (f"{said} ({_range(real)}; alarm below 0.01 for both).",))
    return None


def _useless(signs: _Signs) -> _Found | None:
    for judge, points in signs.of("separation").items():
        apart, share = _recent(points), _recent(signs.one(judge, "accuracy"))
        if not apart or not share:
            continue
        distance, value = fmean(v for _, v in apart), fmean(v for _, v in share)
        if distance < 0.1 and value < 0.53:
            said = f"{judge} scores {value:.0%} of the real patches above the fake ones, as a coin would"
            evidence = f"{said}; {distance:.2f} deviations lie between both scores ({_range(apart)}; alarm below 0.1)."
            return _Found(apart[0][0], (evidence,))
    return None


def _wellbeing(signs: _Signs) -> tuple[str, ...]:
    """The latest of the signs that say most."""
    texts = {
        "accuracy": "{who} scores {value:.0%} of the real patches above the fake ones",
        "diversity": "Outputs of {who} differ from each other by {value:.0%} of what real pictures do",
    }
    said = [
        f"{text.format(who=who, value=points[-1][1])} (step {points[-1][0]:,})."
        for sign, text in texts.items()
        for who, points in signs.of(sign).items()
    ]
    return tuple(said) or ("The log has losses alone, no signs of health.",)


AILMENTS = (
    Ailment(
        "exploding gradients",
        (
            "Start from the last checkpoint with a lower --training.lr, a tenth of it first.",
            "Use --precision fp32.",
            "Look at the batch that did it, where the run has kept one (broken.png): one picture may be no picture.",
            "Give the networks a norm (--model.generator.norm, --model.discriminator.norm).",
        ),
        _exploding,
    ),
    Ailment(
        "mode collapse",
        (
            "Go back to an earlier checkpoint with a lower --training.lr: a collapsed generator rarely recovers.",
            "For pairs, give the distance to the target more weight (--model.lambda-l1); for two folders, the way "
            "back (--model.lambda-cycle).",
            "See whether the inputs differ: i2i check DATA.",
        ),
        _collapse,
    ),
    Ailment(
        "colour inversion",
        (
            "Start again with another --seed: it does not turn round by itself.",
            "For two folders, keep the identity term (--model.lambda-identity 0.5), at least at the start.",
        ),
        _inversion,
    ),
    Ailment(
        "does nothing",
        (
            "For two folders, lower the identity term (--model.lambda-identity 0.1): it rewards a copy.",
            "Lower --model.lambda-cycle: a copy comes back at no cost.",
            "See whether both folders hold the same kind of picture: i2i check DATA.",
            "With --model.generator.upsample resize, go back to transpose.",
        ),
        _copies,
    ),
    Ailment(
        "data leak",
        (
            "Give both sides the same past: cut borders and padding off, and save both as PNG from the originals.",
            "Resize both sides (--resize square): it takes the grid of JPEG away.",
        ),
        _leak,
    ),
    Ailment(
        "D memorises the training set",
        (
            "Get more pictures; below some hundred, D learns them by heart.",
            "Augment them: --data.rotate 10 --data.scale 0.2.",
            "Make D smaller (--model.discriminator.width 32), or stop earlier.",
        ),
        _memorises,
    ),
    Ailment(
        "oscillation",
        (
            "Lower --training.lr.",
            "Train on larger batches (--batch-size 4), or average the generator (--training.ema 0.999).",
        ),
        _oscillates,
    ),
    Ailment(
        "D too strong",
        (
            "Lower --training.lr, or make D smaller (--model.discriminator.width 32).",
            "Hold D back: --model.discriminator.spectral-norm, or --model.objective.kind wgan-gp.",
            "Look for something that only real pictures have: i2i check DATA.",
        ),
        _too_strong,
    ),
    Ailment(
        "D useless",
        (
            "Give D more to see with (--model.discriminator.layers 3, a larger --model.discriminator.width).",
            "See whether its rate is above zero and the real pictures differ from the outputs at all.",
        ),
        _useless,
    ),
)
"""In order: what is first explains what follows."""
