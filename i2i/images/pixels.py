"""Pixels as arrays (uint8 and uint16 full range, float32 in [0, 1]) and as networks see them (float32 in [-1, 1])."""

from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from torch import Tensor

Array = np.ndarray[Any, Any]


def white(dtype: Any) -> float:
    """The value of white, and of what is opaque."""
    known = {"uint8": 255.0, "uint16": 65535.0, "float32": 1.0}
    try:
        return known[np.dtype(dtype).name]
    except KeyError:
        raise TypeError(f"pixels are uint8, uint16 or float32 in [0, 1], not {np.dtype(dtype).name}") from None


def to_network(pixels: Array) -> "Tensor":
    """Pixels as a network's input.

    Shape: (H, W, C) or (N, H, W, C), uint8, uint16 or float32 in [0, 1] -> (N, C, H, W) float32 in [-1, 1].
    """
    import torch

    half = white(pixels.dtype) / 2
    batch = pixels[None] if pixels.ndim == 3 else pixels
    values = batch.astype(np.float32) / np.float32(half) - np.float32(1)
    return torch.from_numpy(np.ascontiguousarray(values.transpose(0, 3, 1, 2)))


def from_network(images: "Tensor", dtype: Any = np.uint8) -> Array:
    """A network's output as pixels: clamped to the range and rounded to the nearest level, never truncated.

    Shape: (N, C, H, W) or (C, H, W) in [-1, 1] -> (N, H, W, C) or (H, W, C) of `dtype`.
    """
    import torch

    top = white(dtype)
    values = images.detach().to(torch.float32).clamp(-1, 1).add(1).mul(top / 2)
    if np.dtype(dtype).kind == "u":
        values = values.round().to(torch.uint8 if top == 255 else torch.int32)
    array = values.movedim(-3, -1).cpu().numpy()
    return np.ascontiguousarray(array.astype(dtype, copy=False))


def scale(images: "Tensor") -> "Tensor":
    """A batch as the loader hands it over, ready for a network, on whatever device it is.

    Shape: (N, C, H, W) uint8, or floating point already in [-1, 1] -> the same shape, float32 in [-1, 1].
    """
    import torch

    if images.is_floating_point():
        return images.to(torch.float32)
    if images.dtype != torch.uint8:
        raise TypeError(f"a batch is uint8 or floating point, not {images.dtype}")
    return images.to(torch.float32).div_(127.5).sub_(1)


def to_depth(pixels: Array, dtype: Any) -> Array:
    """The same picture in another of uint8, uint16 and float32; levels are rounded to the nearest, never truncated."""
    have, want = white(pixels.dtype), white(dtype)
    if have == want:
        return pixels
    if have == 1:
        return np.rint(np.clip(pixels, 0, 1) * np.float32(want)).astype(dtype)
    if want == 1:
        return pixels.astype(np.float32) / np.float32(have)
    if have > want:
        return ((pixels.astype(np.uint32) + 128) // 257).astype(dtype)
    return pixels.astype(dtype) * np.array(257, dtype)


def with_channels(pixels: Array, channels: int) -> Array:
    """The picture with that many channels: colour to gray by luma (Rec. 601), gray to colour by repetition.

    Shape: (H, W, 1 or 3) -> (H, W, channels).
    """
    if pixels.shape[2] == channels:
        return pixels
    if channels == 3:
        return np.repeat(pixels, 3, axis=2)
    if channels == 1:
        return cv2.cvtColor(np.ascontiguousarray(pixels), cv2.COLOR_RGB2GRAY)[:, :, None]
    raise ValueError(f"a picture has 1 or 3 channels, not {channels}")


def with_alpha(pixels: Array, alpha: Array | None) -> Array:
    """The picture with its alpha as a last channel; opaque without one.

    Shape: (H, W, C), and (H, W) of the same dtype -> (H, W, C + 1).
    """
    opaque = np.full(pixels.shape[:2], white(pixels.dtype), pixels.dtype)
    return np.concatenate([pixels, (opaque if alpha is None else alpha)[:, :, None]], axis=2)


def resize(
    pixels: Array, size: tuple[int, int], *, nearest: bool = False, extent: tuple[float, float] | None = None
) -> Array:
    """Bring a picture to `size`, (height, width); the same geometry at training and at translation.

    Bicubic with antialiasing, as the reference implementation resizes (Pillow). OpenCV's area mean, its only
    antialiased way to shrink, takes 4.5% of the gradient from a photo on its way from 256 to 143 pixels. The same size
    returns the picture as it is. `nearest` takes the nearest pixel, so that a label map gets no new labels. `extent`,
    (height, width), is what of the pixels, from the upper left, is the picture: a JPEG of 5 pixels decoded at a half is
    2.5 of 3.

    Shape: (H, W, C) uint8, uint16 or float32 in [0, 1] -> (height, width, C) of the same dtype.
    """
    height, width = pixels.shape[:2]
    if size == (height, width):
        return pixels
    box = (0, 0, extent[1], extent[0]) if extent is not None else None
    if nearest:
        small = cv2.resize(np.ascontiguousarray(pixels), (size[1], size[0]), interpolation=cv2.INTER_NEAREST_EXACT)
        return small if small.ndim == 3 else small[:, :, None]  # cv2 drops the axis of a single channel
    if pixels.dtype == np.uint8 and pixels.shape[2] in (1, 3):
        image = Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels)
        return np.atleast_3d(np.array(image.resize((size[1], size[0]), Image.Resampling.BICUBIC, box)))
    planes = [
        np.asarray(Image.fromarray(plane).resize((size[1], size[0]), Image.Resampling.BICUBIC, box))
        for plane in np.moveaxis(pixels.astype(np.float32), 2, 0)
    ]
    # Cubic interpolation overshoots at edges.
    values = np.clip(np.stack(planes, axis=2), 0, white(pixels.dtype))
    return values if pixels.dtype == np.float32 else np.rint(values).astype(pixels.dtype)
