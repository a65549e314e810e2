"""Drawn pictures of every brightness, contrast, sharpness and noise: what features are calibrated on.

Dead leaves (Lee, Mumford, Huang 2001, "Occlusion models for natural images"): shapes of many sizes that cover each
other have the edges and the power spectrum of photographs.
"""

import torch
from torch import Tensor
from torch.nn import functional

_SEED = 7


def dead_leaves(count: int, side: int) -> Tensor:
    """The same pictures every time. Shape: (count, 3, side, side) float32 in [-1, 1]."""
    generator = torch.Generator().manual_seed(_SEED)
    return torch.stack([_Drawing(side, generator).picture() for _ in range(count)])


class _Drawing:
    """One picture, from the next numbers of a generator."""

    def __init__(self, side: int, generator: torch.Generator) -> None:
        self.side, self.generator = side, generator

    def picture(self) -> Tensor:
        contrast = self._number(0.05, 1)
        picture = self._leaves(contrast) + contrast * 10 ** self._number(-2.5, -0.5) * self._grain()
        if self._number(0, 1) < 0.6:
            picture = self._unsharp(picture)
        return picture.clamp(-1, 1)

    def _leaves(self, contrast: float) -> Tensor:
        """Boxes and ellipses of 1.5% to 50% of the side, each of one colour, upon each other."""
        base, colourful = torch.rand(3, generator=self.generator) * 1.6 - 0.8, self._number(0, 1)
        picture = base[:, None, None].repeat(1, self.side, self.side)
        at = torch.arange(self.side)
        for _ in range(int(self._number(5, 60))):
            radius = self.side / 2 * 0.03 ** self._number(0, 1)
            down, across = self._number(0, self.side), self._number(0, self.side)
            stretch, box = self._number(0.3, 3), self._number(0, 1) < 0.5
            light = torch.randn(1, generator=self.generator)
            tint = torch.randn(3, generator=self.generator)
            y, x = (at[:, None] - down) / stretch, (at - across) * stretch
            inside = (y.abs() < radius) & (x.abs() < radius) if box else y * y + x * x < radius * radius
            picture[:, inside] = (base + contrast / 2 * (light + colourful * tint))[:, None]
        return picture

    def _grain(self) -> Tensor:
        """Noise between that of single pixels and that of patches of four."""
        fine = torch.randn(3, self.side, self.side, generator=self.generator)
        coarse = torch.randn(1, 3, self.side // 4, self.side // 4, generator=self.generator)
        share = self._number(0, 1)
        return share * fine + 2 * (1 - share) * functional.interpolate(coarse, fine.shape[1:], mode="bilinear")[0]

    def _unsharp(self, picture: Tensor) -> Tensor:
        """At up to a quarter of the resolution."""
        small = (int(self.side * 2 ** -self._number(0, 2)),) * 2
        shrunk = functional.interpolate(picture[None], small, mode="bicubic", antialias=True)
        return functional.interpolate(shrunk, picture.shape[1:], mode="bicubic")[0]

    def _number(self, low: float, high: float) -> float:
        return low + (high - low) * float(torch.rand(1, generator=self.generator))
