"""Pictures to measure with where no folder is given: drawn streets, in a folder that goes."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from i2i.data import day2night


@contextmanager
def drawn_pairs(size: tuple[int, int], count: int = 32) -> Iterator[Path]:
    """A folder of `count` pairs of (height, width) `size` to train on, and two to validate on."""
    with tempfile.TemporaryDirectory(prefix="i2i-benchmark-") as folder:
        day2night.write(Path(folder) / "pairs", train=count, val=2, test=2, size=size)
        yield Path(folder) / "pairs"


@contextmanager
def given_or_drawn(data: Path | None, size: tuple[int, int], tell: Callable[[str], None]) -> Iterator[Path]:
    """The folder that was given; without one drawn pairs, of which `tell` is told."""
    if data is not None:
        yield data
        return
    tell("no --data: drawing 32 pairs")
    with drawn_pairs(size) as drawn:
        yield drawn
