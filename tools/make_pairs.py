"""Glue two folders of pictures, matched by name, into pairs side by side, or take such pairs apart.

    python tools/make_pairs.py A B OUT            OUT/<name>.png, A left and B right
    python tools/make_pairs.py --split PAIRS OUT  OUT/A/<name>.png and OUT/B/<name>.png

Nothing is overwritten. Exit code 0: all done; 1: some pictures could not be used, each is named; 2: nothing done.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from i2i import images
from i2i.data.folders import Pair
from i2i.data.listing import by_stem, scan, some
from i2i.data.paired import read_pair
from i2i.errors import DatasetError, UserError
from i2i.images.pixels import Array


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", metavar="FOLDER", nargs="+", type=Path, help="A B OUT, or with --split PAIRS OUT")
    parser.add_argument("--split", action="store_true", help="take pairs apart")
    asked = parser.parse_args(argv)
    folders: list[Path] = asked.folders
    wanted = "PAIRS OUT" if asked.split else "A B OUT"
    try:
        if len(folders) != len(wanted.split()):
            raise UserError(f"wanted {wanted}, got {len(folders)} folders.")
        done, failures = split(*folders) if asked.split else glue(*folders)
    except (UserError, OSError) as error:
        print(f"make_pairs: error: {error}", file=sys.stderr)
        return 2
    for failure in failures:
        print(failure, file=sys.stderr)
    print(f"{done} pairs in {folders[-1]}" + (f", {len(failures)} could not be used" if failures else ""))
    return 0 if not failures else 1 if done else 2


def glue(a: Path, b: Path, out: Path) -> tuple[int, list[str]]:
    """Write a pair for every name that both folders have; returns how many, and what was wrong with the others."""
    left, right = by_stem(scan(a)), by_stem(scan(b))
    failures = [f"{a / left[name]}: has no partner in {b}" for name in sorted(left.keys() - right.keys())]
    failures += [f"{b / right[name]}: has no partner in {a}" for name in sorted(right.keys() - left.keys())]
    pairs = [Pair(name, a / left[name], b / right[name]) for name in sorted(left.keys() & right.keys())]
    if not pairs:
        raise DatasetError(f"{a} and {b}: no name is in both, so there is nothing to pair.")
    return _write(pairs, failures, lambda name: [out / f"{name}.png"])


def split(folder: Path, out: Path) -> tuple[int, list[str]]:
    """Write both halves of every picture of a folder; returns how many, and what was wrong with the others."""
    pairs = [Pair(name, folder / file, None) for name, file in by_stem(scan(folder)).items()]
    if not pairs:
        raise DatasetError(f"{folder}: holds no pictures.")
    return _write(pairs, [], lambda name: [out / "A" / f"{name}.png", out / "B" / f"{name}.png"])


def _write(pairs: Sequence[Pair], failures: list[str], targets: Callable[[str], list[Path]]) -> tuple[int, list[str]]:
    there = [str(target) for pair in pairs for target in targets(pair.name) if target.exists()]
    if there:
        raise DatasetError(f"{some(there)}: there already, and nothing is overwritten. Give another folder.")
    done = 0
    for pair in pairs:
        try:
            a, b = read_pair(pair)
            parts = [a, b] if pair.b is None else [_side_by_side(a, b)]
            for target, part in zip(targets(pair.name), parts, strict=True):
                target.parent.mkdir(parents=True, exist_ok=True)
                images.write(target, part)
        except UserError as error:
            failures.append(str(error))
        else:
            done += 1
    return done, failures


def _side_by_side(a: Array, b: Array) -> Array:
    """One picture of both, in the richer kind of the two: colour over gray, 16 bits over 8."""
    dtype = np.uint16 if np.uint16 in (a.dtype, b.dtype) else np.uint8
    channels = max(a.shape[2], b.shape[2])
    parts = [images.to_depth(images.with_channels(part, channels), dtype) for part in (a, b)]
    return np.concatenate(parts, axis=1)


if __name__ == "__main__":
    sys.exit(main())
