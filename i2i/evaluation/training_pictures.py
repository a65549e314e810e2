"""What a model may have copied: pictures of the target domain that it learnt from, as far as the dataset has them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from i2i import images
from i2i.data.folders import find_pairs, find_pictures, splits
from i2i.data.listing import spread
from i2i.errors import DatasetError, PictureError
from i2i.evaluation.features import Features
from i2i.evaluation.lots import LEAST, MOST, represented
from i2i.evaluation.made import truth_at_scale
from i2i.evaluation.scores import Array
from i2i.evaluation.sides import Picture, named, of_domains, of_pairs
from i2i.translator import Card, Translator


@dataclass(frozen=True, slots=True)
class Training:
    """Targets of the training split, evenly from all of them, and their features."""

    pictures: list[Picture]
    features: dict[str, Array]
    """By name. Shape: (N, D) each, one a picture."""


def of_training(root: Path, split: str, card: Card) -> list[Picture] | str:
    """Targets of the train split, MOST of them; or in words why there are none to compare with."""
    if split == "train":
        return "these are the training pictures themselves"
    if "train" not in splits(root):
        return f"{root.name} has no train split"
    if card.task.kind != "none":
        found = spread(named(find_pictures(root, "train").pictures), MOST)
        return found if len(found) >= LEAST else f"{len(found)} training pictures are too few"
    forth = card.direction == "AtoB"
    try:
        sides = of_pairs(spread(find_pairs(root, "train").pairs, MOST))
    except DatasetError:
        try:
            sides = of_domains(root, "train")
        except DatasetError as error:
            return str(error)
    found = spread(sides[1 if forth else 0], MOST)
    return found if len(found) >= LEAST else f"{len(found)} training pictures are too few"


def read_training(
    pictures: Sequence[Picture], translator: Translator, features: Sequence[Features], on_read: Callable[[int], None]
) -> Training:
    """Their features at the scale that the network sees; what cannot be read is left out, as it was in training.

    `on_read` gets how many were looked at.
    """
    kept: list[Picture] = []
    found: dict[str, list[Array]] = {one.name: [np.empty((0, one.dimension))] for one in features}
    for first in range(0, len(pictures), translator.batch_size):
        batch = []
        for picture in pictures[first : first + translator.batch_size]:
            try:
                batch.append(at_scale(translator, picture.read()))
            except (PictureError, DatasetError):
                continue
            kept.append(picture)
        if batch:
            for one in features:
                found[one.name].append(represented(one, batch))
        on_read(min(first + translator.batch_size, len(pictures)))
    return Training(kept, {name: np.concatenate(parts) for name, parts in found.items()})


def at_scale(translator: Translator, picture: Array) -> Array:
    """A real picture as the translator would have made it, in size and channels. Shape: (H, W, 1 or 3)."""
    picture = images.with_channels(picture, translator.card.out_channels)
    if translator.card.task.kind != "none":
        return truth_at_scale(translator, picture)
    return images.resize(picture, translator.scaled(picture.shape))
