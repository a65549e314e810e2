"""Holes in pictures: drawn at random, cut out, and given back what was around them."""

import math
from typing import Any

import cv2
import numpy as np

from i2i import images
from i2i.data.tasks.settings import Inpaint

Array = np.ndarray[Any, Any]

GRAY = {"uint8": 128, "uint16": 32896, "float32": 128 / 255}
"""What holes are filled with, the middle of the range; the same of every depth."""
_MOST_HOLES = 1000


def holes(size: tuple[int, ...], task: Inpaint, draw: np.random.Generator) -> Array:
    """Where a picture of `size`, (height, width), has holes: one after the other until the drawn share is covered.

    Rectangles have sides of 1/8 to 1/2 of the picture's (UVCGAN's squares of random size, Context Encoders' blocks),
    strokes are brushed from point to point (free-form masks, Yu et al. 2019).
    Shape: (H, W) bool, True in a hole.
    """
    height, width = size[:2]
    mask = np.zeros((height, width), np.uint8)
    wanted = draw.uniform(task.least, task.most) * height * width
    for _ in range(_MOST_HOLES):
        if mask.sum() >= wanted:
            break
        if task.holes == "rectangles" or (task.holes == "both" and draw.random() < 0.5):
            _rectangle(mask, draw)
        else:
            _stroke(mask, draw)
    return mask.astype(bool)


def _rectangle(mask: Array, draw: np.random.Generator) -> None:
    height, width = (max(1, round(draw.uniform(1 / 8, 1 / 2) * side)) for side in mask.shape)
    top, left = (int(draw.integers(side - part + 1)) for side, part in zip(mask.shape, (height, width), strict=True))
    mask[top : top + height, left : left + width] = 1


def _stroke(mask: Array, draw: np.random.Generator) -> None:
    side = min(mask.shape)
    thick = max(1, round(draw.uniform(1 / 32, 1 / 10) * side))
    y, x = (draw.uniform(0, length) for length in mask.shape)
    angle = draw.uniform(0, 2 * math.pi)
    for _ in range(int(draw.integers(2, 7))):
        angle += draw.uniform(-1, 1)
        length = draw.uniform(1 / 8, 1 / 3) * side
        to_y, to_x = y + length * math.sin(angle), x + length * math.cos(angle)
        cv2.line(mask, (round(x), round(y)), (round(to_x), round(to_y)), 1, thick)
        y, x = to_y, to_x


def without(picture: Array, mask: Array) -> Array:
    """A picture with its holes filled with gray, behind a channel that is white in them.

    Shape: (H, W, C) uint8, uint16 or float32 in [0, 1], and (H, W) bool -> (H, W, 1 + C) of the same dtype.
    """
    result = np.empty((*picture.shape[:2], 1 + picture.shape[2]), picture.dtype)
    result[:, :, 0] = np.where(mask, picture.dtype.type(images.white(picture.dtype)), 0)
    result[:, :, 1:] = np.where(mask[:, :, None], picture.dtype.type(GRAY[picture.dtype.name]), picture)
    return result


def cut_by_alpha(picture: Array, alpha: Array) -> Array:
    """A source of a picture whose transparent parts are the holes, wherever it is not fully opaque.

    Shape: (H, W, C) and (H, W) or (H, W, 1) of one dtype -> (H, W, 1 + C).
    """
    return without(picture, alpha.reshape(alpha.shape[:2]) < images.white(alpha.dtype))


def filled(made: Array, picture: Array, opacity: Array) -> Array:
    """What was made, where the picture is transparent; the picture itself, to the bit, where it is opaque.

    Shape: (H, W, C), the same, and (H, W) of the picture's dtype -> (H, W, C).
    """
    result = picture.copy()
    somewhere = opacity < images.white(opacity.dtype)
    share = images.to_depth(opacity[somewhere][:, None, None], np.float32)[:, 0]
    mixed = share * images.to_depth(picture[somewhere][:, None], np.float32)[:, 0]
    mixed += (1 - share) * images.to_depth(made[somewhere][:, None], np.float32)[:, 0]
    result[somewhere] = images.to_depth(mixed, picture.dtype)
    return result
