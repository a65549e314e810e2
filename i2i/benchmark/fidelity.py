"""Whether fast training learns what exact training learns: their loss curves, beside the noise of the seeds."""

import itertools
import math
import statistics
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from i2i.engine.log import Record
from i2i.errors import SettingsError
from i2i.experiment import Experiment, change
from i2i.training import Listener, train

WINDOWS = 20
"""Points of a curve, each the mean of a loss over its share of the steps."""
Curves = Mapping[str, Mapping[int, Mapping[str, Sequence[float]]]]
"""Arm, seed, term of the loss -> its curve."""


@dataclass(frozen=True, kw_only=True)
class TermFigures:
    """One term of the loss: an arm against the first."""

    arm: str
    term: str
    first: float
    """Mean over the last quarter of the steps, of the first arm's seeds."""
    last: float
    """The same of this arm's."""
    difference: float
    """Between the arms' mean curves: root mean square over the steps, relative to the first arm's mean."""
    noise: float
    """Standard deviation between the seeds of one arm: likewise, of all arms together."""
    ratio: float
    """The difference in units of what the noise alone makes of so few seeds: 1 or less where the arms do not differ."""


@dataclass(frozen=True, kw_only=True)
class FidelityFigures:
    """Every term of every arm but the first, and the curves they come from."""

    recipe: str
    steps: int
    seeds: tuple[int, ...]
    arms: tuple[str, ...]
    terms: tuple[TermFigures, ...]
    seconds: Mapping[str, float]
    """Of all runs of an arm together."""
    curves: Curves = field(default_factory=dict)


class _Curves(Listener):
    """Keeps the losses of every line of the log."""

    def __init__(self) -> None:
        self.losses: dict[str, list[float]] = {}
        self.seconds = 0.0

    def logged(self, record: Record) -> None:
        self.seconds = float(record["seconds"])
        for name, value in record["losses"].items():
            self.losses.setdefault(name, []).append(float(value))


def measure_fidelity(
    arms: Mapping[str, Experiment],
    data: Path,
    *,
    steps: int = 2000,
    seeds: int = 3,
    device: str = "auto",
    workers: int | Literal["auto"] = "auto",
    tell: Callable[[str], None] = lambda text: None,
) -> FidelityFigures:
    """Train every arm with every seed, on the same pictures in the same order. Raises UserError."""
    if len(arms) < 2 or seeds < 2 or steps < WINDOWS:
        raise SettingsError(
            f"{len(arms)} arms, {seeds} seeds, {steps} steps: wanted 2 arms, 2 seeds and {WINDOWS} steps or more, "
            f"since there is no noise in less."
        )
    curves: dict[str, dict[int, dict[str, list[float]]]] = {name: {} for name in arms}
    seconds = dict.fromkeys(arms, 0.0)
    for seed, (name, experiment) in itertools.product(range(seeds), arms.items()):
        heard = _Curves()
        quiet: dict[str, Any] = {"log_every": max(1, steps // WINDOWS), "sample_every": steps}
        sized = change(experiment, {"training": {"steps": steps, "seed": seed, "checkpoint_minutes": 1e6, **quiet}})
        with tempfile.TemporaryDirectory(prefix="i2i-benchmark-") as folder:
            train(sized, data=data, out=Path(folder) / "run", device=device, workers=workers, listener=heard)
        curves[name][seed] = heard.losses
        seconds[name] += heard.seconds
        tell(f"seed {seed}, {name}: {steps} steps in {heard.seconds:.0f} s")
    return FidelityFigures(
        recipe=next(iter(arms.values())).recipe,
        steps=steps,
        seeds=tuple(range(seeds)),
        arms=tuple(arms),
        terms=tuple(compare(curves)),
        seconds=seconds,
        curves=curves,
    )


def compare(curves: Curves) -> list[TermFigures]:
    """Every arm against the first, term by term."""
    known, *_ = curves.values()
    found = []
    for term in next(iter(known.values())):
        base = _mean([seed[term] for seed in known.values()])
        scale = abs(statistics.fmean(base)) or 1.0
        noise = _noise([[seed[term] for seed in arm.values()] for arm in curves.values()]) / scale
        for name, arm in list(curves.items())[1:]:
            mean = _mean([seed[term] for seed in arm.values()])
            difference = _rms([a - b for a, b in zip(base, mean, strict=True)]) / scale
            expected = noise * math.sqrt(1 / len(known) + 1 / len(arm))
            found.append(
                TermFigures(
                    arm=name,
                    term=term,
                    first=_end(base),
                    last=_end(mean),
                    difference=difference,
                    noise=noise,
                    ratio=difference / expected if expected else (math.inf if difference else 0.0),
                )
            )
    return found


def _mean(curves: Sequence[Sequence[float]]) -> list[float]:
    return [statistics.fmean(values) for values in zip(*curves, strict=True)]


def _noise(arms: Sequence[Sequence[Sequence[float]]]) -> float:
    """Standard deviation between seeds, pooled over arms and steps."""
    return math.sqrt(statistics.fmean(statistics.variance(values) for arm in arms for values in zip(*arm, strict=True)))


def _rms(values: Sequence[float]) -> float:
    return math.sqrt(statistics.fmean(value * value for value in values))


def _end(curve: Sequence[float]) -> float:
    return statistics.fmean(curve[-max(1, len(curve) // 4) :])
