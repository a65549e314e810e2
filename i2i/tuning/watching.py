"""What tuning tells while it goes."""

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext

from i2i.training.listener import Listener
from i2i.tuning.leaves import Plain
from i2i.tuning.results import Row


class Watcher:
    """What tuning tells while it goes; the command line shows it, a library call stays silent."""

    def note(self, text: str) -> None:
        """A line that a person should read."""

    def trial(self, number: int, values: Mapping[str, Plain]) -> AbstractContextManager[Listener]:
        """A trial begins or goes on with these settings; whoever listens to its training."""
        return nullcontext(Listener())

    def ended(self, row: Row) -> None:
        """A trial is over, or was cut short."""
