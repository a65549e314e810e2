"""skipped.txt: the pictures of a run that could not be read, a line each."""

from pathlib import Path

from i2i.files import write_text
from i2i.training.folder import writing
from i2i.training.listener import Listener

NAME = "skipped.txt"
TOLD = 20
"""Pictures that are also told while the run goes on, at most; a file can hold more lines than anybody reads at once."""


class Skipped:
    """Writes down each picture that training leaves out, and tells it, when it is first met in the whole run."""

    def __init__(self, run: Path, tell: Listener) -> None:
        """Goes on with what is written there already."""
        self.run, self.path, self.tell = run, run / NAME, tell
        text = self.path.read_text(encoding="utf-8") if self.path.exists() else ""
        whole = text[: text.rfind("\n") + 1]
        if whole != text:  # a crash cut the last line short
            with writing(run):
                write_text(self.path, whole)
        self._known = set(whole.splitlines())

    def __call__(self, reason: str) -> None:
        """A picture, and why it cannot be read. Raises TrainingError where it cannot be written down."""
        if reason in self._known:
            return
        self._known.add(reason)
        with writing(self.run), self.path.open("a", encoding="utf-8") as file:
            file.write(f"{reason}\n")
        if len(self._known) <= TOLD:
            self.tell.note(f"Left out of training: {reason}")
        elif len(self._known) == TOLD + 1:
            self.tell.note(f"More pictures are left out of training; {self.path} names all.")
