"""Samples and walks as files of a folder: a PNG a picture, and all of them at a glance."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from PIL import Image

from i2i import images
from i2i.data.listing import some
from i2i.errors import SettingsError
from i2i.files import make_writable, written_whole
from i2i.sampler.grid import grid
from i2i.sampler.sampler import Array, PictureSampler

SHOWN = 400
"""Pictures of a grid, at most."""
_FRAME_MS = 80

OnProgress = Callable[[int, int], None]


def write_samples(
    sampler: PictureSampler,
    seeds: Sequence[int],
    out: Path,
    *,
    label: str | None = None,
    text: str | None = None,
    truncation: float | None = None,
    columns: int | None = None,
    only_grid: bool = False,
    overwrite: bool = False,
    on_progress: OnProgress = lambda done, total: None,
) -> list[Array]:
    """OUT/00042.png of seed 42, with its class or text in the name where there are some, and OUT/grid.png.

    The grid holds the first SHOWN of them, which are returned; its columns are the classes where nothing is said of
    them and all are shown. Raises SettingsError where something is there already, or cannot be written.
    """
    if not seeds:
        raise SettingsError("count 0: wanted 1 picture or more.")
    made = sampler.arrays(seeds, label=label, text=text, truncation=truncation)
    names = [] if only_grid else [_name(sampler, seed, label, text) for seed in seeds]
    _prepare(out, [*names, "grid.png"], overwrite)
    if columns is None and label is None and text is None and 1 < len(sampler.classes) <= 20:
        columns = len(sampler.classes)
    shown: list[Array] = []
    for done, picture in enumerate(made, 1):
        if len(shown) < SHOWN:
            shown.append(picture)
        elif only_grid:
            break
        if names:
            images.write(out / names[done - 1], picture)
        on_progress(done, len(seeds))
    images.write(out / "grid.png", grid(shown, columns))
    return shown


def write_walk(
    sampler: PictureSampler,
    seeds: Sequence[int],
    frames: int,
    out: Path,
    *,
    label: str | None = None,
    text: str | None = None,
    truncation: float | None = None,
    overwrite: bool = False,
    on_progress: OnProgress = lambda done, total: None,
) -> int:
    """OUT/frames/00000.png and on, OUT/walk.png with a row from each seed to the next, and OUT/walk.webp, which moves.

    Returns the number of frames. Raises SettingsError where something is there already, or cannot be written.
    """
    made = sampler.walk(seeds, frames, label=label, text=text, truncation=truncation)
    total = (len(seeds) - 1) * frames + 1
    names = [f"frames/{index:05d}.png" for index in range(total)]
    _prepare(out, [*names, "walk.png", "walk.webp"], overwrite)
    (out / "frames").mkdir(exist_ok=True)
    for index, picture in enumerate(made):
        images.write(out / names[index], picture)
        on_progress(index + 1, total)
    rows = [names[start : start + frames + 1] for start in range(0, total - 1, frames)]
    most = max(1, SHOWN // (frames + 1))
    images.write(out / "walk.png", grid([images.read(out / name) for row in rows[:most] for name in row], frames + 1))
    _animate((out / name for name in names), out / "walk.webp")
    return total


def _animate(frames: Iterable[Path], path: Path) -> None:
    def opened() -> Iterator[Image.Image]:
        for frame in frames:
            with Image.open(frame) as image:
                yield image.convert("RGB")

    ahead = opened()
    with written_whole(path) as file:
        options = {"save_all": True, "append_images": ahead, "duration": _FRAME_MS, "loop": 0, "lossless": True}
        next(ahead).save(file, "WEBP", **options)


def _name(sampler: PictureSampler, seed: int, label: str | None, text: str | None) -> str:
    """A class's name comes out of a file: nothing of it but letters, digits and dashes reaches a path."""
    if not sampler.classes:
        return f"{seed:05d}.png"
    name = sampler.classes[sampler.labels([seed], label)[0]] if text is None else text
    return f"{seed:05d}-{re.sub(r'[^0-9A-Za-z]+', '-', name).strip('-')[:40]}.png"


def _prepare(out: Path, names: Sequence[str], overwrite: bool) -> None:
    there = [name for name in names if (out / name).exists()]
    if there and not overwrite:
        raise SettingsError(
            f"{out}: holds {some(there)} already, and nothing is overwritten. Choose another --out, or say --overwrite."
        )
    try:
        make_writable(out)
    except OSError as error:
        raise SettingsError(f"{out}: cannot be written to ({error.strerror or error}). Choose another --out.") from None
