"""The four pages: of a run, of an evaluation, of a conversion, of samples."""

import base64
import contextlib
import functools
import hashlib
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import jinja2
import yaml
from markupsafe import Markup

from i2i import __version__
from i2i.engine import log, monitor
from i2i.files import written_whole
from i2i.images.pixels import Array
from i2i.report import curves
from i2i.report.album import Embedded, embed
from i2i.report.templating import templates_of

_SHOWN_SAMPLES = 12
_DRAWN = {
    "accuracy": ("accuracy of D", "share of patches told apart"),
    "gradient": ("gradient", "length"),
    "diversity": ("diversity", "of that of real pictures"),
    "change": ("change of the input", "of the way to the target"),
    "correlation": ("input and output", "correlation of brightness"),
}
"""Signs of health that have a chart: title and unit."""
_WEIGHT = 2_600_000
"""Bytes of page that pictures may take."""


@dataclass(frozen=True, slots=True)
class Example:
    """Pictures that belong together, by what they are: source, translated, target."""

    name: str
    pictures: Mapping[str, Array | Path]
    """Arrays of (H, W), (H, W, 1 or 3) uint8, uint16 or float32 in [0, 1], or files."""
    caption: str = ""


@dataclass(frozen=True, slots=True)
class Measured:
    """A number and the interval that it strays in."""

    value: float
    lower: float
    upper: float


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of text and numbers (four digits, ends of intervals three); an empty text where there is no number."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[object]]
    note: str = ""


@dataclass(frozen=True, slots=True)
class _Fact:
    """A number of the headline."""

    name: str
    value: str
    unit: str = ""


@dataclass(frozen=True, slots=True)
class _Sample:
    step: str
    picture: Embedded
    thumbnail: Embedded


@dataclass(frozen=True, slots=True)
class _Health:
    verdict: str
    ill: bool
    evidence: Sequence[str]
    advice: Sequence[str]
    signals: Sequence[tuple[str, str]]
    panels: Sequence[curves.Panel]


@dataclass(frozen=True, slots=True)
class _Shown:
    name: str
    caption: str
    pictures: Sequence[tuple[str, Embedded | None]]

    @property
    def little(self) -> bool:
        """Whether no picture gains by being shown larger than the others."""
        return all(picture is None or picture.small for _, picture in self.pictures)


def run_report(run: Path) -> Path:
    """Write RUN/report.html from what the run folder holds; whatever is missing or damaged is left out.

    Read are experiment.yaml, log.jsonl, samples/<step>.png and notes.txt, a note a line.
    """
    settings = _text(run / "experiment.yaml")
    recipe = _recipe(settings)
    folder = run.resolve().name
    data = folder.removeprefix(f"{recipe}-")
    records = _records(run / "log.jsonl")
    charts = [
        curves.curve(records, "images_per_second", "speed", "images a second"),
        curves.curve(records, "data_wait", "waiting for data", "% of the time", 100),
        curves.curve(records, "learning_rate", "learning rate", "rate of Adam"),
    ]
    page = _render(
        "run.html.jinja",
        # A run folder is called recipe-data unless someone had a better name for it.
        title=f"{recipe} on {data}" if recipe and data != folder else folder,
        eyebrow=f"Training run · {folder if data != folder else recipe}" if recipe else "Training run",
        facts=_facts(records),
        samples=_samples(run / "samples"),
        health=_health(records),
        groups=curves.loss_groups(records),
        engine=[chart for chart in charts if chart],
        settings=settings,
        notes=[line.strip() for line in _text(run / "notes.txt").splitlines() if line.strip()],
    )
    return _write(run / "report.html", page)


def evaluation_report(
    path: Path,
    *,
    title: str,
    tables: Sequence[Table],
    examples: Sequence[Example],
    notes: Sequence[str],
    nearest: Sequence[Example] = (),
) -> Path:
    """Write the page of an evaluation: tables of metrics, held-out pictures side by side, and what may be copied.

    `nearest` are translations beside the training picture that each is nearest to.
    """
    shown = _examples([*examples, *nearest])
    page = _render(
        "results.html.jinja",
        title=title,
        eyebrow="Evaluation",
        facts=[],
        tables=[(table, [[_told(value) for value in row] for row in table.rows], _numeric(table)) for table in tables],
        examples=shown[: len(examples)],
        nearest=shown[len(examples) :],
        failures=[],
        notes=notes,
    )
    return _write(path, page)


