"""The residual generator of CycleGAN."""

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from i2i.networks.blocks import Reflect, Residual, conv, needs_bias, normalise, up, widened
from i2i.networks.recompute import recomputed
from i2i.settings import Norm, Upsample


class ResNet(nn.Module):
    """Two halvings, residual blocks, two doublings (CycleGAN, Sec. 7.2: c7s1-64, d128, d256, R256 x 9, u128, u64).

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
        upsample: Upsample = "transpose",
        checkpoint: bool = False,
    ) -> None:
        """`checkpoint` keeps what goes into a part alone, and computes its inside again for the gradient."""
        super().__init__()
        self.checkpoint = checkpoint
        self._draws = dropout
        bias = needs_bias(norm)

        def after(channels: int) -> list[nn.Module]:
            return [normalise(norm, channels), nn.ReLU(inplace=True)]

        self.layers = nn.Sequential(
            Reflect(3),
            conv(in_channels, width, 7, padding=0, bias=bias),
            *after(width),
            conv(width, 2 * width, 3, stride=2, bias=bias),
            *after(2 * width),
            conv(2 * width, 4 * width, 3, stride=2, bias=bias),
            *after(4 * width),
            *(Residual(4 * width, norm, dropout) for _ in range(blocks)),
            up(4 * width, 2 * width, upsample, kernel=3, bias=bias),
            *after(2 * width),
            up(2 * width, width, upsample, kernel=3, bias=bias),
            *after(width),
            Reflect(3),
            conv(width, out_channels, 7, padding=0),
            nn.Tanh(),
        )

    def forward(self, x: Tensor) -> Tensor:
        if self.checkpoint and self.training and torch.is_grad_enabled():
            for part in self._parts():
                x = recomputed(part, x, draws=self._draws)
            return widened(x)
        return widened(self.layers(x))

    def _parts(self) -> Iterator[nn.Module]:
        """The way in, every residual block, the way out: the two ends hold nearly half of what a pass keeps."""
        blocks = [index for index, layer in enumerate(self.layers) if isinstance(layer, Residual)]
        first = blocks[0] if blocks else len(self.layers) // 2
        yield self.layers[:first]
        yield from self.layers[first : first + len(blocks)]
        yield self.layers[first + len(blocks) :]
