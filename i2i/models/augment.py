"""Augmentations through which G learns: differentiable, twice too, so that D's slopes can be penalised behind them."""

from collections.abc import Collection
from dataclasses import dataclass

import torch
from torch import Tensor

from i2i.models.settings.sight import Operation

SHIFT = 1 / 8
"""How far pictures are moved at most, in sides (Zhao et al. 2020, Sec. 3.2)."""
HOLE = 1 / 2
"""Side of what is cut out, in sides."""

Chance = Tensor | None
"""How often an operation is done to a picture: a probability on the device; None is always."""


@dataclass(frozen=True, slots=True)
class Colour:
    """Another brightness, saturation and contrast for each picture. Shape: (N, 1, 1, 1) each."""

    brightness: Tensor
    """Added, in +-0.5: a quarter of the range."""
    saturation: Tensor
    """A factor, up to 2."""
    contrast: Tensor
    """A factor, 0.5 to 1.5."""

    def __call__(self, pictures: Tensor) -> Tensor:
        """Shape: (N, C, H, W) -> same; values may leave [-1, 1], as in the authors' code."""
        pictures = pictures + self.brightness
        gray = pictures.mean(dim=1, keepdim=True)
        pictures = torch.lerp(gray.expand_as(pictures), pictures, self.saturation)
        mean = pictures.mean(dim=(1, 2, 3), keepdim=True)
        return torch.lerp(mean.expand_as(pictures), pictures, self.contrast)


@dataclass(frozen=True, slots=True)
class Geometry:
    """Where each pixel comes from: whole pixels, so nothing is blurred. What comes from nowhere is 0."""

    source: Tensor
    """Row times width plus column. Shape: (N, H, W) int64."""
    there: Tensor
    """Whether it comes from anywhere. Shape: (N, 1, H, W)."""

    def __call__(self, pictures: Tensor) -> Tensor:
        """Shape: (N, C, H, W) -> same."""
        places = self.source.flatten(1)[:, None].expand(-1, pictures.shape[1], -1)
        moved = pictures.flatten(2).gather(2, places).view_as(pictures)
        return torch.where(self.there, moved, torch.zeros((), device=moved.device, dtype=moved.dtype))


def draw_colour(pictures: Tensor, chance: Chance) -> Colour:
    """Of so many pictures (DiffAugment, Zhao et al. 2020: the authors' code has these ranges)."""
    count, device, dtype = len(pictures), pictures.device, pictures.dtype

    def drawn(low: float, high: float, same: float) -> Tensor:
        value = torch.empty(count, 1, 1, 1, device=device, dtype=dtype).uniform_(low, high)
        return value if chance is None else torch.where(_often(count, chance, device), value, same)

    return Colour(drawn(-0.5, 0.5, 0.0), drawn(0.0, 2.0, 1.0), drawn(0.5, 1.5, 1.0))


def draw_geometry(pictures: Tensor, operations: Collection[Operation], chance: Chance) -> Geometry:
    """Flip, rotation, translation and cutout, those that are among `operations`, in this order.

    What is moved out of the picture is lost; where the sides differ, a rotation is by half a turn.
    """
    count, height, width, device = len(pictures), *pictures.shape[2:], pictures.device
    y = torch.arange(height, device=device).view(1, -1, 1).expand(count, height, width)
    x = torch.arange(width, device=device).view(1, 1, -1).expand(count, height, width)
    there = torch.ones((), device=device, dtype=torch.bool).expand(count, height, width)

    def often() -> Tensor:
        return _often(count, chance, device)[..., 0]

    def drawn(low: int, high: int) -> Tensor:
        return torch.randint(low, high + 1, (count, 1, 1), device=device)

    # Each asks where a pixel of its result comes from, so what is done last is asked first.
    if "cutout" in operations:
        tall, wide = int(height * HOLE + 0.5), int(width * HOLE + 0.5)
        top, left = drawn(0, height - tall % 2) - tall // 2, drawn(0, width - wide % 2) - wide // 2
        hole = (y >= top) & (y < top + tall) & (x >= left) & (x < left + wide)
        there = there & ~(hole & often())
    if "translation" in operations:
        far_y, far_x = int(height * SHIFT + 0.5), int(width * SHIFT + 0.5)
        moved = often()
        y, x = y - drawn(-far_y, far_y) * moved, x - drawn(-far_x, far_x) * moved
        there = there & (y >= 0) & (y < height) & (x >= 0) & (x < width)
        y, x = y.clamp(0, height - 1), x.clamp(0, width - 1)
    if "rotation" in operations:
        quarters = drawn(0, 3) * often()
        half = quarters >= 2
        y, x = torch.where(half, height - 1 - y, y), torch.where(half, width - 1 - x, x)
        if height == width:
            quarter = quarters % 2 == 1
            y, x = torch.where(quarter, x, y), torch.where(quarter, height - 1 - y, x)
    if "flip" in operations:
        x = torch.where((drawn(0, 1) == 1) & often(), width - 1 - x, x)
    return Geometry(y * width + x, there[:, None])


def _often(count: int, chance: Chance, device: torch.device) -> Tensor:
    """For which pictures something is done. Shape: (N, 1, 1, 1)."""
    if chance is None:
        return torch.ones(count, 1, 1, 1, device=device, dtype=torch.bool)
    return torch.rand(count, 1, 1, 1, device=device) < chance
