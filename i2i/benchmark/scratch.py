"""Pictures to measure with where no folder is given: drawn streets, in a folder that goes."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from i2i.data import day2night


@contextmanager
def drawn_pairs(size: tuple[int, int], count: int = 32) -> Iterator[Path]:
    """A folder of `count` pairs of (height, width) `size` to train on, and two to validate on."""
    with tempfile.TemporaryDirectory(prefix="i2i-benchmark-") as folder:
        day2night.write(Path(folder) / "pairs", train=count, val=2, test=2, size=size)
        yield Path(folder) / "pairs"
