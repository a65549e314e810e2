"""Recognise, without a flag, every layout of a dataset that the guide names, and say what is wrong where none fits.

Torch is not imported here, and of a folder's pictures only a few headers are opened, so that a million files are
indexed in seconds. What is found are sequences that make their paths when asked for one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np

from i2i.data.listing import Listing, by_stem, holds_pictures, scan, some, spread, stem
from i2i.data.matching import partners
from i2i.data.pairs_list import NAME, SPLITS, Row, read_list
from i2i.data.sequences import Chosen, Joined, Mapped
from i2i.errors import DatasetError, PictureError
from i2i.images import Probe, probe, shown

Split = Literal["train", "val", "test"]
Kind = Literal["side-by-side", "pairs", "unpaired", "list", "single"]

SAMPLE = 32
"""Headers opened to see what kind of pictures a folder holds."""

_LAYOUTS = (
    "train/ with pictures side by side, train/A + train/B or trainA + trainB with the same names in both, "
    "or a pairs.csv with the columns source,target"
)


class Pair(NamedTuple):
    """Two aligned pictures; where `b` is None, `a` holds both, side by side."""

    name: str
    a: Path
    b: Path | None


@dataclass(frozen=True, slots=True)
class FoundPairs:
    """The pairs of a split."""

    kind: Kind
    place: str
    pairs: Sequence[Pair]
    ignored: int


@dataclass(frozen=True, slots=True)
class FoundDomains:
    """The pictures of two domains of a split; nothing aligned."""

    place: str
    x: Sequence[Path]
    y: Sequence[Path]
    ignored: int


@dataclass(frozen=True, slots=True)
class FoundPictures:
    """The pictures of a split, with the index of their class folder."""

    place: str
    pictures: Sequence[Path]
    labels: Sequence[int]
    classes: tuple[str, ...]
    """Names of the class folders, sorted; empty where there are none (all labels are 0)."""
    ignored: int


def splits(root: str | Path) -> tuple[str, ...]:
    """Which of train, val and test a dataset has. Raises DatasetError where the folder is not there or is empty."""
    root = _dataset(root)
    if (root / NAME).is_file():
        return read_list(root).splits()
    found = tuple(split for split in SPLITS if _has_folders(root, split))
    if found:
        return found
    if holds_pictures(root):
        return ("train",)
    raise DatasetError(f"{shown(root)}: holds no pictures (jpg, png, webp, bmp, tif). Wanted: {_LAYOUTS}.")


def find_pairs(root: str | Path, split: str = "train") -> FoundPairs:
    """The pairs of a split: by list, from two folders by name, or side by side. Raises DatasetError."""
    root = _dataset(root)
    if (root / NAME).is_file():
        rows = read_list(root).of(split)
        if not rows:
            raise _no_split(root, split)
        return FoundPairs("list", shown(root / NAME), Mapped(_listed, rows), 0)
    two = two_folders(root, split)
    if two:
        return _matched(root, *two)
    listing = _filled(scan(one_folder(root, split)))
    _check_halves(listing)
    pairs = Mapped(partial(_glued, listing.folder), listing.names)
    return FoundPairs("side-by-side", shown(listing.folder), pairs, listing.ignored)


def find_domains(root: str | Path, split: str = "train") -> FoundDomains:
    """The two domains of a split, whether or not their names match. Raises DatasetError."""
    root = _dataset(root)
    if (root / NAME).is_file():
        found = find_pairs(root, split)
        return FoundDomains(found.place, *sides(found.pairs), 0)
    two = two_folders(root, split)
    if two:
        a, b = (_filled(scan(folder)) for folder in two)
        return FoundDomains(_both(*two), a.paths(), b.paths(), a.ignored + b.ignored)
    folder = one_folder(root, split)
    raise DatasetError(
        f"{shown(folder)}: holds {len(scan(folder))} pictures in one place, but unpaired training needs two domains, "
        f"as {split}A + {split}B or {split}/A + {split}/B. For pairs side by side use the recipe 'pix2pix', for one "
        "kind of picture 'dcgan'."
    )


def find_pictures(root: str | Path, split: str = "train") -> FoundPictures:
    """All pictures of a split, labelled by the folders they lie in. Raises DatasetError."""
    root = _dataset(root)
    if (root / NAME).is_file():
        pairs = find_pairs(root, split)
        a, b = sides(pairs.pairs)
        return FoundPictures(pairs.place, Joined(a, b), _two_labels(a, b), ("source", "target"), 0)
    two = root / f"{split}A", root / f"{split}B"
    if two[0].is_dir() and two[1].is_dir():
        a, b = (_filled(scan(folder)) for folder in two)
        pictures, labels = Joined(a.paths(), b.paths()), _two_labels(a.names, b.names)
        return FoundPictures(_both(*two), pictures, labels, ("A", "B"), a.ignored + b.ignored)
    listing = _filled(scan(one_folder(root, split)))
    met: dict[str, int] = {}
    tops = (name.split("/", 1)[0] if "/" in name else "" for name in listing.names)
    labels = np.fromiter((met.setdefault(top, len(met)) for top in tops), np.int64, len(listing))
    classes = tuple(sorted(met))
    ranks = np.array([classes.index(top) for top in met])
    if "" in classes:  # some lie beside the folders: these are no classes
        classes, ranks = (), np.zeros_like(ranks)
    labels = Mapped(int, ranks[labels])
    return FoundPictures(shown(listing.folder), listing.paths(), labels, classes, listing.ignored)


def sides(pairs: Sequence[Pair]) -> tuple[Sequence[Path], Sequence[Path]]:
    """A and B of pairs, which for pairs side by side are the same files."""
    return Mapped(_a, pairs), Mapped(_b, pairs)


def _a(pair: Pair) -> Path:
    return pair.a


def _b(pair: Pair) -> Path:
    return pair.b or pair.a


def _listed(row: Row) -> Pair:
    return Pair(row.name, row.source, row.target)


def _glued(folder: Path, name: str) -> Pair:
    return Pair(stem(name), folder / name, None)


def _of_two(a: Path, b: Path, left: str, right: str) -> Pair:
    return Pair(stem(left), a / left, b / right)


def _two_labels(a: Sequence[object], b: Sequence[object]) -> Sequence[int]:
    return Mapped(int, np.repeat([0, 1], [len(a), len(b)]))


def _dataset(root: str | Path) -> Path:
    root = Path(root)
    if not root.exists():
        raise DatasetError(f"{shown(root)}: does not exist. Wanted: a folder with {_LAYOUTS}.")
    if not root.is_dir():
        raise DatasetError(f"{shown(root)}: is a file, not a folder. Wanted: a folder with {_LAYOUTS}.")
    return root


def _has_folders(root: Path, split: str) -> bool:
    return any((root / name).is_dir() for name in (split, f"{split}A", f"{split}B"))


def two_folders(root: Path, split: str, *, strict: bool = True) -> tuple[Path, Path] | None:
    """The folders of A and B, where the split has them. `strict` raises DatasetError over one without the other."""
    places = [(root / f"{split}A", root / f"{split}B"), (root / split / "A", root / split / "B")]
    if split == "train" and not (root / split).is_dir():
        places.append((root / "A", root / "B"))
    for a, b in places:
        if a.is_dir() and b.is_dir():
            return a, b
    for a, b in places:
        if strict and (a.is_dir() or b.is_dir()):
            there, missing = (path.relative_to(root) for path in ((a, b) if a.is_dir() else (b, a)))
            raise DatasetError(
                f"{shown(root)}: has {there} but no {missing}. Pairs and two domains both need two folders: add "
                f"{missing}. For one kind of picture use the recipe 'dcgan'."
            )
    return None


def one_folder(root: Path, split: str) -> Path:
    """The folder of a split whose pictures lie in one; the dataset itself where it has no splits."""
    if (root / split).is_dir():
        return root / split
    if split == "train" and not any(_has_folders(root, other) for other in SPLITS):
        return root
    raise _no_split(root, split)


def _no_split(root: Path, split: str) -> DatasetError:
    there = ", ".join(splits(root))
    return DatasetError(
        f"{shown(root)}: has no {split} split, only {there}. Wanted: {_LAYOUTS.replace('train', split)}."
    )


def _filled(listing: Listing) -> Listing:
    if len(listing):
        return listing
    others = f" among its {listing.ignored} files" if listing.ignored else ""
    raise DatasetError(
        f"{shown(listing.folder)}: holds no pictures{others}. Wanted: files ending in jpg, png, webp, bmp or tif."
    )


def _both(a: Path, b: Path) -> str:
    return f"{shown(a)} and {shown(b)}"


def _matched(root: Path, a: Path, b: Path) -> FoundPairs:
    one, other = listings = [_filled(scan(folder)) for folder in (a, b)]
    order = partners(one, other)
    if order is None:
        raise _unmatched(root, one, other)
    pairs = Mapped(partial(_of_two, a, b), one.names, Chosen(other.names, order))
    return FoundPairs("pairs", _both(a, b), pairs, sum(listing.ignored for listing in listings))


def _unmatched(root: Path, one: Listing, other: Listing) -> DatasetError:
    """Why two folders make no pairs."""
    a, b = one.folder, other.folder
    left, right = by_stem(one), by_stem(other)
    common = len(left.keys() & right.keys()) or "none"
    return DatasetError(
        f"{shown(root)}: {a.relative_to(root)} has {len(left)} pictures and {b.relative_to(root)} has "
        f"{len(right)}, {common} in both by name, but pairs need the same names in both. "
        f"Only in {a.name}: {some(left.keys() - right.keys())}. Only in {b.name}: "
        f"{some(right.keys() - left.keys())}. Rename or remove these; for unpaired training use 'cyclegan'."
    )


def sampled(paths: Sequence[Path], count: int = SAMPLE) -> dict[Path, Probe]:
    """Headers of a few pictures, evenly from first to last; unreadable ones are left out."""
    found = {}
    for path in spread(paths, count):
        try:
            found[path] = probe(path)
        except PictureError:  # it is named when its turn comes, and by `i2i check`
            continue
    return found


def halves(header: Probe) -> bool:
    """Whether a picture can be two of the same size side by side."""
    return header.width % 2 == 0 and header.width > header.height


def _check_halves(listing: Listing) -> None:
    headers = sampled(listing.paths())
    misfits = {path: header for path, header in headers.items() if not halves(header)}
    if misfits:
        path, header = next(iter(misfits.items()))
        wrong = "an odd width" if header.width % 2 else "no wider than high"
        raise DatasetError(
            f"{shown(path)}: is {header.width} x {header.height}, {wrong}, but a pair side by side is 2W x H, A left "
            f"and B right ({len(misfits)} of {len(headers)} pictures looked at in {shown(listing.folder)} are not). "
            f"Wanted: {_LAYOUTS}. For pictures without partner use the recipe 'dcgan', for two domains 'cyclegan'."
        )
