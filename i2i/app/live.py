"""What a training run shows while it goes on: its verdict, its numbers, its curves and its samples."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from i2i import images
from i2i.engine import log, monitor
from i2i.report import curves
from i2i.report.pages import duration

QUIET_S = 180.0
"""After so long without a line in its log a run is said to stand still."""


@dataclass(frozen=True, slots=True)
class View:
    """A run as it stands."""

    name: str
    facts: Sequence[tuple[str, str]]
    """Name and value: steps, time, speed."""
    verdict: monitor.Verdict
    step: int
    """Of the last line; 0 where there is none."""
    quiet: float
    """Seconds since something was logged."""
    groups: Sequence[curves.Group]
    samples: Sequence[Path]
    """Pictures of the same inputs, a file a sampling step, the oldest first."""

    @property
    def stands_still(self) -> bool:
        """Whether nothing was logged for long: finished, stopped, or waiting."""
        return self.quiet > QUIET_S


def look(run: Path, now: float | None = None) -> View:
    """Read a run's log and samples; what is missing, cut short or damaged is left out."""
    path = run / "log.jsonl"
    try:
        records = log.read(path)
    except (OSError, ValueError):
        records = []
    return View(
        images.shown(run.resolve().name),
        _facts(records),
        monitor.verdict_of(records),
        int(records[-1]["step"]) if records else 0,
        quiet_of(run, now),
        curves.loss_groups(records),
        samples_of(run),
    )


def quiet_of(run: Path, now: float | None = None) -> float:
    """Seconds since something was logged; 0 where nothing was."""
    try:
        return max(0.0, (time.time() if now is None else now) - (run / "log.jsonl").stat().st_mtime)
    except OSError:
        return 0.0


def samples_of(run: Path) -> list[Path]:
    """RUN/samples/<step>.png by step, none of them a link."""
    try:
        found = [path for path in (run / "samples").glob("*.png") if path.stem.isascii() and path.stem.isdigit()]
    except OSError:
        return []
    return sorted((path for path in found if not path.is_symlink()), key=lambda path: int(path.stem))


def state_of(run: Path, now: float | None = None) -> tuple[int, ...]:
    """Changes whenever `look` would see something new: whether it stands still, lengths and times of what is read."""
    found: list[int] = [quiet_of(run, now) > QUIET_S]
    for path in (run / "log.jsonl", *samples_of(run)[-1:]):
        try:
            stat = path.stat()
        except OSError:
            continue
        found += [stat.st_size, stat.st_mtime_ns]
    return tuple(found)


def _facts(records: Sequence[log.Record]) -> list[tuple[str, str]]:
    if not records:
        return []
    last = records[-1]
    facts = [("step", f"{last['step']:,}")]
    for name, key, text in (
        ("pictures seen", "images", "{:,.0f}"),
        ("epochs", "epoch", "{:.4g}"),
        ("pictures a second", "images_per_second", "{:.3g}"),
    ):
        if isinstance(last.get(key), int | float):
            facts.append((name, text.format(last[key])))
    seconds = [float(record["seconds"]) for record in records if isinstance(record.get("seconds"), int | float)]
    if seconds:
        # The clock starts anew where the run was resumed.
        steps = [one - before if one >= before else one for before, one in pairwise([0.0, *seconds])]
        facts.append(("training time", duration(sum(steps))))
    return facts
