"""What a run tells while it goes."""

from i2i.engine.log import Record


class Listener:
    """What a run tells while it goes; the command line shows it, a library call stays silent."""

    def note(self, text: str) -> None:
        """A line that a person should read."""

    def decoded(self, done: int, total: int) -> None:
        """So many of the pictures or pairs that are kept are decoded; before the first step."""

    def started(self, step: int, steps: int) -> None:
        """Training begins after `step` of `steps`."""

    def stepped(self, step: int) -> None:
        """A step is done."""

    def logged(self, record: Record) -> None:
        """A line was added to the log."""

    def enough(self) -> bool:
        """Whether to save and end now, before all steps are done; asked after every step."""
        return False
