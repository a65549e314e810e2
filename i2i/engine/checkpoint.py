"""The one file that holds a whole run: always whole, whatever killed the run."""

import os
import shutil
from pathlib import Path
from typing import IO, Any, cast

import torch

from i2i.errors import ModelFileError, TrainingError
from i2i.files import written_whole
from i2i.torch_files import read_torch

VERSION = 2
"""Format of a checkpoint; raised when an older i2i could not read it, or this one has to add something to an older one.

1: the state of a run. 2: with what was summed since the last line of the log, rollbacks and the best step so far; of
Adam no groups.
"""


def save(state: dict[str, Any], path: Path) -> None:
    """Write beside, flush to the disk, rename: at no moment is there half a checkpoint under `path`."""
    said = None
    try:
        with written_whole(path) as file:
            said = _Said(file)
            torch.save({"version": VERSION} | state, cast(IO[bytes], said))  # it asks for no more than these two
    except (OSError, RuntimeError) as error:
        # torch's zip writer turns a full disk into a RuntimeError that names a place in its source.
        reason = said.error if said and said.error else error
        room = shutil.disk_usage(path.parent).free
        raise TrainingError(
            f"{path}: could not be written ({getattr(reason, 'strerror', None) or reason}; {room:,} bytes are free "
            f"there). The checkpoint before it is kept."
        ) from None


class _Said:
    """A file that remembers why it could not be written."""

    def __init__(self, file: IO[bytes]) -> None:
        self.file = file
        self.error: OSError | None = None

    def write(self, data: Any) -> int:
        try:
            return self.file.write(data)
        except OSError as error:
            self.error = error
            raise

    def flush(self) -> None:
        self.file.flush()


def keep(path: Path, step: int, count: int) -> None:
    """Keep the last `count` checkpoints of a run: that under `path`, of this step, also as checkpoint-<step>.pt.

    One that is the only one has no second name. Raises TrainingError where there is no room for it.
    """
    if count > 1:
        named = path.with_name(f"{path.stem}-{step}{path.suffix}")
        try:
            _link(path, named)
        except OSError as error:
            raise TrainingError(f"{named}: could not be written ({error.strerror}). {path} is kept.") from None
    older = [file for number, file in kept(path) if number <= step]
    newer = [file for number, file in kept(path) if number > step]  # of before a rollback
    for file in newer + older[count if count > 1 else 0 :]:
        file.unlink(missing_ok=True)


def kept(path: Path) -> list[tuple[int, Path]]:
    """The steps and files of the checkpoints kept beside the one under `path`, from the newest on."""
    found = []
    for file in path.parent.glob(f"{path.stem}-*{path.suffix}"):
        number = file.stem.removeprefix(f"{path.stem}-")
        if number.isascii() and number.isdigit():
            found.append((int(number), file))
    return sorted(found, reverse=True)


def _link(path: Path, named: Path) -> None:
    """A second name for a file, or a copy where a file system has no such names. Raises OSError."""
    beside = named.with_name(named.name + ".writing")
    beside.unlink(missing_ok=True)
    try:
        os.link(path, beside)
        beside.replace(named)
        beside.unlink(missing_ok=True)  # it stays where both are the same file already
    except OSError:
        beside.unlink(missing_ok=True)
        with path.open("rb") as whole, written_whole(named) as file:
            shutil.copyfileobj(whole, file)


def load(path: Path, device: str = "cpu") -> dict[str, Any]:
    """Read a checkpoint; nothing in it can run code. Raises ModelFileError where it is none, or too new."""
    try:
        state = read_torch(path, "a checkpoint of i2i", device=device)
    except FileNotFoundError:
        raise ModelFileError(f"{path}: no such file, so there is nothing to go on from.") from None
    if not isinstance(state, dict) or type(state.get("version")) is not int:
        raise ModelFileError(f"{path}: not a checkpoint of i2i (no version in it).")
    if state["version"] > VERSION:
        raise ModelFileError(f"{path}: written by a newer i2i (format {state['version']}, this one reads {VERSION}).")
    return _upgraded(state)


def _upgraded(state: dict[str, Any]) -> dict[str, Any]:
    """A state of any earlier format as one of today's."""
    if state["version"] < 2:
        sums = {"losses": {}, "signals": {}, "rounds": 0}
        state = {**state, "version": VERSION, "sums": sums, "rollbacks": [], "best": {}}
    return state
