"""What lies in a folder: pictures, by name, without opening any."""

import os
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np

from i2i.data import index
from i2i.data.sequences import Mapped, Names
from i2i.errors import DatasetError
from i2i.images import is_picture, shown

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Listing:
    """The pictures of a folder and its subfolders, in the order of their names."""

    folder: Path
    names: Sequence[str]
    """Relative to the folder, with /, as on disk."""
    ignored: int
    """Hidden files and files that are no pictures."""

    def __len__(self) -> int:
        return len(self.names)

    def paths(self) -> Sequence[Path]:
        """The files, in the order of `names`."""
        return Mapped(self.folder.joinpath, self.names)


def scan(folder: Path) -> Listing:
    """List a folder's pictures, recursively; hidden folders are left out. Raises DatasetError.

    A large folder is not read again while nothing in it was added, removed or renamed.
    """
    kept = index.load("pictures", folder)
    if kept is not None:
        return Listing(folder, Names(kept["names"]), int(kept["ignored"]))
    listing, names, sources = _read(folder)
    if len(names) >= index.LARGE:
        if not sources.settled() and sources.settled_by_now():  # it had just been written
            listing, names, sources = _read(folder)
        index.save("pictures", folder, {"names": names.text, "ignored": np.array(listing.ignored)}, sources)
    return listing


def _read(folder: Path) -> tuple[Listing, Names, index.Sources]:
    walk = _Walk(folder)
    names = Names.of(sorted(walk, key=_order))
    return Listing(folder, names, walk.ignored), names, walk.sources


def holds_pictures(folder: Path) -> bool:
    """Whether there is any picture in a folder or its subfolders. Raises DatasetError."""
    return any(True for _ in _Walk(folder))


class _Walk:
    """The names of a folder's pictures, in no order."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.sources = index.Sources(folder)
        self.ignored = 0

    def __iter__(self) -> Iterator[str]:
        todo = [(str(self.folder), "")]
        followed: set[str] = set()
        try:
            while todo:
                place, prefix = todo.pop()
                self.sources.add(prefix)
                with os.scandir(place) as entries:
                    for entry in entries:
                        if _is_folder(entry):
                            if entry.name.startswith("."):
                                continue
                            if entry.is_symlink():  # a link back up would go round for ever
                                real = os.path.realpath(entry.path)
                                above = os.path.realpath(place)
                                if real in followed or os.path.commonpath([real, above]) == real:
                                    self.sources.certain = False
                                    continue
                                followed.add(real)
                            todo.append((entry.path, f"{prefix}{entry.name}/"))
                        elif is_picture(entry.name):
                            yield prefix + entry.name
                        else:
                            self.ignored += 1
                            if entry.is_symlink():  # it may lead to a folder one day, and nothing here would change
                                self.sources.certain = False
        except OSError as error:
            raise DatasetError(f"{shown(error.filename)}: cannot be listed: {error.strerror}") from error


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself, or into a folder out of reach: one name among many, whose reader will say so
        return False


def _order(name: str) -> str:
    """The same on every file system, whichever way it writes an accent."""
    return name if name.isascii() else unicodedata.normalize("NFC", name)


def stem(name: str) -> str:
    """What pairs are matched by: the name without its suffix, its subfolder kept, accents in one spelling."""
    return _order(name[: name.rindex(".")])


def by_stem(listing: Listing) -> dict[str, str]:
    """Stem to name. Raises DatasetError where two files share a stem, since either could be the partner."""
    found: dict[str, str] = {}
    for name in listing.names:
        other = found.setdefault(stem(name), name)
        if other != name:
            raise DatasetError(
                f"{shown(listing.folder)}: {shown(other)} and {shown(name)} have the same name but for the suffix, so "
                "it is not clear which of them makes the pair. Remove or rename one."
            )
    return found


def some(names: Iterable[str], limit: int = 3) -> str:
    """A few names for a message: 'a, b, c and 7 more'."""
    ordered = sorted(names)
    text = ", ".join(shown(name) for name in ordered[:limit])
    return f"{text} and {len(ordered) - limit} more" if len(ordered) > limit else text or "none"


def spread(items: Sequence[T], count: int) -> list[T]:
    """`count` of the items, evenly from first to last; all where there are fewer."""
    if len(items) <= count:
        return list(items)
    return [items[index * (len(items) - 1) // max(count - 1, 1)] for index in range(count)]
