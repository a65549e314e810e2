"""A dataset's folder to what training takes: sets to train and validate on, and what was found, in words."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from i2i.data.captions.embeddings import Embeddings
from i2i.data.captions.finding import Captions, find_captions
from i2i.data.captions.folder import CaptionedFolder, Texts
from i2i.data.captions.words import Words, vocabulary_of
from i2i.data.class_counts import about_classes, counted
from i2i.data.folders import FoundPictures, Pair, find_domains, find_pairs, find_pictures, sampled, sides, splits
from i2i.data.holdout import hold_out
from i2i.data.listing import some, spread
from i2i.data.paired import PairedFolder
from i2i.data.preflight import check_pairs, check_pictures
from i2i.data.sequences import Chosen, Joined, Mapped
from i2i.data.settings import DataSettings
from i2i.data.single import PictureFolder
from i2i.data.tasks.folder import TaskFolder
from i2i.data.tasks.frames import FrameFolder, Window, apart, windows
from i2i.data.tasks.settings import Colorize, NextFrame, source_channels
from i2i.data.training_set import TrainingSet
from i2i.data.unpaired import UnpairedFolder
from i2i.errors import DatasetError
from i2i.images import Probe, shown

EXAMPLES = 64
"""Captions that are remembered of a training set."""
Kind = Literal["pairs", "domains", "pictures", "captions"]
"""What a model is trained on: Pairs, Domains, Labelled or Captioned."""
_Form = Kind | Literal["task"]
"""How the folder holds it: `task` is Pairs of which the folder has the targets."""


@dataclass(frozen=True, kw_only=True)
class Opened:
    """A training set, and what was found."""

    train: TrainingSet[Any]
    validation: TrainingSet[Any] | None
    """The val split, or else test, or else what was held out; None where nothing could be."""
    held: list[str]
    """Names of the pictures held out of training."""
    channels: tuple[int, int]
    """Of what goes in and what comes out: 1 or 3 each."""
    deep: bool
    """Whether some pictures have 16 bits; items are then float32 in [-1, 1] instead of uint8."""
    counts: dict[str, int]
    """Items to train and to validate on: {"train": 380, "validation": 16}."""
    classes: tuple[str, ...] = ()
    labels: NDArray[np.int64] | None = None
    """The class of each picture to train on, where there are classes."""
    captions: tuple[str, ...] = ()
    """Some of those that are trained on, EXAMPLES at most, where pictures have captions."""
    notes: list[str] = field(default_factory=list)
    """What the user should know, a sentence each."""

    @property
    def class_counts(self) -> list[int]:
        """Pictures to train on, class by class."""
        return [] if self.labels is None else counted(self.labels, self.classes)


@dataclass(frozen=True)
class _Items:
    """A split as sequences to choose from: pairs, two domains, or pictures with labels."""

    sides: tuple[Sequence[Any], ...]
    """One sequence that is split as a whole, or two domains that are split each for itself."""
    source: Sequence[Path]
    target: Sequence[Path]
    note: str
    classes: tuple[str, ...] = ()
    labels: Sequence[int] = ()
    """Of pictures, where there are classes."""
    captions: Sequence[Captions] = ()
    """Of each picture, where it has to have some."""


def open_dataset(kind: Kind, root: str | Path, settings: DataSettings, *, seed: int = 0) -> Opened:
    """The set to train on, and one to validate on: the val split, or else test, or else a held-out part of train.

    Pairs are made of one folder's pictures where the settings have a task for that. Raises DatasetError.
    """
    form: _Form = "task" if kind == "pairs" and settings.task.kind != "none" else kind
    there = splits(root)
    found = _find(form, root, "train", settings)
    notes = [found.note]
    names = [name for name in ("val", "test") if name in there]
    other, validation = _validation(form, root, names, settings, notes, found.classes)
    kept, held = zip(*(hold_out(side, settings.holdout, other is not None, seed) for side in found.sides), strict=True)
    if not all(held):  # of one domain alone nothing can be shown
        kept, held = found.sides, [[] for _ in held]
    elif isinstance(settings.task, NextFrame) and form == "task":
        kept, held = _frames_apart(kept[0], held[0], found.sides[0])
    validation = validation or held
    names = [_name(item) for side in held for item in side]
    if other:
        notes.append(f"validation on the {other} split: {_count(validation)}")
    elif names:
        total = sum(map(len, found.sides))
        held_out = f"held out {len(names)} of {total}, never trained on: {some(names, 20)}"
        notes.append(f"no val or test split to validate on: {held_out}")
    else:
        reason = "--holdout 0" if settings.holdout == 0 else "too few pictures to hold any out"
        notes.append(f"no val or test split to validate on and {reason}: samples show pictures that are trained on")
    if form == "pairs":
        check_pairs(found.sides[0], settings)
    else:
        check_pictures(Joined(*found.sides) if form == "domains" else found.source, settings)
    channels, deep = _look(found, settings)
    if form == "task":
        channels = _of_task(channels[1], settings, found.note)
    if deep:
        notes.append("pictures of 16 bits: all are kept in full precision")
    if form in ("pictures", "captions", "task") and (
        settings.brightness or settings.contrast or settings.noise or settings.blur or settings.jpeg
    ):
        notes.append("brightness, contrast, noise, blur and jpeg change the source of a pair; here they do nothing")
    labels = _labels(found, kept[0])
    if settings.balance == "classes" and labels is None:
        raise DatasetError(
            f"{found.note}: --data.balance classes draws class folders equally often, and there are none. Wanted: "
            f"train/<class>/*.jpg; without classes leave it out."
        )
    if labels is not None:
        folder = Path(root) / "train" if (Path(root) / "train").is_dir() else Path(root)
        notes += about_classes(counted(labels, found.classes), found.classes, settings.balance, folder)
    complete = all(validation)
    texts = texts_of(settings, found.captions) if form == "captions" else None
    train = _dataset(form, kept, settings, seed, channels, deep, texts, train=True)
    train.root = Path(root)
    return Opened(
        train=train,
        validation=_dataset(form, validation, settings, seed, channels, deep, texts, train=False) if complete else None,
        held=names,
        channels=channels,
        deep=deep,
        counts={"train": max(map(len, kept)), "validation": max(map(len, validation)) if complete else 0},
        classes=found.classes,
        labels=labels,
        captions=_examples(kept[0]) if form == "captions" else (),
        notes=notes,
    )


def _frames_apart(
    kept: Sequence[Any], held: Sequence[Any], everything: Sequence[Any]
) -> tuple[tuple[Sequence[Any]], tuple[Sequence[Any]]]:
    """Windows to train on that show no frame which a held-out one predicts; nothing is held out of too few."""
    unseen = apart(kept, held)
    return ((unseen,), (held,)) if unseen else ((everything,), ([],))


def _of_task(channels: int, settings: DataSettings, note: str) -> tuple[int, int]:
    """Channels of what a task makes, and of its targets. Raises DatasetError where colours are missing."""
    if isinstance(settings.task, Colorize) and channels == 1:
        raise DatasetError(
            f"{note}: all of them are gray, so there is no colour to learn. Wanted: colour photos, of which colorize "
            f"makes its gray sources."
        )
    return source_channels(settings.task, channels), channels


def _labels(found: _Items, kept: Sequence[Any]) -> NDArray[np.int64] | None:
    """Of the pictures that are kept to train on; None where there are no classes."""
    if not found.classes:
        return None
    labels = np.fromiter(found.labels, np.int64, len(found.labels))
    return labels[np.asarray(kept.indices)] if isinstance(kept, Chosen) else labels


def _validation(
    kind: _Form,
    root: str | Path,
    names: list[str],
    settings: DataSettings,
    notes: list[str],
    classes: Sequence[str],
) -> tuple[str | None, tuple[Sequence[Any], ...]]:
    """The first of the splits that can be validated on, and its items: test/ may hold inputs alone."""
    for name in names:
        try:
            return name, _find(kind, root, name, settings, classes).sides
        except DatasetError as error:
            notes.append(f"the {name} split is not used for validation: {error}")
    return None, ()


def texts_of(settings: DataSettings, captions: Sequence[Captions]) -> Texts:
    """What makes vectors of these captions: the user's, or a bag of the words that are known. Raises DatasetError."""
    every = dict.fromkeys(caption for own in captions for caption in own)
    if settings.embeddings:
        given = Embeddings(Path(settings.embeddings))
        given.refuse_missing(list(every))
        if settings.embedding not in (0, given.length):
            raise DatasetError(
                f"{settings.embeddings}: its vectors have {given.length} numbers, and the model learnt from vectors of "
                f"{settings.embedding}. Go on with the file of before."
            )
        return given
    return Words(settings.vocabulary or vocabulary_of(every))


