"""What lies in the output already: results of an earlier call, and what a killed one left unfinished."""

import contextlib
import os
import stat
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from i2i.conversion.plan import Plan, unique_folders
from i2i.conversion.real import Folders
from i2i.data.listing import some
from i2i.errors import DatasetError
from i2i.images import shown, unfinished


def is_there(target: str | Path) -> bool:
    """Whether a result, or anything else, has that name. An empty file is what a power failure makes of a result that
    was never on the disk, and counts as none."""
    try:
        found = os.lstat(target)
    except OSError:
        return False
    return not stat.S_ISREG(found.st_mode) or found.st_size > 0


def what_is_there(plan: Plan, whole: Plan, refuse: bool = False) -> NDArray[np.bool_]:
    """Which targets of the plan have something in their place.

    Raises DatasetError where it is an input of the whole plan, which no translation may replace, and where nothing
    may be there at all.
    """
    folders = {folder: os.path.isdir(folder or ".") for folder in unique_folders(pair[1] for pair in plan.text())}  # noqa: PTH112
    there = np.fromiter(
        (folders[os.path.dirname(target)] and is_there(target) for _, target in plan.text()),  # noqa: PTH120
        bool,
        len(plan),
    )
    if there.any():
        _refuse_inputs(plan.only(there), whole)
        if refuse:
            _refuse_results(plan.only(there), len(plan))
    return there


def _refuse_results(there: Plan, of: int) -> None:
    where = Path(os.path.commonpath(list(unique_folders(target for _, target in there.text()))))
    raise DatasetError(
        f"{shown(where)}: {len(there)} of {of} results are there already "
        f"({some([target.name for _, target in there])}). Keep them and convert the rest with --skip-existing, or "
        f"replace them with --overwrite."
    )


def _refuse_inputs(there: Plan, whole: Plan) -> None:
    folders = Folders()
    targets = np.fromiter((hash(folders.file(target)) for _, target in there.text()), np.int64, len(there))
    sources = np.fromiter((hash(folders.file(source)) for source, _ in whole.text()), np.int64, len(whole))
    if not np.isin(targets, sources).any():
        return
    inputs = {folders.file(str(whole[int(index)][0])) for index in np.flatnonzero(np.isin(sources, targets))}
    for index in np.flatnonzero(np.isin(targets, sources)):
        target = there[int(index)][1]
        if folders.file(str(target)) in inputs:
            raise DatasetError(
                f"{shown(target)}: is an input too, and no picture is replaced by a translation. Give another output."
            )


def remove_unfinished(plan: Plan) -> int:
    """Remove what killed processes left half written where results go, and say how many files that were."""
    removed = 0
    for folder in unique_folders(target for _, target in plan.text()):
        with contextlib.suppress(OSError), os.scandir(folder or ".") as entries:
            for entry in entries:
                if entry.name.startswith(".i2i-") and unfinished.is_abandoned(Path(entry.path)):
                    with contextlib.suppress(OSError):
                        Path(entry.path).unlink()
                        removed += 1
    return removed
