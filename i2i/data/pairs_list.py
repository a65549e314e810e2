"""`pairs.csv`: pairs by list, with the columns source, target and, where there are splits, split."""

import csv
import unicodedata
from collections.abc import Iterator
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import NamedTuple

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


def read_list(root: Path) -> list[Row]:
    """All rows of `root/pairs.csv`, the files checked to be there. Raises DatasetError with the line number."""
    place = root / NAME
    try:
        with place.open(encoding="utf-8-sig", newline="") as file:
            rows = list(_rows(root, place, csv.reader(file)))
    except UnicodeDecodeError as error:
        raise DatasetError(f"{shown(place)}: not UTF-8 text ({error.reason}); save it as UTF-8.") from error
    except (OSError, csv.Error) as error:
        raise DatasetError(f"{shown(place)}: cannot be read: {error}") from error
    if not rows:
        raise DatasetError(f"{shown(place)}: lists no pairs. Add lines of source,target[,split] below the first.")
    return rows


def _rows(root: Path, place: Path, lines: Iterator[list[str]]) -> Iterator[Row]:
    header = [column.strip().lower() for column in next(lines, [])]  # type: ignore[call-overload]
    for wanted in ("source", "target"):
        if wanted not in header:
            raise DatasetError(
                f"{shown(place)}: the first line has the columns {', '.join(header) or 'none'}, but not {wanted!r}. "
                "It should read source,target or source,target,split."
            )
    for cells in lines:
        if not any(cell.strip() for cell in cells):
            continue
        line = f"{shown(place)}, line {lines.line_num}"  # type: ignore[attr-defined]
        row = dict(zip(header, (cell.strip() for cell in cells), strict=False))
        split = row.get("split") or "train"
        if split not in SPLITS:
            raise DatasetError(f"{line}: the split is {split!r}, but must be one of {', '.join(SPLITS)}.")
        source, target = (_file(root, line, column, row.get(column, "")) for column in ("source", "target"))
        yield Row(source, target, split, PurePosixPath(row["source"]).with_suffix("").as_posix())


def _file(root: Path, line: str, column: str, text: str) -> Path:
    if not text:
        raise DatasetError(f"{line}: no {column}. Every line needs a source and a target.")
    windows = PureWindowsPath(text)
    if PurePosixPath(text).is_absolute() or windows.drive or windows.root or ".." in windows.parts:
        raise DatasetError(
            f"{line}: the {column} {shown(text)} leaves the folder; write paths relative to {shown(root)}."
        )
    if not is_picture(PurePosixPath(text).name):
        raise DatasetError(f"{line}: the {column} {shown(text)} is not a jpg, png, webp, bmp or tif.")
    for spelling in (text, unicodedata.normalize("NFC", text), unicodedata.normalize("NFD", text)):
        if (root / spelling).is_file():
            return root / spelling
    raise DatasetError(f"{line}: the {column} {shown(root / text)} does not exist. Correct or remove the line.")
