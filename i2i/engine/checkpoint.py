"""The one file that holds a whole run: always whole, whatever killed the run."""

from pathlib import Path
from typing import Any

import torch

from i2i.errors import ModelFileError, TrainingError
from i2i.files import written_whole
from i2i.torch_files import read_torch

VERSION = 2
"""Format of a checkpoint; raised when an older i2i could not read it, or this one has to add something to an older one.

1: the state of a run. 2: with what was summed since the last line of the log; of Adam no groups.
"""


def save(state: dict[str, Any], path: Path) -> None:
    """Write beside, flush to the disk, rename: at no moment is there half a checkpoint under `path`."""
    try:
        with written_whole(path) as file:
            torch.save({"version": VERSION} | state, file)
    except (OSError, RuntimeError) as error:
        # torch's zip writer turns a full disk into a RuntimeError.
        raise TrainingError(f"{path}: could not be written ({error}). The checkpoint before it is kept.") from None


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
        state = {**state, "sums": {"losses": {}, "rounds": 0}}
    return state
