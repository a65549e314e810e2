"""What is compared: a model's translations, or pictures that lie in a folder, beside their inputs."""

import os
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from i2i import images
from i2i.data.folders import find_domains, find_pairs, splits
from i2i.data.listing import scan, spread
from i2i.data.paired import read_pair
from i2i.data.translations import translations
from i2i.errors import DatasetError, SettingsError
from i2i.settings import Direction
from i2i.translator import Translator

Array = np.ndarray[Any, Any]


class Source(NamedTuple):
    """An input, read when it is asked for."""

    name: str
    read: Callable[[], Array]


class Trio(NamedTuple):
    """An input and what two candidates make of it, all of the input's size. Shape: (H, W, 1 or 3) uint8."""

    name: str
    input: Array
    a: Array
    b: Array


class Candidate(NamedTuple):
    """Something that has a translation of every input."""

    title: str
    direction: Direction | None
    """Which way a model translates; None for a folder of pictures."""
    translator: Translator | None
    """Of a model."""
    folder: Path | None
    """Of pictures."""

    def of(self, shown: Sequence[Source], every: Sequence[Source]) -> Callable[[Source, Array], Array]:
        """What gives the translation of each that is shown. Raises DatasetError where a folder lacks some."""
        if self.translator is not None:
            return partial(_translated, self.translator)
        assert self.folder is not None
        files = translations(self.folder, [source.name for source in shown], [source.name for source in every])
        return lambda source, _: images.read(files[source.name])


def open_candidate(place: str, *, load: Callable[[str], Translator]) -> Candidate:
    """A model, or a folder of pictures that are named like their inputs: `12` finds 12.png or 12_fake_B.png.

    A folder with a translator or an experiment in it is a run, which `load` opens; of an evaluation its pictures are
    taken. Raises UserError.
    """
    folder = Path(place)
    is_run = any(folder.glob("*.safetensors")) or (folder / "experiment.yaml").is_file()
    if folder.is_dir() and not is_run:
        if (folder / "metrics.json").is_file() and (folder / "pictures").is_dir():
            folder = folder / "pictures"
        return Candidate(place, None, None, folder)
    translator = load(place)
    return Candidate(place, translator.card.direction, translator, None)


def sources(data: Path, split: str, direction: Direction) -> list[Source]:
    """The inputs of a split: of pairs, of two domains, or of a plain folder of pictures. Raises DatasetError."""
    side = 0 if direction == "AtoB" else 1
    try:
        there = splits(data)
        if split not in there:
            folders = any((data / name).exists() for name in ("train", "trainA", "val", "valA", "test", "testA"))
            if folders or (data / "pairs.csv").is_file():
                raise DatasetError(f"{data}: has no {split} split, only {', '.join(there)}. Choose one with --split.")
            return _of_folder(data)
        pairs = find_pairs(data, split).pairs
        return [Source(pair.name, lambda pair=pair: read_pair(pair)[side]) for pair in pairs]
    except DatasetError as error:
        try:
            found = find_domains(data, split)
        except DatasetError:
            raise error from None
        return _named([found.x, found.y][side])


def one_way(one: Candidate, two: Candidate, asked: Direction | None = None) -> Direction:
    """The way that both translate: where neither says it `asked`, or AtoB. Raises SettingsError where they differ."""
    ways: list[Direction] = [way for way in (one.direction, two.direction, asked) if way]
    if len(set(ways)) > 1:
        raise SettingsError(
            f"{one.title} translates {one.direction} and {two.title} {two.direction}: nobody could say which is the "
            f"better. Choose one way with --direction, or other candidates."
        )
    return ways[0] if ways else "AtoB"


def chosen(inputs: Sequence[Source], count: int) -> list[Source]:
    """Those that are shown: evenly from all of them."""
    return spread(inputs, count)


def trios(
    one: Candidate,
    two: Candidate,
    inputs: Sequence[Source],
    count: int,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> Iterator[Trio]:
    """Evenly chosen inputs with what both candidates have for them. Raises UserError."""
    shown = chosen(inputs, count)
    made_by = [candidate.of(shown, inputs) for candidate in (one, two)]
    for done, source in enumerate(shown):
        picture = images.to_depth(source.read(), np.uint8)
        made = [translated(source, picture) for translated in made_by]
        # At one size: another sharpness by another size alone would tell which is which.
        a, b = (images.to_depth(images.resize(each, _size(picture)), np.uint8) for each in made)
        yield Trio(source.name, picture, a, b)
        on_progress(done + 1, len(shown))


def _of_folder(folder: Path) -> list[Source]:
    return _named(scan(folder).paths())


def _named(paths: Sequence[Path]) -> list[Source]:
    above = Path(os.path.commonpath([path.parent for path in paths]))
    return [
        Source(path.relative_to(above).with_suffix("").as_posix(), lambda path=path: images.read(path))
        for path in paths
    ]


def _translated(translator: Translator, source: Source, picture: Array) -> Array:
    return translator(picture)


def _size(picture: Array) -> tuple[int, int]:
    return picture.shape[0], picture.shape[1]
