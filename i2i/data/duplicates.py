"""The same picture in two splits: what is tested on was trained on."""

import hashlib
from collections.abc import Mapping, Sequence
from itertools import combinations
from pathlib import Path

import numpy as np

from i2i.images import shown


def across_splits(root: Path, files: Mapping[str, Sequence[Path]]) -> list[str]:
    """A line for every two splits that share files of the same content. Only files of equal length are read."""
    lengths = {split: np.fromiter(map(_length, paths), np.int64, len(paths)) for split, paths in files.items()}
    content: dict[str, dict[bytes, int]] = {}
    for split, own in lengths.items():
        others = [other for name, other in lengths.items() if name != split]
        shared = np.isin(own, np.concatenate(others)) if others else np.zeros(len(own), np.bool_)
        content[split] = {}
        for index in np.flatnonzero(shared & (own >= 0)).tolist():
            if (digest := _digest(files[split][index])) is not None:
                content[split].setdefault(digest, index)
    lines = []
    for one, other in combinations(files, 2):
        same = content[one].keys() & content[other].keys()
        if same:
            first = min(same, key=lambda digest: content[one][digest])
            a, b = (shown(files[split][content[split][first]].relative_to(root)) for split in (one, other))
            lines.append(
                f"{len(same)} pictures are in both {one} and {other}, such as {a} and {b}: remove them from one"
            )
    return lines


def _length(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:  # named as unreadable already
        return -1


def _digest(path: Path) -> bytes | None:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "blake2b").digest()
    except OSError:
        return None