def conversion_report(
    path: Path,
    *,
    title: str,
    summary: Mapping[str, str],
    examples: Sequence[Example],
    failures: Sequence[tuple[str, str]],
) -> Path:
    """Write the page of a conversion: the summary, pictures before and after, and (name, reason) of each failure."""
    page = _render(
        "results.html.jinja",
        title=title,
        eyebrow="Conversion",
        facts=[_Fact(name, str(value)) for name, value in summary.items()],
        tables=[],
        examples=_examples(examples),
        nearest=[],
        failures=failures,
        notes=[],
    )
    return _write(path, page)


def samples_report(
    path: Path,
    *,
    title: str,
    summary: Mapping[str, str],
    pictures: Sequence[Example],
    nearest: Sequence[Example] = (),
) -> Path:
    """Write the page of pictures from noise, one an example; `nearest` beside the training picture nearest to each."""
    shown = _examples([*pictures, *nearest])
    page = _render(
        "results.html.jinja",
        title=title,
        eyebrow="Samples",
        facts=[_Fact(name, value) for name, value in summary.items()],
        tables=[],
        examples=shown[: len(pictures)],
        nearest=shown[len(pictures) :],
        failures=[],
        notes=[],
    )
    return _write(path, page)


def evenly(items: Sequence[Any], count: int) -> list[Any]:
    """At most `count` of them, evenly spread, the first and the last among them."""
    if len(items) <= count:
        return list(items)
    return [items[round(i * (len(items) - 1) / (count - 1))] for i in range(count)]


def duration(seconds: float) -> str:
    """3725 -> 1 h 2 min."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours < 48 else f"{hours // 24} d {hours % 24} h"


# ------------------------------------------------------------------------------------------------------- a run's pieces


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _records(path: Path) -> list[log.Record]:
    try:
        return log.read(path)
    except (OSError, ValueError):
        return []


def _recipe(settings: str) -> str:
    # Read as plain YAML: a page of an old run is to be had where its settings are no longer understood.
    with contextlib.suppress(yaml.YAMLError, RecursionError):
        tree = yaml.safe_load(settings)
        if isinstance(tree, dict) and isinstance(tree.get("recipe"), str):
            return tree["recipe"]
    return ""


def _facts(records: Sequence[log.Record]) -> list[_Fact]:
    if not records:
        return []
    last = records[-1]
    facts = [_Fact("steps", f"{last['step']:,}")]
    if seen := _numbers([last], "images"):
        facts.append(_Fact("pictures seen", f"{seen[0]:,.0f}"))
    if epochs := _numbers([last], "epoch"):
        facts.append(_Fact("epochs", f"{epochs[0]:.4g}"))
    if seconds := _numbers(records, "seconds"):
        facts.append(_Fact("training time", duration(_total(seconds))))
    if speeds := _numbers(records, "images_per_second"):
        facts.append(_Fact("speed", curves.number(sorted(speeds)[len(speeds) // 2]), "images / s"))
    if waits := _numbers(records, "data_wait"):
        facts.append(_Fact("waiting for data", f"{100 * sum(waits) / len(waits):.2g}", "%"))
    return facts


def _numbers(records: Iterable[log.Record], name: str) -> list[float]:
    values = [record.get(name) for record in records]
    return [float(v) for v in values if isinstance(v, int | float) and math.isfinite(v)]


def _total(seconds: Sequence[float]) -> float:
    """The whole of a clock that may have started again where the run was resumed."""
    before = [0.0, *seconds[:-1]]
    return sum(now - then if now >= then else now for then, now in zip(before, seconds, strict=True))


def _samples(folder: Path) -> list[_Sample]:
    try:
        numbered = [path for path in folder.glob("*.png") if path.stem.isascii() and path.stem.isdigit()]
    except OSError:
        numbered = []
    chosen = evenly(sorted(numbered, key=lambda path: int(path.stem)), _SHOWN_SAMPLES)
    # The latest is what people came for; the way there may be coarser.
    pictures = embed(chosen[:-1], weight=_WEIGHT * 5 // 8, side=1024) + embed(
        chosen[-1:], weight=_WEIGHT // 4, side=1600
    )
    thumbnails = embed(chosen, weight=_WEIGHT // 16, side=192)
    return [
        _Sample(f"{int(path.stem):,}", picture, thumbnail)
        for path, picture, thumbnail in zip(chosen, pictures, thumbnails, strict=True)
        if picture and thumbnail
    ]


def _health(records: Sequence[log.Record]) -> _Health | None:
    """The log's last word about the health of the game, if it has one, and the curves that it is read from."""
    signs = [(record["step"], record["health"]) for record in records if isinstance(record.get("health"), dict)]
    if not signs:
        return None
    latest = {name: value for _, health in signs for name, value in health.items()}
    said = latest.pop("verdict", "")
    # What this version makes of the numbers; an older one may have said less.
    now = monitor.verdict_of(records) if any(isinstance(value, float) for value in latest.values()) else None
    series: dict[str, dict[str, list[tuple[float, float]]]] = {}
    for step, health in signs:
        for name, value in health.items():
            who, _, sign = name.rpartition("/")
            if sign in _DRAWN and isinstance(value, int | float) and math.isfinite(value):
                series.setdefault(sign, {}).setdefault(who, []).append((step, float(value)))
    return _Health(
        str(said) if now is None or now.healthy else now.name,
        now is not None and not now.healthy,
        now.evidence if now else (),
        now.advice if now else (),
        [(str(name), _cell(value)) for name, value in latest.items()],
        [curves.panel(_DRAWN[sign][0], _DRAWN[sign][1], lines) for sign, lines in series.items()],
    )


