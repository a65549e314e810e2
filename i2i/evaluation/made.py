"""Pairs of a split whose sources a task makes: the same every time, of each picture at the scale of its result."""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from i2i import images
from i2i.data.folders import find_pictures
from i2i.data.tasks.frames import windows
from i2i.data.tasks.settings import AnyTask, NextFrame, scale_of
from i2i.data.tasks.sources import make_input
from i2i.errors import PictureError
from i2i.evaluation.scores import Array
from i2i.evaluation.sides import named
from i2i.images import shown
from i2i.translator import Translator


class Made(NamedTuple):
    """A picture to be made, and the frames before it where its task predicts it from these."""

    name: str
    number: int
    """Its place in its split: draws are a function of it."""
    frames: tuple[Path, ...]
    """The last one is the truth."""


def made_pairs(root: Path, split: str, task: AnyTask) -> list[Made]:
    """All that a split has. Raises DatasetError."""
    found = find_pictures(root, split)
    groups = [(path,) for path in found.pictures]
    if isinstance(task, NextFrame):
        groups = [window.frames for window in windows(found.pictures, task.frames, found.place)]
    names = [picture.name for picture in named([group[-1] for group in groups])]
    return [Made(name, number, group) for number, (name, group) in enumerate(zip(names, groups, strict=True))]


def at_scale_of(made: Made, translator: Translator) -> tuple[Array, Array]:
    """What a user would give the translator, and the truth, both at the scale that the network sees.

    Shape: (h, w, K), (scale h, scale w, C). Raises PictureError.
    """
    card = translator.card
    pictures = [images.with_channels(images.read(path), card.out_channels) for path in made.frames]
    if len({(picture.shape, picture.dtype.name) for picture in pictures}) > 1:
        raise PictureError(f"{shown(made.frames[-1])}: differs from the frames before it in size or depth")
    pictures = [truth_at_scale(translator, picture) for picture in pictures]
    if isinstance(card.task, NextFrame):
        return np.concatenate(pictures[:-1], axis=2), pictures[-1]
    return make_input(card.task, pictures[-1], (0, 0, made.number)), pictures[-1]


def truth_at_scale(translator: Translator, picture: Array) -> Array:
    """A picture as large as the translator would have made it; sides that its scale does not divide are cut."""
    scale = scale_of(translator.card.task)
    height, width = (side // scale for side in picture.shape[:2])
    if not height or not width:
        raise PictureError(f"{picture.shape[1]} x {picture.shape[0]} pixels are too few to be divided by {scale}")
    size = translator.results(translator.scaled((height, width)))
    return images.resize(picture[: scale * height, : scale * width], size)
