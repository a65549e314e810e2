"""Indexes of large folders, kept in the user's cache: a second start need not list a million names again.

An index counts only while every folder it was read from is as it was: to add, remove or rename a file changes the
folder's times. Whatever is in doubt, from a damaged file to a cache that cannot be written, is as if there were none.
"""

import hashlib
import os
import time
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from i2i.data.sequences import Names
from i2i.files import written_whole

LARGE = 20_000
"""Files from which on an index is worth its place on the disk."""

KEPT = 20
"""Indexes kept, the last ones written."""

_FORMAT = 1
_GRAIN = 2_000_000_000
"""Nanoseconds that file systems may take for one moment; FAT is the coarsest. A change right after a reading could
leave the folder's times as they were."""

_DAMAGED = (OSError, ValueError, LookupError, EOFError, TypeError, SyntaxError, RuntimeError, MemoryError)
_DAMAGED = (*_DAMAGED, zipfile.BadZipFile, zlib.error)


class Sources:
    """The folders and files that an index is read from, each as it was just before."""

    def __init__(self, root: Path) -> None:
        """All lie below `root`, or are it."""
        self.root = root
        self.certain = True
        """Whether a change would show. What reads them clears it over something else that the index depends on."""
        self._names: list[str] = []
        self._states: list[tuple[int, int, int]] = []
        self._read: list[int] = []

    def add(self, name: str) -> None:
        """Note a folder or file, '' for the root, before it is read. Raises OSError."""
        self._read.append(time.time_ns())
        self._states.append(_state(_below(self.root, name)))
        self._names.append(name)

    def settled(self) -> bool:
        """Whether all had been at rest for so long when they were read that a later change shows in their times."""
        return all(max(state[1:]) + _GRAIN < read for state, read in zip(self._states, self._read, strict=True))

    def settled_by_now(self) -> bool:
        """Whether reading them again could settle it."""
        return max((max(state[1:]) for state in self._states), default=0) + _GRAIN < time.time_ns()

    def arrays(self) -> dict[str, NDArray[Any]]:
        """All of this for a file."""
        return {"sources": Names.of(self._names).text, "states": np.array(self._states, np.int64).reshape(-1, 3)}


def load(kind: str, root: Path) -> Mapping[str, NDArray[Any]] | None:
    """The arrays saved for a folder, where there are any and they still hold."""
    try:
        with _place(kind, root).open("rb") as raw, np.load(raw, allow_pickle=False) as file:
            # Reading an array compares its checksum.
            if int(file["format"]) != _FORMAT or file["root"].tobytes() != _key(kind, root):
                return None
            arrays = {name: file[name] for name in file.files}
            before = zip(Names(arrays["sources"]), arrays["states"].tolist(), strict=True)
            return arrays if all(_state(_below(root, name)) == tuple(state) for name, state in before) else None
    except _DAMAGED:
        return None


def save(kind: str, root: Path, arrays: Mapping[str, NDArray[Any]], sources: Sources) -> None:
    """Keep arrays for the next `load`, unless the sources could change without it showing."""
    if not (sources.certain and sources.settled()):
        return
    try:
        place = _place(kind, root)
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        everything: dict[str, Any] = {**sources.arrays(), **arrays}
        everything |= {"format": np.array(_FORMAT), "root": np.frombuffer(_key(kind, root), np.uint8)}
        with written_whole(place) as file:
            np.savez(file, **everything)
        for old in sorted(place.parent.glob("*.npz"), key=lambda path: path.stat().st_mtime_ns)[:-KEPT]:
            old.unlink()
    except (OSError, RuntimeError):  # no home to keep it in, or a full disk
        return


def _place(kind: str, root: Path) -> Path:
    """Raises RuntimeError where the user has no home."""
    asked = Path(os.environ.get("XDG_CACHE_HOME", ""))
    cache = asked if asked.is_absolute() else Path.home() / ".cache"  # a relative one does not count, says the standard
    return cache / "i2i" / "indexes" / f"{hashlib.blake2b(_key(kind, root), digest_size=16).hexdigest()}.npz"


def _key(kind: str, root: Path) -> bytes:
    return os.fsencode(f"{kind}\0{root.absolute()}")


def _below(root: Path, name: str) -> str:
    return os.path.join(root, name)  # noqa: PTH118  a hundred thousand of them


def _state(path: str) -> tuple[int, int, int]:
    found = os.stat(path)  # noqa: PTH116
    return found.st_ino % 2**63, found.st_mtime_ns, found.st_ctime_ns
