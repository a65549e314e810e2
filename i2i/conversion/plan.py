"""Which file becomes which, decided before anything is read or written."""

import glob
import itertools
import os
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from i2i import images
from i2i.conversion import listed
from i2i.conversion.listed import Listed
from i2i.conversion.real import Folders, real
from i2i.data.folders import sampled
from i2i.data.listing import scan, some
from i2i.data.sequences import Chosen, Joined, Lazy, Mapped, Names
from i2i.errors import DatasetError
from i2i.files import make_writable
from i2i.images import shown

Format = Literal["keep", "jpg", "png", "webp", "tif", "bmp"]
FORMATS: tuple[Format, ...] = ("keep", "jpg", "png", "webp", "tif", "bmp")
Half = Literal["A", "B", "whole"]
Indices = range | NDArray[np.integer[Any]]


@dataclass(frozen=True, slots=True)
class Part:
    """Inputs that were given together: a folder, some files, a list."""

    names: Sequence[str]
    root: str
    """What is put in front of a name to find the file."""
    output: str
    place: Callable[[str], str]
    """A name's place below the output, in its own format."""
    suffix: str
    """Of the outputs; empty keeps each input's."""

    def pair(self, name: str) -> tuple[str, str]:
        place = self.place(name)
        if self.suffix:
            place = os.path.splitext(place)[0] + self.suffix  # noqa: PTH122  (a million names)
        return os.path.join(self.root, name), os.path.join(self.output, place)  # noqa: PTH118


class Plan(Lazy[tuple[Path, Path]]):
    """Every input and its output. Names are packed and outputs worked out when they are asked for: a million files of
    40 letters take 50 MB, as pairs of paths they took 0.8 GB."""

    def __init__(self, pairs: Sequence[tuple[str, str]], indices: Indices | None = None) -> None:
        self._pairs = pairs
        self.indices: Indices = range(len(pairs)) if indices is None else indices

    def __len__(self) -> int:
        return len(self.indices)

    def _at(self, index: int) -> tuple[Path, Path]:
        source, target = self._pairs[int(self.indices[index])]
        return Path(source), Path(target)

    def __iter__(self) -> Iterator[tuple[Path, Path]]:
        return ((Path(source), Path(target)) for source, target in self.text())

    def text(self) -> Iterator[tuple[str, str]]:
        """The pairs as text, which is four times as fast for a million."""
        whole = isinstance(self.indices, range) and self.indices == range(len(self._pairs))
        return iter(self._pairs if whole else Chosen(self._pairs, self.indices))

    def only(self, places: slice | NDArray[np.bool_] | NDArray[np.int64]) -> "Plan":
        """A part of it, or all in another order."""
        if isinstance(places, slice):
            return Plan(self._pairs, self.indices[places])
        return Plan(self._pairs, np.asarray(self.indices)[places])


def make_plan(inputs: Sequence[Path | Listed], output: Path, format: Format = "keep", half: Half | None = None) -> Plan:
    """Every input and the output it will have, before anything is read or written. Raises DatasetError."""
    suffix = "" if format == "keep" else f".{format}"
    if is_to_file(inputs, output):
        target = str(output.with_suffix(suffix) if suffix else output)
        plan = Plan([(str(inputs[0]), target)])
    else:
        parts = list(_parts(inputs, output, suffix))
        plan = Plan(Joined(*[Mapped(part.pair, part.names) for part in parts]))
        if not len(plan):
            names = ["the list" if isinstance(one, Listed) else str(one) for one in inputs]
            raise DatasetError(f"{some(names)}: no pictures in there. Wanted: jpg, png, webp, bmp or tif files.")
        if output.exists() and not output.is_dir():
            raise DatasetError(f"{shown(output)}: is a file, wanted a folder for {len(plan)} results.")
        _refuse_ways_out(plan, output)
    _refuse_collisions(plan)
    if half is None:
        _refuse_glued(plan)
    return plan


def is_to_file(inputs: Sequence[Path | Listed], output: Path) -> bool:
    """Whether one file goes into one file, rather than into a folder."""
    one = inputs[0] if len(inputs) == 1 else None
    return isinstance(one, Path) and one.is_file() and not output.is_dir() and output.suffix.lower() in images.SUFFIXES


