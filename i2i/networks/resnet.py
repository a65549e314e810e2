"""The residual generator of CycleGAN and CUT."""

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from i2i.networks.blocks import Reflect, Residual, blurred_half, conv, needs_bias, normalise, up, widened
from i2i.networks.recompute import recomputed
from i2i.settings import Downsample, Norm, Upsample


class PictureAndMask(nn.Module):
    """Raw numbers to a picture in [-1, 1] and, as the last channel, a mask in [0, 1], which starts at one half."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([torch.tanh(x[:, :-1]), torch.sigmoid(x[:, -1:])], dim=1)


def masked(made: Tensor, source: Tensor) -> Tensor:
    """The picture where the mask, the last channel, is 1, and the source where it is 0.

    Shape: (N, C + 1, H, W) and (N, C, H, W) -> (N, C, H, W), float32.
    """
    made = widened(made)
    return torch.lerp(widened(source), made[:, :-1], made[:, -1:])


class ResNet(nn.Module):
    """Two halvings, residual blocks, two doublings (CycleGAN, Sec. 7.2: c7s1-64, d128, d256, R256 x 9, u128, u64).

    Its first half is an encoder (CUT, Sec. 3.2): `decode(features(x))` is what a call makes of x.
    With a mask it makes a picture and one channel that says where to take it, and leaves the source elsewhere
    (Tang et al. 2019, AttentionGAN, Eq. 3, with one mask): mask * picture + (1 - mask) * x.
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
        mask: bool = False,
        checkpoint: bool = False,
    ) -> None:
        """`checkpoint` keeps what goes into a part alone, and computes its inside again for the gradient."""
        super().__init__()
        if mask and in_channels != out_channels:
            raise ValueError(f"a mask leaves the source, whose {in_channels} channels are not {out_channels}")
        self.mask, self.checkpoint = mask, checkpoint
        self._draws = dropout
        bias = needs_bias(norm)

        def after(channels: int) -> list[nn.Module]:
            # Without a norm between, it would overwrite what the convolution made, which may be a feature.
            return [normalise(norm, channels), nn.ReLU(inplace=norm != "none")]

        def down(inner: int, outer: int) -> list[nn.Module]:
            if downsample == "blur":
                return [conv(inner, outer, 3, bias=bias), *after(outer), blurred_half()]
            return [conv(inner, outer, 3, stride=2, bias=bias), *after(outer)]

        self._border = 3
        way_in = [Reflect(self._border), conv(in_channels, width, 7, padding=0, bias=bias), *after(width)]
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
            Reflect(self._border),
            conv(width, out_channels + mask, 7, padding=0),
            PictureAndMask() if mask else nn.Tanh(),
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
        return self._made(self._through(x, 0, len(self.layers)), x)

    def features(self, x: Tensor) -> list[Tensor]:
        """What the encoder makes of pictures, which `decode` takes.

        The pixels (with their mirrored border), both convolutions that halve, the first and the middle residual block
        (CUT, App. C.1: the fifth of nine): layers 0, 4, 8, 12 and 16 where it blurs before it halves.
        Shape: (N, in_channels, H, W) -> (N, feature_channels[i], H', W') each.
        """
        made: list[Tensor] = []
        for start, stop in pairwise((0, *(tap + 1 for tap in self._taps))):
            x = self._through(x, start, stop)
            made.append(x)
        return made

    def decode(self, features: Sequence[Tensor]) -> Tensor:
        """The pictures that `features` lead to: (N, out_channels, H, W)."""
        border = self._border
        source = features[0][..., border:-border, border:-border]
        return self._made(self._through(features[-1], self._taps[-1] + 1, len(self.layers)), source)

    def _made(self, made: Tensor, source: Tensor) -> Tensor:
        """What the layers lead to, over the source where there is a mask."""
        return masked(made, source) if self.mask else widened(made)

    def _through(self, x: Tensor, start: int, stop: int) -> Tensor:
        """The layers from start to stop."""
        if not (self.checkpoint and self.training and torch.is_grad_enabled()):
            return self.layers[start:stop](x)
        edges = [start, *(edge for edge in self._parts if start < edge < stop), stop]
        for begin, end in pairwise(edges):
            x = recomputed(self.layers[begin:end], x, draws=self._draws)
        return x
