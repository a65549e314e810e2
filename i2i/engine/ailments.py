"""What a game can suffer from: how it is called, what shows it, and what helps.

How the thresholds were found, and how often they are right, says docs/health.md.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import fmean, median

from i2i.engine.series import (
    LASTS,
    LOOKS,
    SETTLED,
    Signs,
    cycle_of,
    looks,
    marked,
    recent_of,
    side_by_side,
    span_of,
    streak_of,
)

CYCLES = 90
"""Lines of the log that are searched for a cycle."""


@dataclass(frozen=True, slots=True)
class Found:
    """An ailment that is there: since which step, and what shows it."""

    step: int
    evidence: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Ailment:
    """Something that a game can suffer from: how it is called, what shows it and what helps."""

    name: str
    advice: tuple[str, ...]
    shown: Callable[[Signs], Found | None]


def _exploding(signs: Signs) -> Found | None:
    for record in reversed(signs.records):
        broken = record.get("health", {}).get("not a number") if isinstance(record.get("health"), Mapping) else None
        if broken:
            step = int(record["health"].get("broken step", record["step"]))
            return Found(step, (f"Not a number any more since step {step:,}: {', '.join(map(str, broken))}.",))
    for player, points in signs.of("gradient").items():
        if len(points) < 12:
            continue
        usual = median(value for _, value in points[:10])
        streak = streak_of(points, lambda norm, usual=usual: norm > max(100.0, 10 * usual))
        if len(streak) >= 2 and streak[0][0] > SETTLED:
            norm = streak[-1][1]
            said = f"{player}'s gradient is {norm:.3g} long at step {streak[-1][0]:,}, {usual:.3g} before."
            return Found(streak[0][0], (said,))
    return None


def _collapse(signs: Signs) -> Found | None:
    for direction, points in signs.of("diversity").items():
        if streak := looks(points, lambda ratio: ratio < 0.1):
            value = fmean(v for _, v in streak)
            said = f"Outputs of {direction} differ from each other by {value:.1%} of what real pictures do"
            return Found(streak[0][0], (f"{said} ({span_of(streak)}; alarm below 10%).",))
    return None


def _inversion(signs: Signs) -> Found | None:
    for direction, points in signs.of("correlation").items():
        rows = side_by_side(points, signs.one(direction, "expected"))
        if streak := looks(marked(rows, lambda is_, wanted: is_ < -0.3 and is_ < wanted - 0.5), bool):
            now = dict(rows)[streak[-1][0]]
            said = f"Brightness of input and output of {direction} correlates by {now[0]:.2f}, wanted {now[1]:.2f}"
            return Found(streak[0][0], (f"{said} ({span_of(streak)}; alarm below -0.3).",))
    return None


def _copies(signs: Signs) -> Found | None:
    for direction, points in signs.of("change").items():
        rows = side_by_side(points, signs.one(direction, "correlation"))
        if streak := looks(marked(rows, lambda change, kept: change < 0.1 and kept > 0.95), bool):
            now = dict(rows)[streak[-1][0]]
            said = f"Outputs of {direction} are {now[0]:.1%} of the way from input to target away from their input"
            return Found(streak[0][0], (f"{said}, correlation {now[1]:.3f} ({span_of(streak)}; alarm below 10%).",))
    return None


def _leak(signs: Signs) -> Found | None:
    accuracy = [
        fmean(v for _, v in recent) for points in signs.of("accuracy").values() if (recent := recent_of(points))
    ]
    for direction, points in signs.of("border").items() if max(accuracy, default=0) > 0.9 else ():
        rows = side_by_side(points, signs.one(direction, "border made"), signs.one(direction, "border read"))
        sick = marked(rows, lambda real, made, read: real > 0.5 and real - made > 0.25)
        if streak := looks(sick, bool):
            real, made, read = dict(rows)[streak[-1][0]]
            said = (
                f"{real:.0%} of the borders of real pictures of {direction} have one colour, {made:.0%} of the outputs'"
            )
            told = (
                f"D tells {max(accuracy):.0%} of the patches apart; given a real picture's border alone, outputs come"
            )
            return Found(
                streak[0][0],
                (f"{said} ({span_of(streak)}).", f"{told} {read:.0%} of the way to a real picture's score."),
            )
    for direction, points in signs.of("grid").items():
        rows = side_by_side(points, signs.one(direction, "grid made"))
        if streak := looks(marked(rows, lambda real, made: real > 3 and made < real / 2), bool):
            real, made = dict(rows)[streak[-1][0]]
            said = (
                f"Cut along a grid of 8 x 8 pixels, as JPEG cuts them, real pictures of {direction} have {real:.3g} "
                f"times less fine detail than cut elsewhere, outputs {made:.3g} ({span_of(streak)}; alarm above 3)."
            )
            return Found(streak[0][0], (said,))
    return None


def _memorises(signs: Signs) -> Found | None:
    for direction, points in signs.of("trained-on").items():
        rows = [row for row in side_by_side(points, signs.one(direction, "held-out")) if row[0] > SETTLED]
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
            return Found(
                rows[0][0], (f"{said} (steps {rows[0][0]:,} to {rows[-1][0]:,}; alarm at a gap of 25 points).",)
            )
    return None


def _oscillates(signs: Signs) -> Found | None:
    for name, points in (signs.losses("D") | signs.losses("G")).items():
        settled = [point for point in points if point[0] > SETTLED][-CYCLES:]
        if "gan" not in name or len(settled) < 24 or settled[-1][0] - settled[0][0] < LASTS:
            continue
        lag, strength, swing = cycle_of([math.log(abs(value) + 1e-4) for _, value in settled])
        if strength > 0.45 and swing > 0.5:
            period = lag * (settled[-1][0] - settled[0][0]) / (len(settled) - 1)
            said = f"{name} swings by a factor of {math.exp(2 * swing):.1f} every {period:.0f} steps"
            return Found(settled[0][0], (f"{said} ({span_of(settled)}; it repeats itself by {strength:.2f} of 1).",))
    return None


def _too_strong(signs: Signs) -> Found | None:
    losses = signs.losses("D")
    taught, played = (
        sum(
            fmean(v for _, v in recent)
            for name, p in signs.losses("G").items()
            if term in name and (recent := recent_of(p))
        )
        for term in ("l1", "gan")
    )
    if taught > played:
        return None  # with the truth to learn from, G goes on learning whatever D says
    for name in losses:
        other = f"{name.removesuffix('real')}fake"
        if not name.endswith("/real") or other not in losses:
            continue
        real, fake = recent_of(losses[name]), recent_of(losses[other])
        if not real or not fake:
            continue
        # The median: a D that has won stumbles now and then.
        won = [median(abs(value) for _, value in points) for points in (real, fake)]
        if max(won) < 0.01:
            said = f"{name} is {won[0]:.2g} and {other} {won[1]:.2g}"
            return Found(real[0][0], (f"{said} ({span_of(real)}; alarm below 0.01 for both).",))
    return None


def _useless(signs: Signs) -> Found | None:
    for judge, points in signs.of("separation").items():
        apart, share = recent_of(points), recent_of(signs.one(judge, "accuracy"))
        if not apart or not share:
            continue
        distance, value = fmean(v for _, v in apart), fmean(v for _, v in share)
        if distance < 0.1 and value < 0.53:
            said = f"{judge} scores {value:.0%} of the real patches above the fake ones, as a coin would"
            evidence = f"{said}; {distance:.2f} deviations lie between both scores ({span_of(apart)}; alarm below 0.1)."
            return Found(apart[0][0], (evidence,))
    return None


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
