from collections.abc import Callable
from pathlib import Path

import pytest

from i2i import images
from i2i.data.day2night import draw


@pytest.fixture(scope="session")
def draw_domains() -> Callable[..., Path]:
    """Draws streets by day and others by night into a folder: so many of each, by split."""

    def into(root: Path, **counts: tuple[int, int]) -> Path:
        for split, both in counts.items():
            for side, count in enumerate(both):
                for index in range(count):
                    path = root / f"{split}{'AB'[side]}" / f"{index}.png"
                    path.parent.mkdir(parents=True, exist_ok=True)
                    images.write(path, draw(100 * len(split) + 20 * side + index, (20, 24))[side])
        return root

    return into
