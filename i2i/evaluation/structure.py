"""What of a picture's structure its translation keeps, whatever becomes of light and colour."""

from typing import NamedTuple

import numpy as np

from i2i import images
from i2i.evaluation.scores import Array

SIDE = 128
"""Pictures are brought to this size: finer detail is texture, which a translation may change."""
_RANGE = 8.0
"""The dynamic range (SSIM's L) of luminance in standard deviations: four to either side of the mean."""


class Structure(NamedTuple):
    """Two views of it, 1 for equal pictures."""

    ssim: float
    """SSIM of normalised luminance, in [-1, 1]: whether light and dark are at the same places."""
    orientation: float
    """Correlation of edges' orientations, in [-1, 1], 0 for unrelated pictures, and blind to which side is brighter."""


def normalised(picture: Array) -> Array:
    """Luminance in standard deviations from its mean; 0 for a flat picture.

    Shape: (H, W, 1 or 3) uint8, uint16 or float32 in [0, 1] -> (SIDE, SIDE) float32.
    """
    small = images.resize(images.to_depth(picture, np.float32), (SIDE, SIDE))
    light = images.with_channels(small, 1)[:, :, 0]
    deviation = light.std()
    # Half a level of 255 is what rounding alone makes of a flat picture.
    return (light - light.mean()) / deviation if deviation > 0.5 / 255 else np.zeros_like(light)


def kept(one: Array, two: Array) -> Structure:
    """How alike two pictures are in structure. Shape: (SIDE, SIDE) twice, as `normalised` makes them."""
    return Structure(_ssim(one, two), _orientation(one, two))


def _ssim(one: Array, two: Array) -> float:
    """Wang et al. 2004 without its comparison of means (contrast times structure, C3 = C2 / 2).

    Neighbourhoods are Gaussian, of side / 32; C2 = (0.03 L)^2, so that noise in a dark sky is no structure.
    """
    import cv2

    def mean(values: Array) -> Array:
        return cv2.GaussianBlur(values, (0, 0), SIDE / 32)

    covariance = mean(one * two) - mean(one) * mean(two)
    variances = mean(one * one) - mean(one) ** 2 + mean(two * two) - mean(two) ** 2
    c2 = (0.03 * _RANGE) ** 2
    return float(((2 * covariance + c2) / (variances + c2)).mean())


def _orientation(one: Array, two: Array) -> float:
    """Correlation of gradients as vectors of twice their angle, to which dark on bright is the same as bright on dark.

    Their length saturates, so that a few lamps do not outweigh all walls.
    """
    a, b = _edges(one), _edges(two)
    scale = np.sqrt((np.abs(a) ** 2).sum() * (np.abs(b) ** 2).sum())
    return float(np.real(a * b.conj()).sum() / scale) if scale > 0 else 0.0


def _edges(light: Array) -> Array:
    """Shape: (SIDE, SIDE) -> the same, complex."""
    import cv2

    smooth = cv2.GaussianBlur(light, (0, 0), 1.0)
    down, across = np.gradient(smooth)
    gradient = across + 1j * down
    length = np.abs(gradient)
    usual = length.mean()
    if not usual:
        return np.zeros_like(gradient)
    doubled = gradient**2 / np.maximum(length**2, 1e-12)
    return doubled * length / (length + usual)