# -------------------------------------------------------------------------------------------------------------- shared


def _examples(examples: Sequence[Example]) -> list[_Shown]:
    """The examples with their pictures embedded, all of them within the page's weight."""
    embedded = iter(embed([picture for example in examples for picture in example.pictures.values()], weight=_WEIGHT))
    return [
        _Shown(example.name, example.caption, [(name, next(embedded)) for name in example.pictures])
        for example in examples
    ]


def _told(value: object) -> tuple[str, str]:
    """What a cell says, and the interval below it; empty where there is none."""
    if not isinstance(value, Measured):
        return _cell(value), ""
    ends = (f"{end:#.3g}".removesuffix(".") for end in (value.lower, value.upper))
    return _cell(value.value), f"[{', '.join(ends)}]"


def _cell(value: object) -> str:
    if isinstance(value, float):
        return f"{value:#.4g}".removesuffix(".") if 1e-3 <= abs(value) < 1e4 else f"{value:.4g}"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


def _numeric(table: Table) -> list[bool]:
    """Which columns hold numbers, to be aligned by their digits."""
    columns = zip(*table.rows, strict=False)
    found = [
        all(isinstance(value, int | float | Measured) or value == "" for value in column)
        and any(value != "" for value in column)
        for column in columns
    ]
    return found + [False] * (len(table.columns) - len(found))


@functools.cache
def _templates() -> jinja2.Environment:
    return templates_of("i2i.report")


def _inline(name: str) -> tuple[Markup, str]:
    """A style sheet or script for the page, and the hash by which the page's policy knows it."""
    text = resources.files("i2i.report").joinpath("templates", name).read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")
    return Markup(text), f"'sha256-{digest}'"


def _render(template: str, **content: Any) -> str:
    style, style_hash = _inline("page.css")
    script, script_hash = _inline("page.js")
    # No address is allowed to be loaded, and no style or script but our two runs, whatever a file is named.
    policy = (
        f"default-src 'none'; img-src data:; style-src {style_hash}; script-src {script_hash}; "
        "base-uri 'none'; form-action 'none'"
    )
    return (
        _templates()
        .get_template(template)
        .render(policy=policy, style=style, script=script, version=__version__, chart=curves, **content)
    )


def _write(path: Path, page: str) -> Path:
    """The page under its name, whole at any moment."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with written_whole(path) as file:
        # A file name need not be Unicode; its stray bytes are shown as escapes.
        file.write(page.encode("utf-8", "backslashreplace"))
    return path
