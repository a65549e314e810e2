"""A source from its target, for every task: a function of the picture and a key, on the crop that the network sees."""

from typing import Any

import numpy as np

from i2i import images
from i2i.data.crops import Key
from i2i.data.tasks.edges import drawn
from i2i.data.tasks.holes import holes, without
from i2i.data.tasks.settings import AnyTask, Colorize, Inpaint, Sketch, SuperResolution
from i2i.data.transforms import generator
from i2i.errors import DatasetError

Array = np.ndarray[Any, Any]

_SOURCE = 3
"""Sets the draws of a source apart from those of the crop that it is made of."""


def make_source(task: AnyTask, target: Array, key: Key, *, train: bool) -> Array:
    """The source of a picture, for tasks that need no other picture.

    All draws are functions of `key`. What the network sees are the last channels of an inpainting source, which begins
    with its mask whether or not the network is told it.
    Shape: (H, W, 1 or 3) uint8, uint16 or float32 in [0, 1] -> (H, W, C) of the same dtype; of super-resolution
    (H/scale, W/scale, C), unless the source is enlarged. Raises DatasetError where the sides cannot be divided.
    """
    match task:
        case SuperResolution():
            return entering(task, smaller(target, task.scale))
        case Colorize():
            return images.with_channels(target, 1)
        case Inpaint():
            return without(target, holes(target.shape[:2], task, generator((*key, _SOURCE))))
        case Sketch():
            low, high, thickness = task.low, task.high, 1
            threshold = (low + high) / 2
            if train:
                draw = generator((*key, _SOURCE))
                threshold, thickness = draw.uniform(low, high), int(draw.integers(1, task.thickness + 1))
            return drawn(target, threshold, thickness)
        case _:
            raise TypeError(f"{task.kind} makes no source from a single picture")


def smaller(picture: Array, scale: int) -> Array:
    """A picture at 1/scale, bicubic with antialiasing. Raises DatasetError where `scale` does not divide its sides."""
    height, width = picture.shape[:2]
    if height % scale or width % scale:
        raise DatasetError(f"{width} x {height} pixels cannot be divided by {scale}, as super-resolution x{scale} does")
    return images.resize(picture, (height // scale, width // scale))


def entering(task: AnyTask, small: Array) -> Array:
    """A small picture as the network of super-resolution takes it: as it is, or enlarged beforehand."""
    if isinstance(task, SuperResolution) and task.enlarged:
        height, width = small.shape[:2]
        return images.resize(small, (task.scale * height, task.scale * width))
    return small


def make_input(task: AnyTask, truth: Array, key: Key) -> Array:
    """What a user would hand a translator for this truth: small, gray, drawn, or transparent where holes are.

    The same draws as those of `make_source` when it validates. Shape: (H, W, 1 or 3) -> (h, w, K) of the same dtype.
    """
    match task:
        case SuperResolution():
            return smaller(truth, task.scale)
        case Inpaint():
            mask = holes(truth.shape[:2], task, generator((*key, _SOURCE)))
            return images.with_alpha(truth, np.where(mask, 0, images.white(truth.dtype)).astype(truth.dtype))
        case _:
            return make_source(task, truth, key, train=False)
