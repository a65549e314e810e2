"""The edges of a picture, as a drawing."""

from typing import Any

import cv2
import numpy as np

from i2i import images

Array = np.ndarray[Any, Any]

_BLUR = 1.0
"""Deviation of the Gaussian before the gradient (Canny 1986): without it noise is drawn."""
_WEAK = 0.4
"""Of the threshold, from which on an edge is followed once it has begun."""


def drawn(picture: Array, threshold: float, thickness: int) -> Array:
    """Lines along the edges of a picture, black on white.

    `threshold` is of the gradient of 8-bit gray by Sobel's operator, `thickness` in pixels.
    Shape: (H, W, 1 or 3) uint8, uint16 or float32 in [0, 1] -> (H, W, 1) of the same dtype.
    """
    gray = images.with_channels(images.to_depth(picture, np.uint8), 1)
    smooth = cv2.GaussianBlur(gray, (0, 0), _BLUR)
    edges = cv2.Canny(smooth, _WEAK * threshold, threshold, L2gradient=True)
    if thickness > 1:
        brush = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (thickness, thickness))
        edges = cv2.dilate(edges, brush)
    return images.to_depth((255 - edges)[:, :, None], picture.dtype)
