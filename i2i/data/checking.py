"""Look a dataset through before training: every picture, every pair, every split. Torch is not imported."""

import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from i2i.data.captions.finding import find_captions
from i2i.data.duplicates import across_splits
from i2i.data.folders import Kind, halves, one_folder, sampled, splits, two_folders
from i2i.data.listing import by_stem, scan, some
from i2i.data.pairs_list import NAME, read_list
from i2i.errors import DatasetError, PictureError
from i2i.images import Probe, probe, read_picture, shown

Progress = Callable[[int, int], None]
"""Told how many files are looked through, of how many."""

_RECIPES: dict[Kind, tuple[str, ...]] = {
    "side-by-side": ("pix2pix",),
    "pairs": ("pix2pix",),
    "list": ("pix2pix",),
    "unpaired": ("cyclegan", "cut"),
    "single": ("dcgan", "super-resolution", "colorize", "inpaint", "sketch", "next-frame"),
}


@dataclass(kw_only=True)
class SplitReport:
    """What a split holds."""

    name: str
    counts: dict[str, int]
    """Pictures by side: {"A": 400, "B": 400}, or {"pictures": 400} where each is one picture or both halves."""
    pairs: int
    """Pairs that can be trained on; 0 where nothing is paired."""
    sizes: list[tuple[int, int, int]] = field(default_factory=list)
    """(width, height, how many) of the files, the most frequent first."""
    channels: dict[str, str] = field(default_factory=dict)
    """gray, rgb or mixed, by side."""
    alpha: int = 0
    """Pictures with transparency, which training leaves out."""
    deep: int = 0
    """Pictures of 16 bits."""
    ignored: int = 0
    """Hidden files and files that are no pictures."""


@dataclass(kw_only=True)
class Report:
    """What `i2i check` says about a dataset."""

    root: Path
    kind: Kind
    splits: list[SplitReport]
    problems: list[str]
    """What training would stumble over or evaluation would be wrong by; empty for a sound dataset."""
    notes: list[str]
    recipes: tuple[str, ...]
    """Names of the recipes that fit, the most fitting first."""

    @property
    def sound(self) -> bool:
        """Whether there are no problems."""
        return not self.problems


