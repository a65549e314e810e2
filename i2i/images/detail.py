"""Bring a small translation back to the size of its photo, with the photo's edges."""

from typing import Any

import cv2
import numpy as np

Array = np.ndarray[Any, Any]


def guided(result: Array, small: Array, large: Array, *, radius: int = 4, epsilon: float = 1e-3) -> Array:
    """Enlarge `result` along the edges of `large` (fast guided filter, He & Sun 2015).

    In every window of the small picture the result is explained as a * luminance + b; a and b are smooth, so they
    enlarge well, and the large photo's luminance brings its edges. What the small picture does not explain by its
    luminance (the source's own light) has a near 0 and stays out.

    Shape: result (h, w, C), small (h, w, K), large (H, W, K), float32 in [0, 1] -> (H, W, C) float32 in [0, 1].
    """
    box = (2 * radius + 1, 2 * radius + 1)

    def mean(values: Array) -> Array:
        return cv2.blur(values, box, borderType=cv2.BORDER_REFLECT_101)

    guide = _luminance(small)
    average = mean(guide)
    variance = mean(guide * guide) - average * average
    size = large.shape[1], large.shape[0]
    bright = _luminance(large)
    channels = []
    for channel in range(result.shape[2]):
        values = np.ascontiguousarray(result[:, :, channel])
        covariance = mean(guide * values) - average * mean(values)
        slope = covariance / (variance + epsilon)
        offset = mean(values) - slope * average
        # What the window does not explain is the translation's own detail; it is enlarged plainly.
        rest = values - (mean(slope) * guide + mean(offset))
        a, b, plain = (
            cv2.resize(part, size, interpolation=cv2.INTER_CUBIC) for part in (mean(slope), mean(offset), rest)
        )
        channels.append(a * bright + b + plain)
    return np.clip(np.stack(channels, axis=2), 0, 1)


def _luminance(picture: Array) -> Array:
    return picture[:, :, 0] if picture.shape[2] == 1 else cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
