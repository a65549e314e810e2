"""StyleGAN2's discriminator: residual blocks behind a blur, the deviation over the batch at the end."""

import itertools
from math import sqrt

from torch import Tensor, nn
from torch.nn import functional

from i2i.networks.blocks import widened
from i2i.networks.equalised import EqualConv2d, EqualLinear, MinibatchDeviation
from i2i.networks.progan import EqualEmbedding, grown_widths
from i2i.networks.stylegan import leaky


class Residual(nn.Module):
    """Two convolutions beside a short way, to half the side (Karras et al. 2020, Fig. 7c).

    Divided by sqrt(2), so that the sum keeps a variance of 1. Shape: (N, in, H, W) -> (N, out, H / 2, W / 2).
    """

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.first = EqualConv2d(in_channels, in_channels, 3)
        self.second = EqualConv2d(in_channels, out_channels, 3, stride=2)
        self.short = EqualConv2d(in_channels, out_channels, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        # The filter [1, 3, 3, 1] is three means of two neighbours; each of the two has the border that fits its way.
        around = functional.avg_pool2d(functional.avg_pool2d(leaky(self.first(x)), 2, 1, 1), 2, 1, 1)
        deep = leaky(self.second(functional.avg_pool2d(around, 2, 1)))
        half = functional.avg_pool2d(functional.avg_pool2d(functional.avg_pool2d(x, 2, 1, 1), 2, 1), 2)
        return (deep + self.short(half)) / sqrt(2)


class Discriminator(nn.Module):
    """Picture to one score (Karras et al. 2020, Sec. 4.1), a label by projection (Miyato & Koyama 2018).

    Shape: (N, in_channels, S, S) in [-1, 1], (N,) -> (N, 1) raw scores, float32; S = last * 2 ** halvings.
    """

    def __init__(
        self,
        in_channels: int,
        *,
        width: int = 64,
        most: int = 512,
        last: int = 4,
        halvings: int = 4,
        classes: int = 0,
    ) -> None:
        super().__init__()
        widths = grown_widths(width, most, halvings)[::-1]
        self.first = EqualConv2d(in_channels, widths[0], 1)
        self.blocks = nn.Sequential(*(Residual(*pair) for pair in itertools.pairwise(widths)))
        self.deviation = MinibatchDeviation()
        self.conv = EqualConv2d(widths[-1] + 1, widths[-1], 3)
        self.linear = EqualLinear(widths[-1] * last**2, widths[-1])
        self.score = EqualLinear(widths[-1], 1)
        self.embedding = EqualEmbedding(classes, widths[-1]) if classes else None

    def forward(self, x: Tensor, labels: Tensor | None = None) -> Tensor:
        x = self.blocks(leaky(self.first(x)))
        features = leaky(self.linear(leaky(self.conv(self.deviation(x))).flatten(1)))
        score = widened(self.score(features))
        if self.embedding is not None and labels is not None:
            score = score + (widened(features) * self.embedding(labels)).sum(1, keepdim=True)
        return score