def _parts(inputs: Sequence[Path | Listed], output: Path, suffix: str) -> Iterator[Part]:
    """The inputs; files that follow each other, as a shell's `*` gives them, are one part."""
    several = sum(isinstance(one, Path) and one.is_dir() for one in inputs) > 1
    out = str(output)
    for kind, group in itertools.groupby(inputs, _kind):
        if kind == "file":
            yield Part(Names.of(str(one) for one in group), "", out, os.path.basename, suffix)
            continue
        for one in group:
            if isinstance(one, Listed):
                yield Part(one.names, "", out, listed.place, suffix)
            elif kind == "folder":
                # Several folders keep their own names, so that their trees do not mix.
                place = _Below(real(one).name if several else "")
                yield Part(_names(one, output), str(one), out, place, suffix)
            else:
                matched = sorted(glob.glob(str(one), recursive=True))  # noqa: PTH207  Path.glob: no absolute pattern
                names = Names.of(name for name in matched if images.is_picture(os.path.basename(name)))  # noqa: PTH119
                yield Part(names, "", out, os.path.basename, suffix)


@dataclass(frozen=True, slots=True)
class _Below:
    folder: str

    def __call__(self, name: str) -> str:
        return os.path.join(self.folder, name)  # noqa: PTH118


def _kind(one: Path | Listed) -> Literal["list", "folder", "file", "glob"]:
    if isinstance(one, Listed):
        return "list"
    if one.is_dir():
        return "folder"
    if one.exists() or one.is_symlink():
        return "file"
    if glob.has_magic(str(one)):
        return "glob"
    raise DatasetError(f"{shown(one)}: does not exist. Give pictures, folders or a glob such as 'photos/*.jpg'.")


def _names(folder: Path, output: Path) -> Sequence[str]:
    """The pictures of a folder, without what an earlier call left there."""
    root, result = real(folder), real(output)
    if root == result:
        raise DatasetError(
            f"{shown(folder)}: is the input and the output, and no picture is replaced by its translation. Give "
            f"another output folder."
        )
    listing = scan(folder)
    if not result.is_relative_to(root):
        return listing.names
    folders = Folders()
    ours = np.fromiter(
        (Path(folders.file(os.path.join(folder, name))).is_relative_to(result) for name in listing.names),  # noqa: PTH118
        bool,
        len(listing),
    )
    return Chosen(listing.names, np.flatnonzero(~ours))


def _refuse_ways_out(plan: Plan, output: Path) -> None:
    """A link inside the output to another folder, through which results would be written there."""
    root = real(output)
    for folder in unique_folders(target for _, target in plan.text()):
        leads = real(Path(folder))
        if not leads.is_relative_to(root):
            raise DatasetError(
                f"{shown(Path(folder))}: is a link out of the output folder, to {shown(leads)}, and nothing is written "
                f"outside of it. Remove the link, or give another output folder."
            )


def unique_folders(files: Iterable[str]) -> dict[str, None]:
    """The folders that files lie in, each once, in order."""
    return dict.fromkeys(os.path.dirname(file) for file in files)  # noqa: PTH120


def _refuse_collisions(plan: Plan) -> None:
    """Two inputs for one output, also where a file system does not tell case or the spelling of an accent."""
    # Numbers first, which take 8 bytes a name; a name in full only where two numbers are the same.
    keys = np.fromiter((hash(_key(target)) for _, target in plan.text()), np.int64, len(plan))
    sorted_keys = np.sort(keys)
    twice = np.unique(sorted_keys[1:][sorted_keys[1:] == sorted_keys[:-1]])
    taken: dict[str, str] = {}
    for index in np.flatnonzero(np.isin(keys, twice)):
        source, target = plan[int(index)]
        known = len(taken)
        other = taken.setdefault(_key(str(target)), str(source))
        if len(taken) == known:
            raise DatasetError(
                f"{shown(Path(other))} and {shown(source)} would both become {shown(target)}. Convert them in two "
                f"calls, or with --format keep."
            )


def _key(target: str) -> str:
    return target.lower() if target.isascii() else unicodedata.normalize("NFC", target).casefold()


def _refuse_glued(plan: Plan) -> None:
    """Pairs that lie side by side in one picture are told by the folder of a split that holds nothing else."""
    folders = sorted(unique_folders(source for source, _ in plan.text()))
    if any(real(Path(folder)).name not in ("train", "val", "test") for folder in folders):
        return
    headers = sampled(Mapped(_source, plan))
    if headers and all(header.width == 2 * header.height for header in headers.values()):
        raise DatasetError(
            f"{shown(Path(folders[0]))}: every picture is twice as wide as high, as pairs side by side are. Say which "
            f"half is the source: --half A (left) or --half B (right); --half whole takes the pictures as they are."
        )


def _source(pair: tuple[Path, Path]) -> Path:
    return pair[0]


def prepare_folder(folder: Path) -> None:
    """Make a folder that results can be written to. Raises DatasetError."""
    try:
        make_writable(folder)
    except OSError as error:
        reason = error.strerror or str(error)
        raise DatasetError(f"{shown(folder)}: cannot be written to ({reason}). Give another output folder.") from None
