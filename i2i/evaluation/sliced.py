"""SWD: the sliced Wasserstein distance of patches of Laplacian pyramids (Karras et al. 2018, arXiv 1710.10196, Sec. 5).

Each level of the pyramid is a band of frequencies; the patches of a level are standardised in every colour over the
whole lot, so that the distance says how a band's texture differs and not how bright a lot is.
"""

import numpy as np

from i2i import images
from i2i.evaluation.scores import Array, Scores

PATCH = 7
"""Pixels of a patch's side."""
PATCHES = 128
"""Of a picture on every level, at most."""
MOST = 8192
"""Of a lot on every level: 5 MB."""
DIRECTIONS = 512
_TOGETHER = 128
_COARSEST = 16
_FINEST = 256
_SEED = 0


class Patches:
    """Patches of many pictures, drawn anywhere, level by level."""

    def __init__(self, side: int, pictures: int) -> None:
        """`side`: of the pictures, which are brought to the power of two below it, 16 to 256; `pictures` expected."""
        finest = min(max(1 << (side.bit_length() - 1), _COARSEST), _FINEST)
        self.levels = [finest >> level for level in range(finest.bit_length() - _COARSEST.bit_length() + 1)]
        self._each = max(1, min(PATCHES, MOST // max(1, pictures)))
        self._draw = np.random.default_rng(_SEED)
        self._found: dict[int, list[Array]] = {level: [] for level in self.levels}

    def add(self, picture: Array) -> None:
        """Draw from a picture. Shape: (H, W, 3) uint8."""
        values = images.resize(images.to_depth(picture, np.float32), (self.levels[0], self.levels[0]))
        for level, band in zip(self.levels, pyramid(values, len(self.levels)), strict=True):
            windows = np.lib.stride_tricks.sliding_window_view(band, (PATCH, PATCH), axis=(0, 1))
            y, x = self._draw.integers(0, level - PATCH + 1, (2, self._each))
            self._found[level].append(windows[y, x])

    def extend(self, other: "Patches") -> None:
        """Add what another one of the same levels has drawn."""
        for level, found in other._found.items():
            self._found[level] += found

    def of(self, level: int) -> Array:
        """Standardised in every colour. Shape: (patches, 3 x 7 x 7) float32."""
        found = np.concatenate(self._found[level])
        mean, deviation = (part(found, axis=(0, 2, 3), keepdims=True) for part in (np.mean, np.std))
        return ((found - mean) / np.maximum(deviation, 1e-6)).reshape(len(found), -1)


def pyramid(picture: Array, levels: int) -> list[Array]:
    """The Laplacian pyramid, the finest band first and what is left over last. Shape: (side, side, 3) float32."""
    import cv2

    bands = []
    for _ in range(levels - 1):
        smaller = cv2.pyrDown(picture)
        bands.append(picture - cv2.pyrUp(smaller))
        picture = smaller
    return [*bands, picture]


def patch_distances(one: Patches, two: Patches) -> Scores:
    """SWD by the level's side and their mean ("swd"), times 1000 as in the paper, of standard deviations."""
    found = {f"swd {level}": 1000 * sliced_wasserstein(one.of(level), two.of(level)) for level in one.levels}
    return {"swd": float(np.mean(list(found.values()))), **found}


def sliced_wasserstein(one: Array, two: Array, directions: int = DIRECTIONS) -> float:
    """The mean over random directions of the distance that projected samples are moved by (W1, Rabin et al. 2011).

    In the unit of the samples; of samples of different sizes as many of the larger one as the smaller one has.
    Shape: (N, D) and (M, D).
    """
    draw = np.random.default_rng(_SEED)
    count = min(len(one), len(two))
    one, two = (
        part if len(part) == count else part[draw.choice(len(part), count, replace=False)] for part in (one, two)
    )
    total = 0.0
    for first in range(0, directions, _TOGETHER):
        axes = draw.standard_normal((one.shape[1], min(_TOGETHER, directions - first)))
        axes = (axes / np.linalg.norm(axes, axis=0)).astype(one.dtype)
        moved = np.abs(np.sort(one @ axes, axis=0) - np.sort(two @ axes, axis=0))
        total += float(moved.mean(0, dtype=np.float64).sum())
    return total / directions
