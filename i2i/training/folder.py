"""The folder of a run: made, kept from harm, taken away where nothing began."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Literal

from i2i.engine.log import read as read_log
from i2i.errors import TrainingError
from i2i.files import make_writable

Existing = Literal["refuse", "continue", "overwrite"]


@contextmanager
def prepared(run: Path, existing: Existing) -> Iterator[None]:
    """A folder for a new run; what was made for a run that never began is taken away again."""
    try:
        if run.exists() and not run.is_dir():
            raise TrainingError(f"{run}: is a file, wanted a folder for the run. Choose another with --out.")
        filled = run.exists() and any(run.iterdir())
        made = [folder for folder in (run, *run.parents) if not folder.exists()]
    except OSError as error:
        raise TrainingError(f"{run}: cannot be read ({error.strerror}). Choose another with --out.") from None
    if filled and existing != "continue" and not (run / "experiment.yaml").exists():
        raise TrainingError(f"{run}: holds something that is no run. Choose another folder with --out.")
    if filled and existing == "refuse":
        go_on = f"Go on with it (i2i train --resume {run})" if (run / "checkpoint.pt").exists() else "Use --continue"
        raise TrainingError(
            f"{run}: holds a run already. {go_on}, choose another folder with --out, or throw it away with --overwrite."
        )
    try:
        make_writable(run)
    except OSError as error:
        raise TrainingError(f"{run}: cannot be written to ({error.strerror}). Choose another with --out.") from None
    try:
        yield
    except BaseException:
        if not filled and not (run / "checkpoint.pt").exists() and not read_log(run / "log.jsonl"):
            clear(run)
            for folder in made:
                with suppress(OSError):  # another run may have been started in there
                    folder.rmdir()
        raise


def clear(run: Path) -> None:
    """Take away what a run leaves, and nothing else."""
    if not (run / "experiment.yaml").exists() and not (run / "log.jsonl").exists():
        return
    for name in ("samples", "tensorboard"):
        shutil.rmtree(run / name, ignore_errors=True)
    for pattern in ("*.safetensors*", "checkpoint.pt*", "log.jsonl*", "report.html", "notes.txt", "experiment.yaml"):
        for file in run.glob(pattern):
            file.unlink()
