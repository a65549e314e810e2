"""Checkerboards: how much the harmonics of strides of 2, 4 and 8 pixels stand out of a mean power spectrum.

Odena, Dumoulin & Olah 2016, "Deconvolution and Checkerboard Artifacts"; the peaks are those that Zhang et al. 2019
(arXiv 1907.06515) tell generated pictures by.
"""

from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

STRIDES = (2, 4, 8)
"""Periods, in pixels, that strided layers leave behind."""


def luminance(pixels: Array) -> Array:
    """Luma (Rec. 601), unrounded. Shape: (H, W, 3) uint8 -> (H, W) float64 in [0, 255]."""
    return pixels.astype(np.float64) @ np.array([0.299, 0.587, 0.114])


class Spectrum:
    """The mean power spectrum of pictures; its peaks at strides are what grids show up as."""

    def __init__(self, size: int) -> None:
        """`size` is the side of the squares that are looked at.

        Raises ValueError unless it is a multiple of 8, of 32 or more.
        """
        if size % max(STRIDES) or size < 32:
            raise ValueError(f"a spectrum needs a size that is a multiple of {max(STRIDES)}, 32 or more, not {size}")
        self.size = size
        self.power = np.zeros((size, size))
        # Without a window the opposite borders' difference leaks all along the axes.
        hann = 0.5 - 0.5 * np.cos(2 * np.pi * (np.arange(size) + 0.5) / size)
        self.window = np.outer(hann, hann)

    def add(self, pixels: Array) -> bool:
        """Count a picture in, as the mean of the squares that it holds (Welch 1967); whether it holds any.

        Nothing is resized, which would wipe a grid out. Shape: (H, W, 3) uint8.
        """
        light = luminance(pixels)
        tops, lefts = (_places(length, self.size) for length in light.shape)
        for top in tops:
            for left in lefts:
                square = light[top : top + self.size, left : left + self.size]
                power = np.abs(np.fft.fft2((square - square.mean()) * self.window)) ** 2
                self.power += power / (len(tops) * len(lefts))
        return bool(len(tops) and len(lefts))

    def peaks(self) -> dict[int, float]:
        """How far the harmonics of every stride stand out of the frequencies around them: about 1 without a grid.

        The harmonics of 4 are those that 2 does not have, and so on. A harmonic is compared with the frequencies 2 to
        4 steps away (the window spreads a peak by one), on an axis along that axis alone: facades and horizons are
        strong there by themselves.
        """
        found: dict[int, list[float]] = {stride: [] for stride in STRIDES}
        step = self.size // max(STRIDES)
        for i in range(max(STRIDES)):
            for j in range(max(STRIDES)):
                if not i and not j:
                    continue
                stride = next(s for s in STRIDES if not (i * s) % max(STRIDES) and not (j * s) % max(STRIDES))
                # The mean, not the largest: one lucky frequency of one picture is no grid.
                found[stride].append(self._stands_out(i * step, j * step))
        return {stride: float(np.mean(values)) for stride, values in found.items()}

    def _stands_out(self, v: int, u: int) -> float:
        far = [d for d in range(-4, 5) if abs(d) >= 2]
        if v == 0:
            around = [(0, d) for d in far]
        elif u == 0:
            around = [(d, 0) for d in far]
        else:
            around = [(d, e) for d in range(-4, 5) for e in range(-4, 5) if max(abs(d), abs(e)) >= 2]
        background = np.mean([self.power[(v + d) % self.size, (u + e) % self.size] for d, e in around])
        return float((self.power[v, u] + 1e-9) / (background + 1e-9))


def grid(pictures: Spectrum, real: Spectrum) -> float:
    """How much more the worst stride stands out than in real pictures: 1 is theirs, a checkerboard is above 2."""
    truth = real.peaks()
    return max(peak / truth[stride] for stride, peak in pictures.peaks().items())


def _places(length: int, size: int) -> list[int]:
    """Where squares begin, side by side from the middle of what is left over."""
    count = length // size
    return [(length - count * size) // 2 + index * size for index in range(count)]
