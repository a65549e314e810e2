"""Which captions the pictures of a split have: NAME.txt beside NAME.jpg, one a line, or one captions.csv for all."""

import csv
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from i2i.data.folders import FoundPictures, find_pictures
from i2i.data.listing import some
from i2i.errors import DatasetError
from i2i.images import shown

NAME = "captions.csv"
_LARGE = 1 << 20
"""Bytes of the captions of one picture, beyond which a file is no such thing."""
_WANTED = "Wanted: beside 1.jpg a 1.txt with one caption a line, or one captions.csv with the columns picture,caption"

Captions = tuple[str, ...]
"""Of one picture: 1 or more."""


@dataclass(frozen=True, slots=True)
class FoundCaptions:
    """The pictures of a split, each with its captions."""

    place: str
    pictures: Sequence[Path]
    captions: Sequence[Captions]


def find_captions(root: str | Path, split: str = "train") -> FoundCaptions:
    """All pictures of a split with what is said of them. Raises DatasetError where one has no caption, or none fits."""
    found = find_pictures(root, split)
    folder = Path(root) / split if (Path(root) / split).is_dir() else Path(root)
    captions = _listed(folder, found) if (folder / NAME).is_file() else _beside(folder, found)
    without = [path.name for path, own in zip(found.pictures, captions, strict=True) if not own]
    if len(without) == len(captions):
        raise DatasetError(f"{found.place}: its pictures have no captions. {_WANTED}.")
    if without:
        raise DatasetError(
            f"{found.place}: {len(without)} of {len(captions)} pictures have no caption: {some(without)}. {_WANTED}; "
            f"or take these pictures away."
        )
    return FoundCaptions(found.place, found.pictures, captions)


def _beside(folder: Path, found: FoundPictures) -> list[Captions]:
    files = [path.with_suffix(".txt") for path in found.pictures]
    there = set(folder.rglob("*.txt"))
    if alone := there.difference(files):
        raise DatasetError(
            f"{shown(folder)}: captions without a picture: {some(path.name for path in alone)}. Take them away, or "
            f"give them the names of their pictures."
        )
    return [_lines(file) if file.is_file() else () for file in files]


def _lines(file: Path) -> Captions:
    try:
        if file.stat().st_size > _LARGE:
            raise DatasetError(f"{shown(file)}: has more than a megabyte, too much for captions of a picture.")
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not UTF-8 text"
        raise DatasetError(f"{shown(file)}: cannot be read: {reason}.") from None
    captions = tuple(filter(None, map(_plain, text.splitlines())))
    if not captions:
        raise DatasetError(f"{shown(file)}: is empty. Wanted: one caption a line, or take the picture away too.")
    return captions


def _listed(folder: Path, found: FoundPictures) -> list[Captions]:
    place = folder / NAME
    names = {_composed(path.relative_to(folder).as_posix()): index for index, path in enumerate(found.pictures)}
    captions: list[list[str]] = [[] for _ in names]
    try:
        with place.open(encoding="utf-8-sig", newline="") as file:
            lines = csv.DictReader(file)
            columns = [name.strip().lower() for name in lines.fieldnames or ()]
            if not {"picture", "caption"} <= set(columns):
                raise DatasetError(
                    f"{shown(place)}: the first line has the columns {', '.join(columns) or 'none'}; it should read "
                    f"picture,caption."
                )
            lines.fieldnames = columns
            for line in lines:
                name, caption = (_plain(line[column] or "") for column in ("picture", "caption"))
                where = f"{shown(place)}, line {lines.line_num}"
                if _composed(name) not in names:
                    raise DatasetError(f"{where}: {shown(name)} is no picture of {shown(folder)}. Correct the line.")
                if not caption:
                    raise DatasetError(f"{where}: the caption of {shown(name)} is empty. Write one, or take it away.")
                captions[names[_composed(name)]].append(caption)
    except UnicodeDecodeError:
        raise DatasetError(f"{shown(place)}: not UTF-8 text; save it as UTF-8.") from None
    except (OSError, csv.Error) as error:
        raise DatasetError(f"{shown(place)}: cannot be read: {error}") from None
    return [tuple(own) for own in captions]


def _plain(text: str) -> str:
    """A caption on one line, its words apart by one space."""
    return " ".join(text.split())


def _composed(name: str) -> str:
    """Accents in one spelling: file systems have two."""
    return unicodedata.normalize("NFC", name)
