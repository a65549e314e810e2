"""Layers of ProGAN and the StyleGANs: weights of one scale, pixel norm, the deviation over a batch."""

from math import sqrt

import torch
from torch import Tensor, nn
from torch.nn import functional

GROUP = 4
"""Pictures whose deviation is taken together, at most (ProGAN's code); more where no fewer divide a batch."""


class EqualConv2d(nn.Module):
    """A convolution of equalised learning rate (ProGAN, Karras et al. 2018, Sec. 4.1): same size, unless it strides.

    Its weights start at N(0, 1) and are scaled to He's deviation where they are used, so that Adam, whose steps do not
    know a weight's scale, moves all layers alike. Shape: (N, in, H, W) -> (N, out, H', W').
    """

    def __init__(
        self, in_channels: int, out_channels: int, kernel: int, *, gain: float = 1.0, stride: int = 1, bias: bool = True
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(out_channels, in_channels, kernel, kernel).normal_())
        self.bias = nn.Parameter(torch.zeros(out_channels)) if bias else None
        self.scale = gain / sqrt(in_channels * kernel**2)
        self.stride, self.padding = stride, kernel // 2 if stride == 1 else 0

    def forward(self, x: Tensor) -> Tensor:
        return functional.conv2d(x, self.weight * self.scale, self.bias, self.stride, self.padding)


class EqualLinear(nn.Module):
    """A linear layer of equalised learning rate; `rate` is its own factor of it (StyleGAN, App. C: 0.01 for mapping).

    Shape: (N, in) -> (N, out).
    """

    def __init__(
        self, in_channels: int, out_channels: int, *, gain: float = 1.0, rate: float = 1.0, bias: float = 0.0
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(out_channels, in_channels).normal_(std=1 / rate))
        self.bias = nn.Parameter(torch.full((out_channels,), bias / rate))
        self.scale, self.rate = gain * rate / sqrt(in_channels), rate

    def forward(self, x: Tensor) -> Tensor:
        return functional.linear(x, self.weight * self.scale, self.bias * self.rate)


class PixelNorm(nn.Module):
    """Every pixel's channels, or a vector's numbers, at a mean square of 1 (ProGAN, Sec. 4.2). Shape: any -> same."""

    def forward(self, x: Tensor) -> Tensor:
        return x * (x.float().square().mean(1, keepdim=True) + 1e-8).rsqrt().to(x.dtype)


class MinibatchDeviation(nn.Module):
    """One more channel: how much the pictures of a batch differ, so that D sees a collapse (ProGAN, Sec. 3).

    The standard deviation over groups of two to four pictures, or over all where none of these divides the batch: a
    group of one would have no deviation. Its mean over all features. Pictures that are alike have 0, to 1e-4. The
    `parts` of a batch, real and fake, are each a batch of their own.
    Shape: (N, C, H, W) -> (N, C + 1, H, W).
    """

    parts = 1

    def forward(self, x: Tensor) -> Tensor:
        deviations = torch.cat([_deviation(part) for part in x.chunk(self.parts)])
        return torch.cat([x, deviations.to(x.dtype).expand(-1, 1, *x.shape[2:])], dim=1)


def _deviation(x: Tensor) -> Tensor:
    """Shape: (N, C, H, W) -> (N, 1, 1, 1)."""
    group = next((size for size in range(GROUP, 1, -1) if len(x) % size == 0), len(x))
    grouped = x.float().unflatten(0, (group, -1))
    variance = (grouped - grouped.mean(0)).square().mean(0)
    return (variance + 1e-8).sqrt().mean((1, 2, 3)).repeat(group)[:, None, None, None]