def _examples(kept: Sequence[tuple[Path, Captions]]) -> tuple[str, ...]:
    return tuple(spread(list(dict.fromkeys(own[0] for _, own in kept)), EXAMPLES))


def infer_channels(headers: Sequence[Probe]) -> int:
    """1 where all pictures are gray, otherwise 3."""
    return 1 if headers and all(header.channels == 1 for header in headers) else 3


def _find(kind: _Form, root: str | Path, split: str, settings: DataSettings, classes: Sequence[str] = ()) -> _Items:
    """The items of a split; pictures are labelled by `classes` where these are known. Raises DatasetError."""
    if kind == "pairs":
        pairs = find_pairs(root, split)
        source, target = sides(pairs.pairs)
        if settings.direction == "BtoA":
            source, target = target, source
        form = {"side-by-side": "pairs side by side", "list": "pairs listed"}.get(pairs.kind, "pairs")
        note = f"{len(pairs.pairs)} {form} in {pairs.place}{_ignored(pairs.ignored)}"
        return _Items((pairs.pairs,), source, target, note)
    if kind == "domains":
        domains = find_domains(root, split)
        note = f"{len(domains.x)} and {len(domains.y)} pictures in {domains.place}{_ignored(domains.ignored)}"
        source, target = (domains.x, domains.y) if settings.direction == "AtoB" else (domains.y, domains.x)
        return _Items((source, target), source, target, note)
    if kind == "captions":
        told = find_captions(root, split)
        note = f"{len(told.pictures)} pictures with {sum(map(len, told.captions))} captions in {told.place}"
        items = Mapped(_captioned, told.pictures, told.captions)
        return _Items((items,), told.pictures, told.pictures, note, captions=told.captions)
    pictures = _labelled_by(classes, find_pictures(root, split))
    of_classes = f" in {len(pictures.classes)} classes" if pictures.classes else ""
    note = f"{len(pictures.pictures)} pictures{of_classes} in {pictures.place}{_ignored(pictures.ignored)}"
    if kind == "task":
        items: Sequence[Any] = pictures.pictures
        if isinstance(settings.task, NextFrame):
            items = windows(pictures.pictures, settings.task.frames, pictures.place)
        return _Items((items,), pictures.pictures, pictures.pictures, note)
    labelled = Mapped(_labelled, pictures.pictures, pictures.labels)
    return _Items((labelled,), pictures.pictures, pictures.pictures, note, pictures.classes, pictures.labels)


