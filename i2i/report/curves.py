"""A log's numbers as small charts: geometry only, drawn as SVG by the page's template."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from i2i.images.pixels import Array

WIDTH, HEIGHT = 360, 196
LEFT, RIGHT, TOP, BOTTOM = 46, 10, 24, 24
_RAW_POINTS = 240
_BINS = 40
_LOG_FROM = 20.0

Points = Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Line:
    """One curve: `raw` and `smooth` are SVG path data, `last` its value at the end."""

    label: str
    raw: str
    smooth: str
    last: str


@dataclass(frozen=True, slots=True)
class Panel:
    """One chart, in a view box of WIDTH x HEIGHT."""

    title: str
    unit: str
    lines: Sequence[Line]
    x_ticks: Sequence[tuple[str, str]]
    """Place and label."""
    y_ticks: Sequence[tuple[str, str]]
    readings: Sequence[tuple[str, str, str, str]]
    """Left edge, width and middle of a stretch, and what the curves say there."""


@dataclass(frozen=True, slots=True)
class Group:
    """The charts of one player."""

    title: str
    panels: Sequence[Panel]


def loss_groups(records: Sequence[Mapping[str, Any]]) -> list[Group]:
    """Every loss of a log, a group a player and a panel a term: D/gan/x/real and D/gan/x/fake share one."""
    series: dict[str, dict[str, dict[str, list[tuple[float, float]]]]] = {}
    for record in records:
        losses = record.get("losses")
        for name, value in losses.items() if isinstance(losses, dict) else ():
            player, *terms = name.split("/")
            title = " ".join(terms[:-1] or terms or [player])
            lines = series.setdefault(player, {}).setdefault(title, {})
            if _is_number(value):
                lines.setdefault(terms[-1] if terms else player, []).append((record["step"], float(value)))
    return [
        Group(player, [panel(title, "loss", lines) for title, lines in panels.items()])
        for player, panels in series.items()
    ]


def curve(records: Iterable[Mapping[str, Any]], name: str, title: str, unit: str, factor: float = 1) -> Panel | None:
    """One number of a log over the steps, from zero; None where fewer than two records have it."""
    points = [(record["step"], float(record[name]) * factor) for record in records if _is_number(record.get(name))]
    return panel(title, unit, {title: points}, from_zero=True) if len(points) > 1 else None


def panel(title: str, unit: str, series: Mapping[str, Points], *, from_zero: bool = False) -> Panel:
    """A chart of some curves over the training step.

    The faint line is what was logged, the strong one its Gaussian mean. The axis is logarithmic where all values are
    positive and span more than a factor of 20. Rare spikes are cut off rather than flattening everything else.
    """
    curves = {label: np.array(points, np.float64) for label, points in series.items() if points}
    if not curves:
        return Panel(title, unit, [], [], [], [])
    values = np.concatenate([points[:, 1] for points in curves.values()])
    low, high = np.quantile(values, [0.005, 0.995])
    logarithmic = not from_zero and values.min() > 0 and high / max(low, 1e-12) > _LOG_FROM
    smooth = {label: smoothed(points[:, 1], logarithmic) for label, points in curves.items()}
    low = min([low, *(line.min() for line in smooth.values())])
    high = max([high, *(line.max() for line in smooth.values())])
    low, high = _bounds(low, high, logarithmic, from_zero)
    first = min(float(points[:, 0].min()) for points in curves.values())
    last = max(float(points[:, 0].max()) for points in curves.values())

    def x(steps: Array) -> Array:
        return LEFT + (steps - first) / max(last - first, 1e-9) * (WIDTH - LEFT - RIGHT)

    def y(numbers: Array) -> Array:
        share = (np.log(numbers / low) / math.log(high / low)) if logarithmic else (numbers - low) / (high - low)
        # A little beyond the frame, where the clip hides it.
        return np.clip(TOP + (1 - share) * (HEIGHT - TOP - BOTTOM), -HEIGHT, 2 * HEIGHT)

    lines = [
        Line(
            label,
            _path(*_thinned(x(points[:, 0]), y(points[:, 1]))) if len(points) >= 8 else "",
            _path(*_sampled(x(points[:, 0]), y(smooth[label]))),
            number(float(smooth[label][-1])),
        )
        for label, points in curves.items()
    ]
    return Panel(
        title,
        f"{unit}, log scale" if logarithmic else unit,
        lines,
        [(_place(float(x(np.array(tick)))), step_text(tick)) for tick in ticks(first, last, 4) if tick >= first],
        [(_place(float(y(np.array(tick)))), number(tick)) for tick in _y_ticks(low, high, logarithmic)],
        _readings(curves, smooth, first, last),
    )


def smoothed(values: Array, logarithmic: bool = False) -> Array:
    """A Gaussian mean over a fortieth of the curve either way, so without lag; of logarithms where asked."""
    deviation = len(values) / 40
    if len(values) < 8:
        return values
    reach = max(1, math.ceil(3 * deviation))
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / deviation) ** 2)
    known = np.convolve(np.ones(len(values)), kernel)[reach:-reach]
    mean = np.convolve(np.log(values) if logarithmic else values, kernel)[reach:-reach] / known
    return np.exp(mean) if logarithmic else mean


def ticks(low: float, high: float, wanted: int) -> list[float]:
    """Round numbers from `low` to `high`, about so many."""
    span = high - low
    if not span > 0:
        return [low]
    power = 10 ** math.floor(math.log10(span / wanted))
    step = next(power * m for m in (1, 2, 2.5, 5, 10) if span / (power * m) <= wanted)
    return [float(f"{i * step:.10g}") for i in range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1)]


def number(value: float) -> str:
    """Three significant digits, without an exponent where that is short."""
    size = abs(value)
    if value == 0 or 1e-3 <= size < 1e4:
        return f"{value:.3g}" if size < 1000 else f"{value:,.0f}"
    mantissa, _, exponent = f"{value:.1e}".partition("e")
    return f"{mantissa.removesuffix('.0')}e{int(exponent)}"


def step_text(step: float) -> str:
    """12000 -> 12k."""
    if step >= 1_000_000:
        return f"{step / 1e6:g}M"
    return f"{step / 1000:g}k" if step >= 1000 else f"{step:g}"


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _bounds(low: float, high: float, logarithmic: bool, from_zero: bool) -> tuple[float, float]:
    if logarithmic:
        return low / 1.08, high * 1.08
    # Zero belongs into the picture where it is near.
    if from_zero or 0 <= low < 0.5 * high:
        low = min(0.0, low)
    room = 0.06 * (high - low) or abs(high) * 0.1 or 1.0
    return low if low == 0 else low - room, high + room


def _y_ticks(low: float, high: float, logarithmic: bool) -> list[float]:
    if not logarithmic:
        return ticks(low, high, 4)
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for factors in ((1,), (1, 3), (1, 2, 5)):
        found = [float(f"{f}e{d}") for d in decades for f in factors if low <= float(f"{f}e{d}") <= high]
        if len(found) >= 3:
            break
    return found[:: math.ceil(len(found) / 6)]


def _thinned(x: Array, y: Array) -> tuple[Array, Array]:
    """Lowest and highest of each stretch, so that a long log keeps its spikes and loses its weight."""
    stretch = math.ceil(2 * len(x) / _RAW_POINTS)
    if stretch <= 2:
        return x, y
    kept = []
    for start in range(0, len(x), stretch):
        part = y[start : start + stretch]
        kept += sorted({start + int(part.argmin()), start + int(part.argmax())})
    return x[kept], y[kept]


def _sampled(x: Array, y: Array) -> tuple[Array, Array]:
    kept = np.unique(np.linspace(0, len(x) - 1, min(len(x), _RAW_POINTS // 2)).round().astype(int))
    return x[kept], y[kept]


def _path(x: Array, y: Array) -> str:
    if len(x) == 1:  # a point: a line of no length with round ends
        return f"M{_place(float(x[0]))} {_place(float(y[0]))}h0"
    return "M" + "L".join(f"{_place(float(a))} {_place(float(b))}" for a, b in zip(x, y, strict=True))


def _place(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


def _readings(
    curves: Mapping[str, Array], smooth: Mapping[str, Array], first: float, last: float
) -> list[tuple[str, str, str, str]]:
    """What the curves say along the way, to be shown where the pointer is."""
    bins = min(_BINS, max(len(points) for points in curves.values()))
    room = (WIDTH - LEFT - RIGHT) / bins
    readings = []
    for i in range(bins):
        step = first + (last - first) * (i + 0.5) / bins
        said = []
        for label, points in curves.items():
            nearest = int(np.abs(points[:, 0] - step).argmin())
            said.append(f"{label} {number(float(smooth[label][nearest]))}")
        left = LEFT + i * room
        readings.append((_place(left), _place(room), _place(left + room / 2), "\n".join([f"step {step:,.0f}", *said])))
    return readings
