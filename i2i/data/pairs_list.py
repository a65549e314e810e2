"""`pairs.csv`: pairs by list, with the columns source, target and, where there are splits, split."""

import csv
import os
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from i2i.data import index
from i2i.data.listing import stem
from i2i.data.sequences import Chosen, Lazy, Names
from i2i.errors import DatasetError
from i2i.images import is_picture, shown

NAME = "pairs.csv"
SPLITS = ("train", "val", "test")


class Row(NamedTuple):
    """A line of the list."""

    source: Path
    target: Path
    split: str
    name: str


class Rows(Lazy[Row]):
    """The lines of a list."""

    def __init__(self, root: Path, files: Names, numbers: NDArray[np.uint8]) -> None:
        """`files` are source, target, source, target ..., relative to `root`; `numbers` are places in `SPLITS`."""
        self.root = root
        self.files = files
        self.numbers = numbers

    def __len__(self) -> int:
        return len(self.numbers)

    def _at(self, index: int) -> Row:
        source, target = self.files[2 * index], self.files[2 * index + 1]
        return Row(self.root / source, self.root / target, SPLITS[self.numbers[index]], stem(source))

    def of(self, split: str) -> Sequence[Row]:
        """The lines of a split."""
        return Chosen(self, np.flatnonzero(self.numbers == (SPLITS.index(split) if split in SPLITS else len(SPLITS))))

    def splits(self) -> tuple[str, ...]:
        """Which splits there are, in the order of `SPLITS`."""
        return tuple(SPLITS[number] for number in np.unique(self.numbers))


def read_list(root: Path) -> Rows:
    """All rows of `root/pairs.csv`, the files checked to be there. Raises DatasetError with the line number."""
    kept = index.load("list", root)
    if kept is not None:
        return Rows(root, Names(kept["files"]), kept["splits"])
    place = root / NAME
    reading = _Reading(root)
    try:
        reading.sources.add(NAME)
        with place.open(encoding="utf-8-sig", newline="") as file:
            rows = reading.rows(csv.reader(file))
    except UnicodeDecodeError as error:
        raise DatasetError(f"{shown(place)}: not UTF-8 text ({error.reason}); save it as UTF-8.") from error
    except (OSError, csv.Error) as error:
        raise DatasetError(f"{shown(place)}: cannot be read: {error}") from error
    if not rows:
        raise DatasetError(f"{shown(place)}: lists no pairs. Add lines of source,target[,split] below the first.")
    if len(rows) >= index.LARGE:
        index.save("list", root, {"files": rows.files.text, "splits": rows.numbers}, reading.sources)
    return rows


class _Reading:
    """A list while it is read."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.place = root / NAME
        self.sources = index.Sources(root)
        self._folders: set[str] = set()

    def rows(self, lines: Iterator[list[str]]) -> Rows:
        header = [column.strip().lower() for column in next(lines, [])]
        for wanted in ("source", "target"):
            if wanted not in header:
                raise DatasetError(
                    f"{shown(self.place)}: the first line has the columns {', '.join(header) or 'none'}, but not "
                    f"{wanted!r}. It should read source,target or source,target,split."
                )
        numbers = bytearray()
        files = Names.of(self._files(header, lines, numbers))
        return Rows(self.root, files, np.frombuffer(numbers, np.uint8))

    def _files(self, header: list[str], lines: Iterator[list[str]], numbers: bytearray) -> Iterator[str]:
        """Source and target of every line in turn; the place of its split is added to `numbers`."""
        place = shown(self.place)
        for cells in lines:
            if not any(cell.strip() for cell in cells):
                continue
            line = f"{place}, line {lines.line_num}"  # type: ignore[attr-defined]
            row = dict(zip(header, (cell.strip() for cell in cells), strict=False))
            split = row.get("split") or "train"
            if split not in SPLITS:
                raise DatasetError(f"{line}: the split is {split!r}, but must be one of {', '.join(SPLITS)}.")
            numbers.append(SPLITS.index(split))
            for column in ("source", "target"):
                yield self._file(line, column, row.get(column, ""))

    def _file(self, line: str, column: str, text: str) -> str:
        """The name of a file that is there, as on disk."""
        if not text:
            raise DatasetError(f"{line}: no {column}. Every line needs a source and a target.")
        if _leaves(text):
            raise DatasetError(
                f"{line}: the {column} {shown(text)} leaves the folder; write paths relative to {shown(self.root)}."
            )
        name = PurePosixPath(text).as_posix()
        if not is_picture(name.rpartition("/")[2]):
            raise DatasetError(f"{line}: the {column} {shown(text)} is not a jpg, png, webp, bmp or tif.")
        for spelling in (name, unicodedata.normalize("NFC", name), unicodedata.normalize("NFD", name)):
            self._note(os.path.dirname(spelling))  # noqa: PTH120  a million of them
            if os.path.isfile(f"{self.root}/{spelling}"):  # noqa: PTH113
                return spelling
        raise DatasetError(
            f"{line}: the {column} {shown(self.root / text)} does not exist. Correct or remove the line."
        )

    def _note(self, folder: str) -> None:
        if folder not in self._folders:
            self._folders.add(folder)
            with suppress(OSError):  # it is not there; nor then is the file
                self.sources.add(folder)


def _leaves(text: str) -> bool:
    if ".." not in text and ":" not in text and "\\" not in text and text[0] != "/":
        return False  # what follows takes ten times as long
    windows = PureWindowsPath(text)
    return bool(PurePosixPath(text).is_absolute() or windows.drive or windows.root or ".." in windows.parts)
