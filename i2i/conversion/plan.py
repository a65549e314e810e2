"""Which file becomes which, decided before anything is read or written."""

import glob
import os
import unicodedata
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

from i2i import images
from i2i.data.folders import sampled
from i2i.data.listing import scan, some
from i2i.errors import DatasetError
from i2i.files import make_writable
from i2i.images import shown

Format = Literal["keep", "jpg", "png", "webp", "tif", "bmp"]
FORMATS: tuple[Format, ...] = ("keep", "jpg", "png", "webp", "tif", "bmp")
Half = Literal["A", "B", "whole"]


def make_plan(inputs: Sequence[Path], output: Path, format: Format, half: Half | None) -> list[tuple[Path, Path]]:
    """Every input and the output it will have, before anything is read or written. Raises DatasetError."""
    found = list(_listed(inputs, output))
    if not found:
        raise DatasetError(
            f"{some([str(one) for one in inputs])}: no pictures in there. Wanted: jpg, png, webp, bmp or tif files."
        )
    if is_to_file(inputs, output):
        target = output if format == "keep" else output.with_suffix(f".{format}")
        plan = [(found[0][0], target)]
    else:
        if output.exists() and not output.is_dir():
            raise DatasetError(f"{shown(output)}: is a file, wanted a folder for {len(found)} results.")
        plan = [(source, output / _renamed(relative, format)) for source, relative in found]
        _refuse_ways_out(plan, output)
    _refuse_collisions(plan)
    if half is None:
        _refuse_glued([source for source, _ in plan])
    return plan


def is_to_file(inputs: Sequence[Path], output: Path) -> bool:
    """Whether one file goes into one file, rather than into a folder."""
    return len(inputs) == 1 and inputs[0].is_file() and not output.is_dir() and output.suffix.lower() in images.SUFFIXES


def _listed(inputs: Sequence[Path], output: Path) -> Iterator[tuple[Path, Path]]:
    """(file, its name relative to the output) of every picture that the inputs name."""
    folders = [one for one in inputs if one.is_dir()]
    result = _real(output)
    for one in inputs:
        if one.is_dir():
            root = _real(one)
            if root == result:
                raise DatasetError(
                    f"{shown(one)}: is the input and the output, and no picture is replaced by its translation. Give "
                    f"another output folder."
                )
            # Several folders keep their own names, so that their trees do not mix.
            prefix = Path(_real(one).name) if len(folders) > 1 else Path()
            inside = result.is_relative_to(root)
            for name, path in zip((listing := scan(one)).names, listing.paths(), strict=True):
                if inside and _real(path).is_relative_to(result):
                    continue  # what an earlier call left there
                yield path, prefix / name
        elif one.exists() or one.is_symlink():
            yield one, Path(one.name)
        elif glob.has_magic(str(one)):
            matched = sorted(glob.glob(str(one), recursive=True))  # noqa: PTH207  Path.glob takes no absolute pattern
            yield from ((Path(name), Path(Path(name).name)) for name in matched if images.is_picture(Path(name).name))
        else:
            raise DatasetError(
                f"{shown(one)}: does not exist. Give pictures, folders or a glob such as 'photos/*.jpg'."
            )


def _real(path: Path) -> Path:
    """Without links; of a link to itself, which Path.resolve() refuses, the link."""
    return Path(os.path.realpath(path))


def _renamed(relative: Path, format: Format) -> Path:
    return relative if format == "keep" else relative.with_suffix(f".{format}")


def _refuse_ways_out(plan: Sequence[tuple[Path, Path]], output: Path) -> None:
    """A link inside the output to another folder, through which results would be written there."""
    root = _real(output)
    for folder in dict.fromkeys(target.parent for _, target in plan):
        real = _real(folder)
        if not real.is_relative_to(root):
            raise DatasetError(
                f"{shown(folder)}: is a link out of the output folder, to {shown(real)}, and nothing is written "
                f"outside of it. Remove the link, or give another output folder."
            )


def _refuse_collisions(plan: Sequence[tuple[Path, Path]]) -> None:
    """Two inputs for one output, also where a file system does not tell case or the spelling of an accent."""
    taken: dict[str, Path] = {}
    sources = {_real(source) for source, _ in plan}
    for source, target in plan:
        other = taken.setdefault(unicodedata.normalize("NFC", str(target)).casefold(), source)
        if other is not source:
            raise DatasetError(
                f"{shown(other)} and {shown(source)} would both become {shown(target)}. Convert them in two calls, or "
                f"with --format keep."
            )
        if target.exists() and _real(target) in sources:
            raise DatasetError(
                f"{shown(target)}: is an input too, and no picture is replaced by a translation. Give another output."
            )


def _refuse_glued(sources: list[Path]) -> None:
    """Pairs that lie side by side in one picture are told by the folder of a split that holds nothing else."""
    folders = sorted({source.parent for source in sources})
    if any(_real(folder).name not in ("train", "val", "test") for folder in folders):
        return
    headers = sampled(sources)
    if headers and all(header.width == 2 * header.height for header in headers.values()):
        raise DatasetError(
            f"{shown(folders[0])}: every picture is twice as wide as high, as pairs side by side are. Say which half "
            f"is the source: --half A (left) or --half B (right); --half whole takes the pictures as they are."
        )


def prepare_folder(folder: Path) -> None:
    """Make a folder that results can be written to. Raises DatasetError."""
    try:
        make_writable(folder)
    except OSError as error:
        reason = error.strerror or str(error)
        raise DatasetError(f"{shown(folder)}: cannot be written to ({reason}). Give another output folder.") from None
