"""Patches of feature maps as unit vectors: the H of CUT."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from i2i.networks.blocks import initialise

_LEAST = 1e-4
"""Length below which a vector is not made a unit one: that of a flat picture's features has no direction, and 1/0."""


class PatchSampler(nn.Module):
    """A head for each layer, two linear layers with a ReLU between, on its features at some positions (CUT, Sec. 3.2).

    Each position of a map sees a patch of the picture, the larger the deeper the map. Positions are drawn on the
    features' device from torch's generator, without repetition, and are the same for all pictures of a batch.
    """

    def __init__(self, channels: Sequence[int], *, width: int = 256, patches: int = 256) -> None:
        """`channels` are those of each layer's features, `width` is that of the vectors."""
        super().__init__()
        self.patches = patches
        self.heads = nn.ModuleList(
            nn.Sequential(nn.Linear(inner, width), nn.ReLU(inplace=True), nn.Linear(width, width)) for inner in channels
        )
        initialise(self)

    def positions(self, features: Sequence[Tensor]) -> list[Tensor]:
        """New positions in each map, all of them where it has no more than `patches`. (N, C, H, W) each -> (S,) each.

        The first of a random order: fixed shapes and no word from the host, so that a CUDA graph draws anew each time.
        """
        return [
            torch.rand(map.shape[2] * map.shape[3], device=map.device).argsort()[: self.patches] for map in features
        ]

    def forward(self, features: Sequence[Tensor], positions: Sequence[Tensor]) -> list[Tensor]:
        """The vectors at these positions, in float32. (N, C, H, W) and (S,) each -> (N, S, width) each."""
        return [
            functional.normalize(head(map.flatten(2).index_select(2, chosen).mT).float(), dim=2, eps=_LEAST)
            for head, map, chosen in zip(self.heads, features, positions, strict=True)
        ]
