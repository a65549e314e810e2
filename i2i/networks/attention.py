"""Self-attention over the positions of a map."""

import torch
from torch import Tensor, nn

from i2i.networks.blocks import conv


class SelfAttention(nn.Module):
    """Every position looks at all others, and adds what it finds there (SAGAN, Zhang et al. 2019, Sec. 3).

    Starts as the identity: gamma is 0, and the network learns how much to look around. In plain products, so that a
    penalty on gradients can differentiate twice. Shape: (N, C, H, W) -> same; memory grows with (H * W) ** 2.
    """

    def __init__(self, channels: int, *, spectral_norm: bool = False) -> None:
        super().__init__()
        inner = max(1, channels // 8)

        def pointwise(into: int, out: int) -> nn.Module:
            return conv(into, out, 1, padding=0, bias=False, spectral_norm=spectral_norm)

        self.query, self.key, self.value = (pointwise(channels, inner) for _ in range(3))
        self.out = pointwise(inner, channels)
        self.gamma = nn.Parameter(torch.zeros(1))

    def forward(self, x: Tensor) -> Tensor:
        query, key, value = (layer(x).flatten(2) for layer in (self.query, self.key, self.value))
        looks = torch.softmax(query.mT @ key, dim=2)  # Eq. 1: over the positions that are looked at
        found = (value @ looks.mT.to(value.dtype)).unflatten(2, x.shape[2:])
        return x + self.gamma.to(x.dtype) * self.out(found)
