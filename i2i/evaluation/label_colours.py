"""The classes of label maps: their colours, also where JPEG has smeared them."""

from collections.abc import Iterable

import numpy as np

from i2i import images
from i2i.errors import DatasetError
from i2i.evaluation.scores import Array

COLOUR_PIXELS = 200_000
"""Label pixels, at most, that k-means sees."""
MOST_CLASSES = 64
"""With more colours than these a picture is no label map."""
NEAR = 40
"""Levels of 255, in every channel, within which two colours are one."""
LEAST = 0.001
"""Share of the flat pixels that makes a colour a class."""


def fitted(pixels: Array, size: int, *, nearest: bool = False) -> Array:
    """Any picture at `size`, in colour, 8 bits. Shape: (H, W, 1 or 3) -> (size, size, 3) uint8."""
    resized = images.resize(images.with_channels(pixels, 3), (size, size), nearest=nearest)
    return images.to_depth(resized, np.uint8)


def label_colours(labels: Iterable[Array], classes: int, seed: int) -> Array:
    """The colours of label maps: seeded k-means, the best of 5 starts. Shape: (H, W, 3) uint8 each -> (classes, 3).

    Of smeared maps (more colours than classes) only pixels count whose 3 x 3 neighbours are alike, else the blends
    along the edges would take the centres of rare classes. Raises DatasetError over too few colours.
    """
    import cv2

    maps = list(labels)
    pixels = np.concatenate([label.reshape(-1, 3) for label in maps])
    if len(np.unique(pixels, axis=0)) > classes:
        flat = np.concatenate([_flat(label).ravel() for label in maps])
        pixels = pixels[flat] if flat.any() else pixels
    pixels = np.ascontiguousarray(pixels[:: -(-len(pixels) // COLOUR_PIXELS)], dtype=np.float32)
    if len(np.unique(pixels, axis=0)) < classes:
        raise DatasetError(f"the label maps have fewer than {classes} colours. Give their number with --classes.")
    cv2.setRNGSeed(seed + 1)
    stop = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 50, 0.1)
    start = np.zeros((len(pixels), 1), np.int32)
    _, nearest, centres = cv2.kmeans(pixels, classes, start, stop, 5, cv2.KMEANS_PP_CENTERS)
    order = np.argsort(-np.bincount(nearest.ravel(), minlength=classes), kind="stable")
    return centres[order]


def _flat(label: Array) -> Array:
    """Where a pixel and its 8 neighbours differ by no more than JPEG noise. Shape: (H, W, 3) uint8 -> (H, W) bool."""
    import cv2

    neighbours = np.ones((3, 3), np.uint8)
    spread_of = cv2.dilate(label, neighbours).astype(np.int16) - cv2.erode(label, neighbours)
    return spread_of.max(axis=2) <= 24


def classes_of(label: Array, centres: Array, size: int | None = None) -> Array:
    """The nearest centre of every pixel, at `size` if given. Shape: (H, W, 1 or 3) -> (H, W) uint8."""
    brought = fitted(label, size, nearest=True) if size else label
    pixels = brought.reshape(-1, 3).astype(np.float32)
    # |p - c|^2 without |p|^2, which is the same for every centre.
    distance = (centres * centres).sum(1) - 2 * pixels @ centres.T
    return distance.argmin(1).astype(np.uint8).reshape(brought.shape[:2])


def count_colours(labels: Iterable[Array]) -> int:
    """How many colours label maps have, by what is flat in them: blends along edges and JPEG noise are no colours.

    A colour is what holds LEAST of all flat pixels and is farther than NEAR levels, in some channel, from every more
    frequent one. Raises DatasetError where there are fewer than 2 or more than MOST_CLASSES, or where less than half of
    the pixels is flat: photographs are no label maps. Shape: (H, W, 3) uint8 each.
    """
    counts = np.zeros(32**3, np.int64)
    pixels = 0
    for label in labels:
        flat = _flat(label)
        pixels += flat.size
        cells = (label[flat] >> 3).astype(np.int64)
        counts += np.bincount(cells @ np.array([1024, 32, 1]), minlength=len(counts))
    flat_pixels = int(counts.sum())
    found: list[Array] = []
    mass: list[int] = []
    for cell in np.argsort(-counts, kind="stable")[: np.count_nonzero(counts)]:
        colour = 8 * np.array([cell // 1024, cell // 32 % 32, cell % 32]) + 4
        near = [at for at, one in enumerate(found) if np.abs(one - colour).max() <= NEAR]
        if near:
            mass[near[0]] += int(counts[cell])
        else:
            found.append(colour)
            mass.append(int(counts[cell]))
    colours = sum(one >= LEAST * flat_pixels for one in mass)
    if flat_pixels < 0.5 * pixels or not 2 <= colours <= MOST_CLASSES:
        raise DatasetError(
            f"the inputs are no label maps: {flat_pixels / max(1, pixels):.0%} of their pixels are of one colour with "
            f"their neighbours, in {colours} colours; wanted are 2 to {MOST_CLASSES}. Give their number with --classes."
        )
    return colours
