"""What the task of a translator takes of a picture, and what of the picture stays in its result."""

from typing import Any

import numpy as np

from i2i import images
from i2i.data.tasks.holes import cut_by_alpha, filled
from i2i.data.tasks.settings import AnyTask, Colorize, Inpaint, NextFrame
from i2i.errors import PictureError

Array = np.ndarray[Any, Any]

_STRIP = 1 << 18
"""Pixels whose colours are converted at once: their floats stay near."""


def channels_taken(task: AnyTask) -> tuple[int, ...]:
    """How many channels a picture may have: gray or colour, for inpainting with alpha, for next-frame several times."""
    match task:
        case Inpaint():
            return 2, 4
        case NextFrame():
            return task.frames, 3 * task.frames
        case _:
            return 1, 3


def at_scale(task: AnyTask, picture: Array, size: tuple[int, int], channels: tuple[int, int], nearest: bool) -> Array:
    """A picture as its task enters the network, before any enlarging; `channels` are those of source and result.

    Shape: (H, W, C) of `channels_taken` -> (h, w, K). For inpainting it begins with the mask, told to the network
    or not. Raises PictureError where the task finds nothing to do.
    """
    source, target = channels
    match task:
        case Inpaint():
            if picture.shape[2] not in channels_taken(task) or not holed(picture[:, :, -1]):
                raise PictureError(
                    "is opaque everywhere, and inpainting fills what is transparent: erase what is to be filled, and "
                    "save it with its transparency (PNG, WebP, TIFF)"
                )
            picture = _each(picture, 1, target)
            small = images.resize(picture, size, nearest=nearest)
            return cut_by_alpha(small[:, :, :-1], small[:, :, -1])
        case NextFrame():
            return images.resize(_frames(picture, task.frames, target), size, nearest=nearest)
        case _:
            return images.resize(images.with_channels(picture, source), size, nearest=nearest)


def holed(alpha: Array) -> bool:
    """Whether anything is not fully opaque. Shape: (H, W) uint8, uint16 or float32 in [0, 1]."""
    return bool((alpha < images.white(alpha.dtype)).any())


def _each(picture: Array, last: int, channels: int) -> Array:
    """The picture with so many channels before its last ones."""
    return np.concatenate([images.with_channels(picture[:, :, :-last], channels), picture[:, :, -last:]], axis=2)


def _frames(picture: Array, frames: int, channels: int) -> Array:
    if picture.shape[2] == frames * channels:
        return picture
    return np.concatenate([images.with_channels(one, channels) for one in np.split(picture, frames, axis=2)], axis=2)


def kept(task: AnyTask, made: Array, prepared: Array) -> Array:
    """A result at the network's scale, with what its source keeps of itself: its light, or all but the holes.

    Shape: (h, w, C), (h, w, K) as `at_scale` gives it -> (h, w, C).
    """
    match task:
        case Colorize() if task.keep_luma and made.shape[2] == 3:
            return with_luma(made, prepared)
        case Inpaint():
            return np.where(prepared[:, :, :1] > 0, made, prepared[:, :, 1:])
        case _:
            return made


def kept_in_full(task: AnyTask, made: Array, picture: Array) -> Array:
    """A result at the picture's own size, with what the picture keeps of itself, pixel by pixel."""
    match task:
        case Colorize() if task.keep_luma and made.shape[2] == 3:
            return with_luma(made, images.with_channels(picture, 1))
        case Inpaint():
            return filled(made, images.with_channels(picture[:, :, :-1], made.shape[2]), picture[:, :, -1])
        case _:
            return made


def with_luma(colours: Array, gray: Array) -> Array:
    """Colours under the light of a gray picture: the result has its luma (Rec. 601), and as much colour as fits.

    The difference of a colour from its own luma is kept, or shortened until it fits in the range. It is luma and not
    the lightness of CIE Lab because sources were made by luma: a blue has a lightness of 32 and its gray one of 11.
    Shape: (H, W, 3) and (H, W, 1) of one dtype -> (H, W, 3).
    """
    result = np.empty_like(colours)
    rows = max(1, _STRIP // colours.shape[1])
    for start in range(0, len(colours), rows):
        part = slice(start, start + rows)
        colour, light = (images.to_depth(one[part], np.float32) for one in (colours, gray))
        apart = colour - images.with_channels(colour, 1)
        up, down = apart.max(axis=2, keepdims=True), -apart.min(axis=2, keepdims=True)
        tiny = np.float32(1e-6)
        room = np.minimum((1 - light) / np.maximum(up, tiny), light / np.maximum(down, tiny))
        result[part] = images.to_depth(light + np.clip(room, 0, 1) * apart, colours.dtype)
    return result


def shown(task: AnyTask, picture: Array) -> Array:
    """What of a task's picture can be looked at: holes gray, the last of several frames. Shape: (H, W, 1 or 3)."""
    match task:
        case Inpaint() if picture.shape[2] in channels_taken(task):
            return cut_by_alpha(picture[:, :, :-1], picture[:, :, -1])[:, :, 1:]
        case NextFrame():
            return picture[:, :, -(picture.shape[2] // task.frames) :]
        case _:
            return picture


def prepared_shown(task: AnyTask, prepared: Array) -> Array:
    """The same of what `at_scale` gave."""
    match task:
        case Inpaint():
            return prepared[:, :, 1:]
        case _:
            return shown(task, prepared)
