"""The canvas: what somebody draws, as a source that the model knows."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from i2i import images
from i2i.errors import DatasetError
from i2i.evaluation.label_colours import classes_of, count_colours, label_colours
from i2i.images.pixels import Array
from i2i.settings import parse_size
from i2i.translator import Card

Pens = Literal["labels", "ink"]
Colour = tuple[int, int, int]

SIDE = 512
"""Of the canvas, the shorter one."""
INK: tuple[Colour, ...] = ((255, 255, 255), (0, 0, 0))
"""Paper, and what is drawn on it."""
FACADES: dict[Colour, str] = {
    (1, 48, 254): "wall",
    (2, 127, 254): "window",
    (173, 0, 2): "door",
    (0, 0, 222): "background",
    (112, 253, 144): "window sill",
    (33, 254, 226): "window head",
    (254, 240, 3): "shutter",
    (192, 254, 64): "balcony",
    (254, 159, 2): "trim",
    (254, 80, 1): "cornice",
    (252, 1, 2): "column",
    (2, 207, 255): "entrance",
}
"""The classes of the facades set of pix2pix, on which most published label models were trained, by colour."""


@dataclass(frozen=True, slots=True)
class Canvas:
    """What there is to draw with. The first colour is the paper."""

    pens: Pens
    colours: tuple[Colour, ...]
    width: int
    height: int

    @property
    def paper(self) -> Array:
        """An empty one. Shape: (H, W, 3) uint8."""
        return np.full((self.height, self.width, 3), self.colours[0], np.uint8)

    def is_blank(self, drawn: Array) -> bool:
        """Whether nothing is on the paper yet."""
        return bool((self.source(drawn) == np.array(self.colours[0], np.uint8)).all())

    def source(self, drawn: Array) -> Array:
        """A drawing over the paper; of label maps each pixel in the nearest of their colours, since brushes blur edges.

        Shape: (H, W, 3 or 4) uint8 -> (H, W, 3) uint8.
        """
        colour = drawn[:, :, :3].astype(np.float32)
        if drawn.shape[2] == 4:
            alpha = drawn[:, :, 3:].astype(np.float32) / 255
            colour = alpha * colour + (1 - alpha) * np.array(self.colours[0], np.float32)
        flat = np.rint(colour).astype(np.uint8)
        if self.pens == "ink":
            return flat
        known = np.array(self.colours, np.float32)
        return known[classes_of(flat, known)].astype(np.uint8)


def canvas_for(card: Card, palette: Sequence[Colour] = ()) -> Canvas:
    """A canvas for a model: label colours where it was trained on label maps or some are given, a pen otherwise."""
    height, width = parse_size(card.size)
    scale = SIDE / min(height, width)
    pens: Pens = "labels" if palette or card.labels else "ink"
    colours = (tuple(palette) or tuple(FACADES)) if pens == "labels" else INK
    return Canvas(pens, colours, round(scale * width), round(scale * height))


def palette_of(picture: Path) -> tuple[Colour, ...]:
    """The colours of a label map, the most frequent first, also where JPEG has smeared it.

    Raises PictureError where it cannot be read, DatasetError where it is no label map.
    """
    pixels = images.to_depth(images.read(picture, channels=3), np.uint8)
    try:
        centres = label_colours([pixels], count_colours([pixels]), seed=0)
    except DatasetError:
        raise DatasetError(
            f"{images.shown(picture.name)}: no label map. Wanted a picture of a few flat colours, one for each class."
        ) from None
    return tuple((int(r), int(g), int(b)) for r, g, b in np.rint(centres))


def as_hex(colour: Colour) -> str:
    """(255, 85, 0) -> #ff5500."""
    return "#{:02x}{:02x}{:02x}".format(*colour)


def from_hex(text: str) -> Colour:
    """#ff5500 -> (255, 85, 0). Raises DatasetError where it is none."""
    if not re.fullmatch(r"#[0-9a-fA-F]{6}", text):
        raise DatasetError(f"{text!r} is no colour; wanted one like #ff5500.")
    return int(text[1:3], 16), int(text[3:5], 16), int(text[5:7], 16)
