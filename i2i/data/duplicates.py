"""The same picture in two splits: what is tested on was trained on."""

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import combinations
from pathlib import Path

from i2i.images import shown


def across_splits(root: Path, files: Mapping[str, Sequence[Path]]) -> list[str]:
    """A line for every two splits that share files of the same content. Only files of equal length are read."""
    by_length: dict[int, dict[str, list[Path]]] = defaultdict(lambda: defaultdict(list))
    for split, paths in files.items():
        for path in paths:
            try:
                by_length[path.stat().st_size][split].append(path)
            except OSError:  # named as unreadable already
                continue
    content: dict[str, dict[bytes, Path]] = defaultdict(dict)
    for groups in by_length.values():
        if len(groups) > 1:
            for split, paths in groups.items():
                for path in paths:
                    if (digest := _digest(path)) is not None:
                        content[split].setdefault(digest, path)
    lines = []
    for one, other in combinations(files, 2):
        same = sorted(content[one].keys() & content[other].keys(), key=lambda digest: content[one][digest])
        if same:
            a, b = (shown(content[split][same[0]].relative_to(root)) for split in (one, other))
            lines.append(
                f"{len(same)} pictures are in both {one} and {other}, such as {a} and {b}: remove them from one"
            )
    return lines


def _digest(path: Path) -> bytes | None:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "blake2b").digest()
    except OSError:
        return None
