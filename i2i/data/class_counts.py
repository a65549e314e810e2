"""How many pictures each class folder has, and what of that its owner should know."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from i2i.data.listing import some
from i2i.errors import DatasetError
from i2i.images import shown

UNEVEN = 2
"""Times as many pictures as the smallest class, from which the largest is said to have more."""
_NAMED = 5


def counted(labels: NDArray[np.integer[Any]], classes: Sequence[str]) -> list[int]:
    """Pictures of each class."""
    return np.bincount(labels, minlength=len(classes)).tolist()


def about_classes(
    counts: Sequence[int], classes: Sequence[str], balance: Literal["none", "classes"], folder: Path
) -> list[str]:
    """What to know of the classes that are trained on, a sentence each; `folder` is where their folders lie."""
    notes = []
    sizes = dict(zip(classes, counts, strict=True))
    there = {name: count for name, count in sizes.items() if count}
    if there and max(there.values()) >= UNEVEN * min(there.values()):
        least, most = min(there, key=there.__getitem__), max(there, key=there.__getitem__)
        said = f"classes are uneven: {shown(least)} has {there[least]} pictures, {shown(most)} has {there[most]}"
        if balance == "classes":
            times = there[most] / there[least]
            notes.append(
                f"{said}; each class is drawn equally often, a picture of the former {times:.3g} times as often"
            )
        else:
            notes.append(f"{said}; --data.balance classes draws each class equally often")
    if single := [name for name, count in sizes.items() if count == 1]:
        notes.append(f"1 picture alone to learn from: {some(single, _NAMED)}; all that is made of it will be its copy")
    if empty := _without_pictures(folder, classes):
        notes.append(f"class folders without pictures, which are no classes: {some(empty, _NAMED)}")
    return notes


def refuse_left_without(counts: Sequence[int], classes: Sequence[str], place: str) -> None:
    """Raise DatasetError where holding pictures out of training left none of a class."""
    if gone := [name for name, count in zip(classes, counts, strict=True) if not count]:
        raise DatasetError(
            f"{place}: all pictures of {some(gone, _NAMED)} are held out of training, so nothing would be learnt of "
            f"{'it' if len(gone) == 1 else 'them'}. Add pictures or a val split, or hold out none: --holdout 0."
        )


def _without_pictures(folder: Path, classes: Sequence[str]) -> list[str]:
    """Names of the folders in a folder of classes that are none."""
    if not folder.is_dir() or not classes:
        return []
    with os.scandir(folder) as entries:
        return sorted(
            entry.name
            for entry in entries
            if entry.is_dir() and not entry.name.startswith(".") and entry.name not in classes
        )