@dataclass
class _Split:
    """A split as found: its files by side, and which of them are pairs."""

    name: str
    sides: dict[str, Sequence[Path]]
    pairs: list[tuple[Path, Path]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    ignored: int = 0


def check(root: str | Path, *, decode: bool = True, progress: Progress | None = None) -> Report:
    """Look a dataset through. `decode` reads every picture to its end; without it only headers are read.

    Raises DatasetError where there is no dataset at all; everything else is in the report.
    """
    root = Path(root)
    kind, found = _layout(root)
    problems = [problem for split in found for problem in split.problems]
    files = list(dict.fromkeys(path for split in found for paths in split.sides.values() for path in paths))
    headers, unreadable = _headers(files, decode, progress)
    problems += unreadable
    for split in found:
        problems += _misfits(kind, split, headers)
    problems += across_splits(root, {split.name: [p for side in split.sides.values() for p in side] for split in found})
    reports = [_report(kind, split, headers) for split in found]
    told = _captions(root) if kind == "single" else ""
    return Report(
        root=root,
        kind=kind,
        splits=reports,
        problems=problems,
        notes=[*_notes(kind, reports, headers), *([told] if told else [])],
        recipes=(
            *(name for name in _RECIPES[kind] if name != "colorize" or _coloured(reports)),
            *(["text-to-image"] if told else []),
        ),
    )


def _captions(root: Path) -> str:
    """What to say of captions where all pictures to train on have some; text beside pictures may be something else."""
    try:
        found = find_captions(root)
    except DatasetError:
        return ""
    total = sum(map(len, found.captions))
    return f"{len(found.pictures)} pictures have {total} captions beside them, which the recipe text-to-image reads"


def _layout(root: Path) -> tuple[Kind, list[_Split]]:
    names = splits(root)
    if (root / NAME).is_file():
        return "list", [_listed(root, name) for name in names]
    if any(two_folders(root, name, strict=False) for name in names):
        found = [_two_sided(root, name) for name in names]
        paired = sum(len(split.pairs) for split in found)
        total = sum(max(map(len, split.sides.values())) for split in found)
        if paired * 2 > total:
            return "pairs", found
        for split in found:
            split.pairs, split.problems = [], []
        return "unpaired", found
    found = [_one_sided(root, name) for name in names]
    headers = sampled([path for split in found for path in split.sides["pictures"]])
    wide = sum(halves(header) and header.width == 2 * header.height for header in headers.values())
    return ("side-by-side" if headers and wide * 2 > len(headers) else "single"), found


def _listed(root: Path, name: str) -> _Split:
    rows = [row for row in read_list(root) if row.split == name]
    a, b = [row.source for row in rows], [row.target for row in rows]
    return _Split(name, {"A": a, "B": b}, list(zip(a, b, strict=True)))


def _two_sided(root: Path, name: str) -> _Split:
    try:
        two = two_folders(root, name)
    except DatasetError as error:
        return _Split(name, {"A": [], "B": []}, problems=[str(error)])
    if not two:
        return _Split(name, {"A": [], "B": []}, problems=[f"{name}: has no A and B, as other splits have"])
    listings = [scan(folder) for folder in two]
    a, b = (listing.paths() for listing in listings)
    split = _Split(name, {"A": a, "B": b}, ignored=sum(listing.ignored for listing in listings))
    try:
        left, right = (by_stem(listing) for listing in listings)
    except DatasetError as error:
        split.problems.append(str(error))
        return split
    split.pairs = [(two[0] / left[key], two[1] / right[key]) for key in left if key in right]
    for side, only in (("A", left.keys() - right.keys()), ("B", right.keys() - left.keys())):
        if only:
            split.problems.append(f"{name}: {len(only)} pictures only in {side}, without partner: {some(only)}")
    return split


def _one_sided(root: Path, name: str) -> _Split:
    listing = scan(one_folder(root, name))
    split = _Split(name, {"pictures": listing.paths()}, ignored=listing.ignored)
    if not len(listing):
        split.problems.append(f"{shown(listing.folder)}: holds no pictures")
    return split


def _headers(files: list[Path], decode: bool, progress: Progress | None) -> tuple[dict[Path, Probe], list[str]]:
    headers, problems = {}, []
    threads = min(8, os.cpu_count() or 1)
    with ThreadPoolExecutor(threads) as pool:
        results = pool.map(lambda path: _header(path, decode), files)
        for done, (path, result) in enumerate(zip(files, results, strict=True), start=1):
            if isinstance(result, Probe):
                headers[path] = result
            else:
                problems.append(result)
            if progress:
                progress(done, len(files))
    return headers, problems


def _header(path: Path, decode: bool) -> Probe | str:
    try:
        header = probe(path)
        if decode:
            read_picture(path)
    except PictureError as error:
        return str(error)
    return header


def _misfits(kind: Kind, split: _Split, headers: dict[Path, Probe]) -> Iterator[str]:
    if kind == "side-by-side":
        files = [path for path in split.sides["pictures"] if path in headers]
        wrong = [path for path in files if not halves(headers[path])]
        for path in islice(wrong, 10):
            width, height = headers[path].width, headers[path].height
            yield f"{shown(path)}: is {width} x {height}, but a pair side by side is 2W x H with A left and B right"
        if len(wrong) > 10:
            yield f"{split.name}: {len(wrong) - 10} more pictures are not 2W x H"
    unequal = [
        (a, b) for a, b in split.pairs if a in headers and b in headers and _size(headers[a]) != _size(headers[b])
    ]
    for a, b in islice(unequal, 10):
        yield f"{shown(a)} is {_text(headers[a])} and {shown(b)} is {_text(headers[b])}, but a pair has one size"
    if len(unequal) > 10:
        yield f"{split.name}: {len(unequal) - 10} more pairs of different sizes"


def _report(kind: Kind, split: _Split, headers: dict[Path, Probe]) -> SplitReport:
    sides = {name: [headers[path] for path in paths if path in headers] for name, paths in split.sides.items()}
    every = [header for side in sides.values() for header in side]
    counted = Counter(map(_size, every)).most_common()
    pairs = sum(a in headers and b in headers and _size(headers[a]) == _size(headers[b]) for a, b in split.pairs)
    if kind == "side-by-side":
        pairs = sum(map(halves, every))
    return SplitReport(
        name=split.name,
        counts={name: len(paths) for name, paths in split.sides.items()},
        pairs=pairs,
        sizes=[(width, height, count) for (width, height), count in counted],
        channels={name: _colours(side) for name, side in sides.items() if side},
        alpha=sum(header.alpha for header in every),
        deep=sum(header.bits == 16 for header in every),
        ignored=split.ignored,
    )


def _notes(kind: Kind, reports: list[SplitReport], headers: dict[Path, Probe]) -> Iterator[str]:
    names = [report.name for report in reports]
    if "test" not in names:
        yield "there is no test split to evaluate on"
    if names == ["train"]:
        yield "there is no val or test split: a small part of train will be held out for samples and validation"
    elif "train" not in names:
        yield "there is no train split"
    if kind == "single":
        yield "for pairs side by side every picture would be twice as wide as each half: 512 x 256 for 256 x 256"
    if kind == "unpaired" and any(len(set(report.counts.values())) > 1 for report in reports):
        yield "the domains differ in number: an epoch goes through the larger one"
    if alpha := sum(report.alpha for report in reports):
        yield f"{alpha} pictures have transparency: networks see their colours without it"
    if deep := sum(report.deep for report in reports):
        yield f"{deep} pictures have 16 bits a channel, which are kept"
    if headers:
        smallest = min(headers.values(), key=lambda header: min(_size(header)))
        if min(_size(smallest)) < 256:
            yield f"the smallest picture is {_text(smallest)}: with --resize none, use a --size no larger"


def _coloured(reports: list[SplitReport]) -> bool:
    return any(colours != "gray" for report in reports for colours in report.channels.values())


def _colours(headers: list[Probe]) -> str:
    kinds = {header.channels for header in headers}
    return "mixed" if len(kinds) > 1 else "gray" if kinds == {1} else "rgb"


def _size(header: Probe) -> tuple[int, int]:
    return header.width, header.height


def _text(header: Probe) -> str:
    return f"{header.width} x {header.height}"
