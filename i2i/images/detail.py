"""Bring a small translation back to the size of its photo, with the photo's edges."""

import math
from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np
from PIL import Image

from i2i.images.pixels import resize, to_depth, with_channels

Array = np.ndarray[Any, Any]

_STRIP = 1 << 22
"""Numbers of the enlarged coefficients that exist at a time: 16 MB, whatever the photo's size."""


def guided(result: Array, small: Array, large: Array, *, radius: float = 1.0, epsilon: float = 1e-3) -> Array:
    """Enlarge `result` along the edges of `large` (guided filter with a colour guide, He et al. 2010, eq. 19 to 21).

    Around every pixel of the small picture the result is explained as gain x colour + offset. Both are enlarged, and
    the gain is laid on the large photo: its edges come, as strong and of such a sign as the translation shows at its
    own scale. The offset is what makes the sum exact at every pixel of the small picture, so that nothing comes of the
    photo that the small picture has already, its light above all; where the translation does not follow the photo's
    colours the gain is near 0 and this is plain bicubic enlarging. A side that is shorter than the result's gets no
    detail.

    `radius` is the deviation of the Gaussian neighbourhood in pixels of the small picture; `epsilon` the variance, in
    [0, 1], below which the photo counts as flat (0.001: a deviation of 8 levels of 255).

    Memory, beside the picture and the result: 250 bytes for every pixel of the small picture, and some 100 MB.

    Shape: result (h, w, C), small (h, w, K), large (H, W, 1 or 3) -> (H, W, C), each uint8, uint16 or float32 in
    [0, 1], the last of the dtype of `large`. K is 1 or 3; the photo is brought to it.
    """
    height, width = large.shape[:2]
    at = min(result.shape[0], height), min(result.shape[1], width)
    values, guide = (resize(to_depth(part, np.float32), at) for part in (result, small))
    coefficients = _explained(values, guide, radius, epsilon)
    channels, channels_in = values.shape[2], guide.shape[2]
    out = np.empty((height, width, channels), large.dtype)
    for rows, planes in _enlarged(coefficients, (height, width)):
        photo = to_depth(with_channels(large[rows], channels_in), np.float32)
        guides = [np.ascontiguousarray(photo[:, :, k]) for k in range(channels_in)]
        part = planes[:, -channels:]
        for channel in range(channels):
            for k in range(channels_in):
                part[:, channel] += planes[:, k * channels + channel] * guides[k]
        out[rows] = to_depth(part.clip(0, 1).transpose(0, 2, 1), large.dtype)
    return out


def _explained(values: Array, guide: Array, radius: float, epsilon: float) -> Array:
    """Gains and offsets: values = sum over k of gain[k] x guide[k] + offset, exactly.

    Shape: (h, w, C), (h, w, K) float32 -> (h, K C + C, w) float32, the gains of the first guide channel first.
    """

    def mean(plane: Array) -> Array:
        return cv2.GaussianBlur(plane, (0, 0), radius, borderType=cv2.BORDER_REFLECT_101)

    height, width, channels = values.shape
    guides = [np.ascontiguousarray(guide[:, :, k]) for k in range(guide.shape[2])]
    targets = [np.ascontiguousarray(values[:, :, channel]) for channel in range(channels)]
    guide_means = [mean(plane) for plane in guides]
    variances = np.empty((height, width, len(guides), len(guides)), np.float32)
    for i, one in enumerate(guides):
        for j, two in enumerate(guides[: i + 1]):
            variances[:, :, i, j] = variances[:, :, j, i] = mean(one * two) - guide_means[i] * guide_means[j]
        variances[:, :, i, i] += epsilon
    covariances = np.empty((height, width, len(guides), channels), np.float32)
    for channel, target in enumerate(targets):
        target_mean = mean(target)
        for k, plane in enumerate(guides):
            covariances[:, :, k, channel] = mean(plane * target) - guide_means[k] * target_mean
    gains = np.linalg.solve(variances, covariances)

    coefficients = np.empty((height, len(guides) * channels + channels, width), np.float32)
    for channel, target in enumerate(targets):
        offset = target
        for k, plane in enumerate(guides):
            gain = mean(np.ascontiguousarray(gains[:, :, k, channel]))
            coefficients[:, k * channels + channel] = gain
            offset = offset - gain * plane
        coefficients[:, len(guides) * channels + channel] = offset
    return coefficients


def _enlarged(planes: Array, size: tuple[int, int]) -> Iterator[tuple[slice, Array]]:
    """Strips of the planes at `size`, by Pillow's bicubic, which is that of `resize`; strips meet without a seam.

    Shape: (h, P, w) float32 -> rows of (H, W) and (rows, P, W) float32, from top to bottom.
    """
    height, count, width = planes.shape
    rows = max(1, _STRIP // (count * size[1]))
    for top in range(0, size[0], rows):
        bottom = min(top + rows, size[0])
        above, below = top * height / size[0], bottom * height / size[0]
        # A cubic looks two rows further; where the planes end there are none, there as in the whole.
        first, last = max(0, int(above) - 2), min(height, math.ceil(below) + 2)
        wide = Image.fromarray(planes[first:last].reshape(-1, width))
        wide = wide.resize((size[1], wide.height), Image.Resampling.BICUBIC)
        lines = Image.fromarray(np.asarray(wide).reshape(last - first, count * size[1]))
        box = (0, above - first, lines.width, below - first)
        strip = lines.resize((lines.width, bottom - top), Image.Resampling.BICUBIC, box)
        yield slice(top, bottom), np.array(strip).reshape(bottom - top, count, size[1])
