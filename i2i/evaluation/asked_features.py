"""Which features an evaluation rests on: random ones, those of the user's own pictures, or both."""

import contextlib
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from i2i.data.folders import find_pairs, splits
from i2i.errors import DatasetError, PictureError, SettingsError
from i2i.evaluation.features import RandomFeatures, random_features
from i2i.evaluation.measuring import Kind, require_split
from i2i.evaluation.own_features import LEAST, OnProgress, OwnFeatures, own_features
from i2i.evaluation.sides import Picture, of_domains, of_pairs
from i2i.translator import Translator

Asked = Literal["auto", "random", "own", "both"]
"""auto: both where two domains are compared and there are training pictures enough, and otherwise random ones."""


def random_features_for(translator: Translator, data: Path, split: str) -> RandomFeatures:
    """At the scale that the network sees. Raises DatasetError where there are no such pictures, or none to read."""
    require_split(data, split)
    _, targets = _sides(data, split)[:: 1 if translator.card.direction == "AtoB" else -1]
    for picture in targets:
        with contextlib.suppress(PictureError, DatasetError):
            return random_features(min(translator.scaled(picture.read().shape)))
    raise DatasetError(f"{data}: no picture of its {split} split can be read. i2i check {data} names what is wrong.")


def own_features_for(
    data: Path,
    split: str,
    *,
    asked: Asked = "both",
    kind: Kind = "auto",
    cache: Path | None = None,
    on_progress: OnProgress = lambda done, total: None,
) -> OwnFeatures | None:
    """Features trained on the training pictures of a dataset, or None where they are not asked for.

    Raises SettingsError for the split that they would be trained on; DatasetError without enough training pictures;
    `auto` leaves them out instead. ModelFileError over a cache of other pictures.
    """
    if asked == "random" or (asked == "auto" and not _worth_it(data, split, kind)):
        return None
    if split == "train":
        raise SettingsError(
            "features of your own pictures are trained on the train split, which they cannot judge. Give another "
            "--split, or say --features random."
        )
    if "train" not in splits(data):
        raise DatasetError(
            f"{data}: has no train split to learn features from, only {', '.join(splits(data))}. Say --features random."
        )
    return own_features(_sides(data, "train"), cache, on_progress)


def _worth_it(data: Path, split: str, kind: Kind) -> bool:
    if split == "train" or "train" not in splits(data) or kind == "pairs":
        return False
    if kind == "auto":
        try:
            find_pairs(data, split)
        except DatasetError:
            pass  # two domains
        else:
            return False
    try:
        return min(map(len, _sides(data, "train"))) >= LEAST
    except DatasetError:
        return False


def _sides(data: Path, split: str) -> tuple[Sequence[Picture], Sequence[Picture]]:
    """A and B. Raises DatasetError."""
    try:
        pairs = find_pairs(data, split).pairs
    except DatasetError as error:
        try:
            return of_domains(data, split)
        except DatasetError:
            raise error from None
    return of_pairs(pairs)
