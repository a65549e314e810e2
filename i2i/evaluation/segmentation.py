"""What a segmenter that knows real photographs recognises in translations of label maps: the FCN-score's idea.

Isola et al. 2017, Sec. 3.2, and Long et al. 2015, Sec. 5. The segmenter sees the real pairs of the training split, and
neither a translation nor a picture of the split that is scored.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from i2i import images
from i2i.data.folders import find_pairs, splits
from i2i.data.listing import spread
from i2i.data.paired import read_pair
from i2i.errors import DatasetError, SettingsError
from i2i.evaluation import bootstrap
from i2i.evaluation.label_colours import classes_of, count_colours, fitted
from i2i.evaluation.scores import Array, Intervals, Scores
from i2i.evaluation.segmenter import PICTURES, Segmenter, SegmenterSettings, label_and_photo, segmenters_for
from i2i.evaluation.unreadable import readable
from i2i.settings import parse_size
from i2i.translator import Translator

NAMES = {"pixel": "pixel accuracy", "class": "class accuracy", "iou": "IoU"}
"""Scores by the titles of their columns."""
REAL = "real pictures"
"""The ceiling's row."""
SIZES = (64, 256)
"""The smallest and the largest side that a segmenter is trained at here."""
LOOKED_AT = 60
"""Training label maps, evenly from all, in which colours are counted."""


@dataclass(frozen=True, slots=True)
class Judge:
    """A trained segmenter, and what it was made from."""

    segmenter: Segmenter
    settings: SegmenterSettings
    pictures: int
    """Real pairs that it was trained on."""

    def truth(self, label: Array) -> Array:
        """The class of each pixel of a label map. Shape: (H, W, 1 or 3) -> (size, size) uint8."""
        return classes_of(fitted(label, self.settings.size, nearest=True), self.segmenter.centres)


def judge_for(
    translator: Translator,
    data: Path,
    split: str,
    *,
    classes: int | None = None,
    cache: Path | None = None,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> Judge:
    """A segmenter for what a translator makes of the label maps of a split, trained on the training pairs.

    `classes` are counted in the label maps' colours where they are not given. Raises DatasetError without training
    pairs, or where the inputs are no label maps; SettingsError for the split it is trained on; ModelFileError over a
    cache of others.
    """
    if split == "train":
        raise SettingsError("a segmenter is trained on the train split, so it cannot judge it. Give another --split.")
    if "train" not in splits(data):
        raise DatasetError(
            f"{data}: has no train split for the segmenter to learn from, only {', '.join(splits(data))}."
        )
    pairs, unreadable = readable(spread(find_pairs(data, "train").pairs, PICTURES), read_pair)
    if not pairs:
        raise DatasetError(
            f"{data}: no pair of its train split can be read ({unreadable[0]}). i2i check {data} names what is wrong."
        )
    direction = translator.card.direction
    size = _size(translator)
    if classes is None:
        some = label_and_photo(spread(pairs, LOOKED_AT), direction)
        classes = count_colours(images.to_depth(images.with_channels(label, 3), np.uint8) for label, _ in some)
    settings = SegmenterSettings(size, classes, direction)
    (segmenter,) = segmenters_for(pairs, [settings], cache, on_progress)
    return Judge(segmenter, settings, len(pairs))


class Recognition:
    """What a judge recognises in pictures, row by row."""

    def __init__(self, judge: Judge) -> None:
        self.judge = judge
        self._found: dict[str, list[Array]] = {}

    def add(self, label: Array, rows: Mapping[str, Array]) -> None:
        """Count in what each row shows in place of the label map's photo. Shape: (H, W, 1 or 3) each."""
        truth = self.judge.truth(label)
        seen = self.judge.segmenter([fitted(picture, self.judge.settings.size) for picture in rows.values()])
        for name, found in zip(rows, seen, strict=True):
            self._found.setdefault(name, []).append(confusion(found, truth, self.judge.settings.classes))

    @property
    def scores(self) -> dict[str, Scores]:
        """By row, over the pixels of all pictures together."""
        return {name: segmentation_scores(np.sum(each, axis=0)) for name, each in self._found.items()}

    @property
    def intervals(self) -> dict[str, Intervals]:
        """By row."""
        return {name: bootstrap.of_sums(np.array(each), segmentation_scores) for name, each in self._found.items()}

    def each(self, row: str) -> list[Scores]:
        """Of each picture by itself, over the classes that it has."""
        return [segmentation_scores(one) for one in self._found[row]]

    @property
    def note(self) -> str:
        """What the label maps were taken for."""
        share = next(iter(self._found.values()))
        pixels = np.sum(share, axis=(0, 2))
        colours = ", ".join(
            f"#{''.join(f'{round(float(value)):02x}' for value in centre)} {count / pixels.sum():.1%}"
            for centre, count in zip(self.judge.segmenter.centres, pixels, strict=True)
        )
        settings = self.judge.settings
        return (
            f"segmentation at {settings.size} x {settings.size} by a segmenter trained on {self.judge.pictures} real "
            f"training pairs; the inputs were taken for label maps of {settings.classes} colours: {colours}"
        )

    @property
    def about(self) -> dict[str, object]:
        """For metrics.json."""
        colours = np.rint(self.judge.segmenter.centres).astype(int).tolist()
        return {**asdict(self.judge.settings), "pictures": self.judge.pictures, "colours": colours}


def confusion(found: Array, truth: Array, classes: int) -> Array:
    """Pixels by class. Shape: two label arrays of the same shape -> (classes, classes), rows are the truth."""
    pairs = truth.astype(np.int64).ravel() * classes + found.ravel()
    return np.bincount(pairs, minlength=classes * classes).reshape(classes, classes)


def segmentation_scores(matrix: Array) -> Scores:
    """Pixel accuracy, mean class accuracy and mean IoU (Long et al. 2015, Sec. 5) over the classes the truth has."""
    right, truth, found = np.diag(matrix).astype(float), matrix.sum(axis=1), matrix.sum(axis=0)
    there = truth > 0
    return {
        "pixel": float(right.sum() / truth.sum()),
        "class": float((right[there] / truth[there]).mean()),
        "iou": float((right[there] / (truth + found - right)[there]).mean()),
    }


def _size(translator: Translator) -> int:
    """The multiple of 32 that is nearest to what the translator was trained at, between SIZES."""
    short = min(parse_size(translator.card.size))
    return min(max(32 * round(short / 32), SIZES[0]), SIZES[1])
