"""The network that reads label maps out of photographs."""

from itertools import pairwise

import torch
from torch import Tensor, nn


class SegmentationNetwork(nn.Module):
    """A U-Net (Ronneberger et al. 2015) for one CPU core: whole pictures at half the side, four scales of two layers.

    Shape: (N, 3, H, W) in [-1, 1] -> (N, classes, H, W) logits; H and W multiples of 16.
    """

    def __init__(self, classes: int, width: int) -> None:
        super().__init__()
        widths = [width, 2 * width, 3 * width, 4 * width]
        self.downs = nn.ModuleList(
            nn.Sequential(_layer(before, after), _layer(after, after))
            for before, after in pairwise([12, *widths])  # 12: the 4 pixels of a block, in colour
        )
        self.ups = nn.ModuleList(_layer(below + beside, beside) for beside, below in reversed([*pairwise(widths)]))
        self.last = nn.Sequential(nn.Dropout2d(0.1), nn.Conv2d(width, 4 * classes, 3, padding=1), nn.PixelShuffle(2))

    def forward(self, x: Tensor) -> Tensor:
        x = nn.functional.pixel_unshuffle(x, 2)
        skips: list[Tensor] = []
        for down in self.downs:
            x = down(nn.functional.max_pool2d(x, 2) if skips else x)
            skips.append(x)
        x = skips.pop()
        for layer in self.ups:
            grown = nn.functional.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
            x = layer(torch.cat([grown, skips.pop()], dim=1))
        return self.last(x)


def _layer(before: int, after: int) -> nn.Module:
    return nn.Sequential(nn.Conv2d(before, after, 3, padding=1, bias=False), nn.BatchNorm2d(after), nn.ReLU())
