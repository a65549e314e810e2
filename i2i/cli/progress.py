"""How far something is: a bar on a terminal, a line every ten seconds in a pipe or a log file, one line that is written
over in a notebook. All on stderr."""

import sys
import time
from collections.abc import Mapping
from types import TracebackType
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Column

EVERY_S = 10.0
"""Between two lines where there is no terminal."""
_REFRESH_S = 0.1
_NOTEBOOK_S = 1.0
"""A notebook keeps what is written over, too, until it is shown."""
_LEAST_S = 0.5
"""Before this, a rate is a guess."""


class Bar:
    """One task from nothing to done. Says every fact once: as a bar that is drawn over, or as lines.

    It is drawn from the caller's own thread, so that loader processes may be forked while it stands.
    """

    def __init__(self, what: str, unit: str) -> None:
        self.what, self.unit = what, unit
        self._console = Console(stderr=True, highlight=False, markup=False, soft_wrap=True)
        self._bar: Progress | None = None
        self._notebook = self._console.is_jupyter
        self._every = _NOTEBOOK_S if self._notebook else EVERY_S
        self._wide = 0
        self._drawn = self._began = time.monotonic()
        self._first: int | None = None
        self._said: int | None = None
        self._done, self._total, self._detail = 0, 0, ""

    def __enter__(self) -> "Bar":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def note(self, text: str) -> None:
        """A line that stays, above the bar."""
        if self._notebook:
            self._say(text, stays=True)
        else:
            (self._bar.console if self._bar else self._console).print(text)

    def start(self, done: int, total: int) -> None:
        """Begin to count, at `done`."""
        self._first, self._began, self._drawn = done, time.monotonic(), time.monotonic()
        self._done, self._total = done, total
        # Asked of the stream itself: FORCE_COLOR, which CI sets, makes a terminal of a log file in rich's eyes.
        if self._notebook or not sys.stderr.isatty() or self._console.is_dumb_terminal:
            return
        # Losses take what is left of the line, so that a narrow terminal shortens them first.
        detail = TextColumn("{task.fields[detail]}", table_column=Column(no_wrap=True, overflow="ellipsis", ratio=1))
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(24),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}", table_column=Column(no_wrap=True)),
            TimeRemainingColumn(),
            detail,
            console=self._console,
            auto_refresh=False,
            expand=True,
        )
        self._task = self._bar.add_task(self.what, total=total, completed=done, rate="", detail="")
        self._bar.start()

    def update(self, done: int, total: int | None = None, detail: str | None = None) -> None:
        """So much is done."""
        self._done, self._total = done, self._total if total is None else total
        self._detail = self._detail if detail is None else detail
        now = time.monotonic()
        if now - self._drawn >= (_REFRESH_S if self._bar else self._every):
            self._drawn = now
            self._draw()

    def close(self) -> None:
        """The last state, then nothing more."""
        if self._first is not None and self._done > self._first:
            self._draw(last=True)
        if self._bar is not None:
            self._bar.stop()
            self._bar = None
        self._first = None

    def rate(self) -> float:
        """Done a second since the start."""
        passed = time.monotonic() - self._began
        return (self._done - (self._first or 0)) / passed if passed > 0 else 0.0

    def _draw(self, last: bool = False) -> None:
        rate = self.rate()
        per_second = f"{_short(rate)} {self.unit}/s" if time.monotonic() - self._began > _LEAST_S else ""
        if self._bar is not None:
            fields: dict[str, Any] = {"rate": per_second, "detail": self._detail}
            self._bar.update(self._task, completed=self._done, total=self._total, **fields)
            self._bar.refresh()
        elif self._said != self._done or (last and self._notebook):
            self._said = self._done
            left = f"{_span((self._total - self._done) / rate)} left" if rate and self._total > self._done else ""
            parts = [f"{self.what} {self._done}/{self._total}", per_second, left, self._detail]
            self._say(", ".join(part for part in parts if part), stays=last or not self._notebook)

    def _say(self, text: str, *, stays: bool) -> None:
        """A line: one of its own, or in a notebook one that the next is written over."""
        over = " " * (self._wide - len(text))  # what is longer in the one before
        self._wide = 0 if stays else len(text)
        print(("\r" if self._notebook else "") + text + over, end="\n" if stays else "", file=sys.stderr, flush=True)


class Stage:
    """A bar as the callback of a library function: (done, total)."""

    def __init__(self, bar: Bar) -> None:
        self._bar, self._started = bar, False

    def __call__(self, done: int, total: int, detail: str = "") -> None:
        if not self._started:
            self._bar.start(0, total)
            self._started = True
        self._bar.update(done, total, detail)


def losses(values: Mapping[str, float]) -> str:
    """{"G/l1": 12.3} -> "G/l1 12.3"."""
    return "  ".join(f"{name} {value:.3g}" for name, value in values.items())


def _short(rate: float) -> str:
    return f"{rate:.0f}" if rate >= 100 else f"{rate:.1f}" if rate >= 10 else f"{rate:.2f}"


def _span(seconds: float) -> str:
    minutes, hours = round(seconds / 60), round(seconds / 3600, 1)
    return f"{seconds:.0f} s" if seconds < 90 else f"{minutes} min" if minutes < 90 else f"{hours} h"
