"""The residual generator of CycleGAN and CUT."""

from itertools import pairwise

import torch
from torch import Tensor, nn

from i2i.networks.blocks import Reflect, Residual, blurred_half, conv, needs_bias, normalise, up, widened
from i2i.networks.recompute import recomputed
from i2i.settings import Downsample, Norm, Upsample


class ResNet(nn.Module):
    """Two halvings, residual blocks, two doublings (CycleGAN, Sec. 7.2: c7s1-64, d128, d256, R256 x 9, u128, u64).

    Its first half is an encoder (CUT, Sec. 3.2): `decode(features(x)[-1])` is what a call makes of x.
    Shape: (N, in_channels, H, W) in [-1, 1] -> (N, out_channels, H, W) in [-1, 1], float32; H and W multiples of 4.
    """

    multiple = 4

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        width: int = 64,
        blocks: int = 9,
        norm: Norm = "instance",
        dropout: bool = False,
        downsample: Downsample = "stride",
        upsample: Upsample = "transpose",
        checkpoint: bool = False,
    ) -> None:
        """`checkpoint` keeps what goes into a part alone, and computes its inside again for the gradient."""
        super().__init__()
        self.checkpoint = checkpoint
        self._draws = dropout
        bias = needs_bias(norm)

        def after(channels: int) -> list[nn.Module]:
            # Without a norm between, it would overwrite what the convolution made, which may be a feature.
            return [normalise(norm, channels), nn.ReLU(inplace=norm != "none")]

        def down(inner: int, outer: int) -> list[nn.Module]:
            if downsample == "blur":
                return [conv(inner, outer, 3, bias=bias), *after(outer), blurred_half()]
            return [conv(inner, outer, 3, stride=2, bias=bias), *after(outer)]

        way_in = [Reflect(3), conv(in_channels, width, 7, padding=0, bias=bias), *after(width)]
        downs = [down(width, 2 * width), down(2 * width, 4 * width)]
        first = len(way_in) + sum(map(len, downs))
        self.layers = nn.Sequential(
            *way_in,
            *downs[0],
            *downs[1],
            *(Residual(4 * width, norm, dropout) for _ in range(blocks)),
            up(4 * width, 2 * width, upsample, kernel=3, bias=bias),
            *after(2 * width),
            up(2 * width, width, upsample, kernel=3, bias=bias),
            *after(width),
            Reflect(3),
            conv(width, out_channels, 7, padding=0),
            nn.Tanh(),
        )
        # The way in, every residual block, the way out: the two ends hold nearly half of what a pass keeps.
        self._parts = (0, *range(first, first + blocks + 1), len(self.layers))
        taps = {0: in_channels, len(way_in): 2 * width, len(way_in) + len(downs[0]): 4 * width}
        if blocks:
            taps |= {first: 4 * width, first + (blocks - 1) // 2: 4 * width}
        self._taps = tuple(taps)
        self.feature_channels = tuple(taps.values())
        """Channels of each of the `features`."""

    def forward(self, x: Tensor) -> Tensor:
        return widened(self._through(x, 0, len(self.layers)))

    def features(self, x: Tensor) -> list[Tensor]:
        """What the encoder makes of pictures, the last of it being what `decode` takes.

        The pixels (with their mirrored border), both convolutions that halve, the first and the middle residual block
        (CUT, App. C.1: the fifth of nine): layers 0, 4, 8, 12 and 16 where it blurs before it halves.
        Shape: (N, in_channels, H, W) -> (N, feature_channels[i], H', W') each.
        """
        made: list[Tensor] = []
        for start, stop in pairwise((0, *(tap + 1 for tap in self._taps))):
            x = self._through(x, start, stop)
            made.append(x)
        return made

    def decode(self, feature: Tensor) -> Tensor:
        """The pictures that the last of the `features` lead to. Shape: (N, C, H', W') -> (N, out_channels, H, W)."""
        return widened(self._through(feature, self._taps[-1] + 1, len(self.layers)))

    def _through(self, x: Tensor, start: int, stop: int) -> Tensor:
        """The layers from start to stop."""
        if not (self.checkpoint and self.training and torch.is_grad_enabled()):
            return self.layers[start:stop](x)
        edges = [start, *(edge for edge in self._parts if start < edge < stop), stop]
        for begin, end in pairwise(edges):
            x = recomputed(self.layers[begin:end], x, draws=self._draws)
        return x