def _labelled_by(classes: Sequence[str], found: FoundPictures) -> FoundPictures:
    """The pictures of the classes that training has, by its labels: another split may lack a class, or have more."""
    if not classes or not found.classes or tuple(classes) == found.classes:
        return found
    ranks = np.array([classes.index(name) if name in classes else -1 for name in found.classes])
    labels = ranks[np.fromiter(found.labels, np.int64, len(found.labels))]
    there = np.flatnonzero(labels >= 0)
    if not len(there):
        raise DatasetError(f"{found.place}: has the class folders {some(found.classes)}, none of training's")
    chosen = Chosen(found.pictures, there)
    return FoundPictures(found.place, chosen, Mapped(int, labels[there]), tuple(classes), found.ignored)


def _dataset(
    kind: _Form,
    sides: Sequence[Sequence[Any]],
    settings: DataSettings,
    seed: int,
    channels: tuple[int, int],
    deep: bool,
    texts: Texts | None,
    *,
    train: bool,
) -> TrainingSet[Any]:
    if kind == "pairs":
        return PairedFolder(sides[0], settings, seed, channels=channels, deep=deep, train=train)
    if kind == "domains":
        return UnpairedFolder(sides[0], sides[1], settings, seed, channels=channels, deep=deep, train=train)
    if kind == "task":
        made = FrameFolder if isinstance(settings.task, NextFrame) else TaskFolder
        return made(sides[0], settings, seed, channels=channels[1], deep=deep, train=train)
    pictures, labels = Mapped(itemgetter(0), sides[0]), Mapped(itemgetter(1), sides[0])
    if texts is not None:
        return CaptionedFolder(pictures, labels, texts, settings, seed, channels=channels[1], deep=deep, train=train)
    return PictureFolder(pictures, labels, settings, seed, channels=channels[1], deep=deep, train=train)


def _look(found: _Items, settings: DataSettings) -> tuple[tuple[int, int], bool]:
    """Channels in and out, and whether some pictures have 16 bits, by a sample of the headers."""
    headers = [list(sampled(paths).values()) for paths in (found.source, found.target)]
    deep = any(header.bits == 16 for side in headers for header in side)
    if settings.channels != "auto":
        forced = 1 if settings.channels == "gray" else 3
        return (forced, forced), deep
    return (infer_channels(headers[0]), infer_channels(headers[1])), deep


def _count(sides: Sequence[Sequence[Any]]) -> str:
    return " and ".join(str(len(side)) for side in sides)


def _ignored(count: int) -> str:
    return f" ({count} other files ignored)" if count else ""


def _captioned(picture: Path, captions: Captions) -> tuple[Path, Captions]:
    return picture, captions


def _labelled(picture: Path, label: int) -> tuple[Path, int]:
    return picture, label


def _name(item: Any) -> str:
    if isinstance(item, Pair):
        return item.name
    if isinstance(item, Window):
        return shown(item.frames[-1].name)
    return shown((item[0] if isinstance(item, tuple) else item).name)
