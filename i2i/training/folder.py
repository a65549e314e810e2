"""The folder of a run: made, kept from harm, taken away where nothing began."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Literal

from i2i.engine.log import read as read_log
from i2i.errors import TrainingError
from i2i.files import make_writable
from i2i.training.lock import NAME as LOCK
from i2i.training.lock import alone

Existing = Literal["refuse", "continue", "overwrite"]


@contextmanager
def prepared(run: Path, existing: Existing) -> Iterator[None]:
    """A folder for a new run, for this process alone; what was made for a run that never began is taken away again.

    Raises TrainingError.
    """
    try:
        if run.exists() and not run.is_dir():
            raise TrainingError(f"{run}: is a file, wanted a folder for the run. Choose another with --out.")
        if not (run / LOCK).exists():  # whoever trains there is said first
            _refuse(run, existing)
        made = [folder for folder in (run, *run.parents) if not folder.exists()]
    except OSError as error:
        raise TrainingError(f"{run}: cannot be read ({error.strerror}). Choose another with --out.") from None
    try:
        make_writable(run)
    except OSError as error:
        raise TrainingError(f"{run}: cannot be written to ({error.strerror}). Choose another with --out.") from None
    try:
        with alone(run):
            filled = _refuse(run, existing)  # it may have been made meanwhile
            try:
                yield
            except BaseException:
                if not filled and not (run / "checkpoint.pt").exists() and not read_log(run / "log.jsonl"):
                    clear(run)
                raise
    except BaseException:
        for folder in made:
            with suppress(OSError):  # a run has begun, or another one may have been started in there
                folder.rmdir()
        raise


def _refuse(run: Path, existing: Existing) -> bool:
    """Whether anything is there already. Raises TrainingError where it is in the way."""
    filled = run.exists() and any(file.name != LOCK for file in run.iterdir())
    if filled and existing != "continue" and not (run / "experiment.yaml").exists():
        raise TrainingError(f"{run}: holds something that is no run. Choose another folder with --out.")
    if filled and existing == "refuse":
        go_on = f"Go on with it (i2i train --resume {run})" if (run / "checkpoint.pt").exists() else "Use --continue"
        raise TrainingError(
            f"{run}: holds a run already. {go_on}, choose another folder with --out, or throw it away with --overwrite."
        )
    return filled


@contextmanager
def writing(run: Path) -> Iterator[None]:
    """Raise TrainingError where a file of a run cannot be written within: a disk is full, or gone."""
    try:
        yield
    except OSError as error:
        raise TrainingError(
            f"{error.filename or run}: could not be written ({error.strerror or error}). The last checkpoint is kept; "
            f"once there is room, go on from it: i2i train --resume {run}"
        ) from None


def clear(run: Path) -> None:
    """Take away what a run leaves, and nothing else."""
    if not (run / "experiment.yaml").exists() and not (run / "log.jsonl").exists():
        return
    for name in ("samples", "tensorboard"):
        shutil.rmtree(run / name, ignore_errors=True)
    for pattern in (
        *("*.safetensors*", "checkpoint.pt*", "checkpoint-*.pt*", "log.jsonl*"),
        *("report.html", "notes.txt", "skipped.txt", "experiment.yaml"),
    ):
        for file in run.glob(pattern):
            file.unlink()
