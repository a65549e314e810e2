"""The pictures of two domains by name, whether or not they are stored as pairs."""

import os
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

from i2i import images
from i2i.data.folders import Pair, find_domains
from i2i.data.paired import read_pair
from i2i.evaluation.scores import Array


class Picture(NamedTuple):
    """A picture that is read when it is asked for."""

    name: str
    """No other of its domain has it; a path where the domain has folders."""
    read: Callable[[], Array]
    """(H, W, 1 or 3) uint8 or uint16. Raises PictureError, and DatasetError where halves do not fit."""


def of_pairs(pairs: Sequence[Pair]) -> tuple[list[Picture], list[Picture]]:
    """A and B."""
    a, b = ([Picture(pair.name, partial(_half, pair, side)) for pair in pairs] for side in (0, 1))
    return a, b


def of_domains(root: Path, split: str) -> tuple[list[Picture], list[Picture]]:
    """A and B. Raises DatasetError."""
    found = find_domains(root, split)
    return named(found.x), named(found.y)


def named(paths: Sequence[Path]) -> list[Picture]:
    """Pictures by the shortest names that tell them apart."""
    above = Path(os.path.commonpath([path.parent for path in paths]))
    short = [path.relative_to(above).with_suffix("").as_posix() for path in paths]
    met = Counter(short)
    return [
        Picture(name if met[name] == 1 else path.relative_to(above).as_posix(), partial(images.read, path))
        for name, path in zip(short, paths, strict=True)
    ]


def _half(pair: Pair, side: int) -> Array:
    return read_pair(pair)[side]
