"""day2night: drawn street scenes by day (A) and by night (B), paired exactly; the set that needs no download.

The rule of the set: whatever shines by night can be seen by day. A window with amber curtains is lit, bare glass and
shutters stay dark; open shops, driving cars and every street lamp shine from where they stand; the moon hangs where
the sun stood; the kind of day decides the colour of the night; stars are the same in every picture. Nothing is drawn
by chance between the two pictures, so the night is a function of the day that a network can learn, and it is not a
darker copy: the sky falls from the brightest thing to the darkest, windows outshine walls, the sun's shadows vanish.
Lamps left or right of the picture light nothing in it.
"""

import json
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy.typing as npt

from i2i.data.drawn.light import Picture, develop
from i2i.data.drawn.town import plan
from i2i.errors import DatasetError

Array = npt.NDArray[Any]

SMALLEST, LARGEST = 16, 4096
SPLITS = ("train", "val", "test")
MOST = 1_000_000
"""Pictures a split may have before its scenes meet those of the next seed."""
EDITION = 1
"""Goes up when the same seed is drawn differently, so that an older set is not taken for a newer one."""
LABEL = "day2night.json"


def draw(seed: int, size: tuple[int, int]) -> tuple[Array, Array]:
    """One street by day and by night; the same seed is the same street at any size.

    Shape: (H, W, 3) uint8 RGB each, for size (H, W).
    """
    _check(size)
    height, width = size
    street = plan(seed)
    fine = 4 if height <= 64 else 3 if height <= 96 else 2
    day, night = Picture(street, height * fine, width * fine).expose()
    return develop(day, size, 1.25), develop(night, size, 1.0)


def _check(size: tuple[int, int]) -> None:
    height, width = size
    if not SMALLEST <= min(size) <= max(size) <= LARGEST or max(size) > 4 * min(size):
        raise DatasetError(
            f"day2night draws pictures of {SMALLEST} to {LARGEST} pixels a side, at most 4 times as long as wide, "
            f"not {height} x {width}."
        )


def write(
    root: Path,
    *,
    train: int = 200,
    val: int = 8,
    test: int = 20,
    size: tuple[int, int] = (256, 256),
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> Path:
    """Write root/{train,val,test}/{A,B}/NNNN.png, A by day and B by night, and return root.

    The set is written beside and renamed, so it is there whole or not at all; a set of the same parameters is kept.
    No scene is in two splits. `progress` is called with pictures drawn and pictures in all.
    """
    counts = {"train": train, "val": val, "test": test}
    if min(counts.values()) < 0 or not sum(counts.values()):
        raise DatasetError(f"day2night needs at least one picture and no negative count, not {counts}.")
    _check(size)
    wanted = {"set": f"day2night {EDITION}", **counts, "size": list(size), "seed": seed}
    if root.exists() and (not root.is_dir() or any(root.iterdir())):
        found = _read_label(root)
        if found == wanted:
            return root
        what = f"a set of other parameters ({found})" if found else "something else"
        raise DatasetError(
            f"{root} already holds {what}; day2night writes a whole folder and deletes nothing. "
            "Give another folder, or remove this one."
        )

    root.parent.mkdir(parents=True, exist_ok=True)
    beside = Path(tempfile.mkdtemp(prefix=f".{root.name}-", dir=root.parent))
    try:
        beside.chmod(0o755)  # mkdtemp's own 0o700 would hide the set from others
        _fill(beside, counts, size, seed, progress)
        (beside / LABEL).write_text(json.dumps(wanted, indent=2) + "\n", encoding="utf-8")
        beside.replace(root)
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return root


def _fill(
    root: Path, counts: dict[str, int], size: tuple[int, int], seed: int, progress: Callable[[int, int], None] | None
) -> None:
    total, done = sum(counts.values()), 0
    for split, count in counts.items():
        sides = root / split / "A", root / split / "B"
        for side in sides:
            side.mkdir(parents=True)
        for number in range(count):
            pictures = draw(scene(seed, split, number), size)
            for side, picture in zip(sides, pictures, strict=True):
                coded = cv2.imencode(".png", picture[..., ::-1])[1]
                (side / f"{number:04d}.png").write_bytes(coded.tobytes())
            done += 1
            if progress:
                progress(done, total)


def scene(seed: int, split: str, number: int) -> int:
    """Seed of a set's picture; a larger set begins with the pictures of a smaller one, and no two splits share one."""
    return (seed * MOST + number) * len(SPLITS) + SPLITS.index(split)


def _read_label(root: Path) -> Any:
    """What parameters the set in `root` was written with; None if it is none of ours."""
    try:
        return json.loads((root / LABEL).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
