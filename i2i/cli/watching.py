"""What a training tells while it goes on, as a bar: steps, speed, time left, losses, and what ails it."""

import contextlib
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from i2i.engine.monitor import UNTOLD

if TYPE_CHECKING:
    from i2i.cli.progress import Bar


@contextlib.contextmanager
def listening(what: str = "step") -> Iterator[Any]:
    """A training's Listener that shows steps, speed, time left and losses."""
    from i2i.cli.progress import Bar, losses
    from i2i.training import Listener

    class Shown(Listener):
        def __init__(self, bar: "Bar") -> None:
            self.bar = bar
            self.decoding: Bar | None = None

        def note(self, text: str) -> None:
            self.bar.note(text)

        def decoded(self, done: int, total: int) -> None:
            if self.decoding is None:
                self.decoding = Bar("decoding", "items")
                self.decoding.start(0, total)
            self.decoding.update(done)
            if done == total:
                self.decoding.close()
                self.decoding = None

        def started(self, step: int, steps: int) -> None:
            if step < steps:
                self.bar.start(step, steps)

        def stepped(self, step: int) -> None:
            self.bar.update(step)

        def logged(self, record: Mapping[str, Any]) -> None:
            # A word where the game is ill; a healthy one needs none, nor one too young to tell.
            verdict = record.get("health", {}).get("verdict", "healthy")
            ill = "" if verdict in ("healthy", UNTOLD) else f"{verdict}  "
            self.bar.update(record["step"], detail=ill + losses(record["losses"]))

    with Bar(what, "steps") as bar:
        yield Shown(bar)
