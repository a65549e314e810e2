"""The U-Net generator of pix2pix."""

import torch
from torch import Tensor, nn

from i2i.networks.blocks import conv, needs_bias, normalise, up, widened
from i2i.settings import Norm, Upsample


class UNet(nn.Module):
    """Encoder and decoder with a skip connection at every scale (pix2pix, Sec. 6.1.1: C64-C128-C256-C512-C512...).

    Dropout sits where the reference implementation has it: in the decoder's blocks of eight times the width but the
    innermost (the paper puts it in the first three).
    Shape: (N, in_channels, H, W) in [-1, 1] -> (N, out_channels, H, W) in [-1, 1], float32; H and W multiples of
    2 ** depth.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        width: int = 64,
        depth: int = 8,
        norm: Norm = "batch",
        dropout: bool = True,
        upsample: Upsample = "transpose",
    ) -> None:
        super().__init__()
        self.multiple = 2**depth
        bias = needs_bias(norm)
        widths = [width * min(2**level, 8) for level in range(depth)]

        downs: list[nn.Module] = [conv(in_channels, widths[0], stride=2, bias=bias)]
        for level in range(1, depth):
            # The innermost map can be 1 x 1, where a norm of one picture would leave nothing.
            last = level == depth - 1
            downs.append(
                nn.Sequential(
                    nn.LeakyReLU(0.2),
                    conv(widths[level - 1], widths[level], stride=2, bias=bias),
                    nn.Identity() if last else normalise(norm, widths[level]),
                )
            )
        self.downs = nn.ModuleList(downs)

        ups: list[nn.Module] = []
        for level in reversed(range(1, depth)):
            inner = widths[level] if level == depth - 1 else 2 * widths[level]
            ups.append(
                nn.Sequential(
                    nn.ReLU(),
                    up(inner, widths[level - 1], upsample, bias=bias),
                    normalise(norm, widths[level - 1]),
                    nn.Dropout(0.5) if dropout and 4 <= level < depth - 1 else nn.Identity(),
                )
            )
        self.ups = nn.ModuleList(ups)
        self.last = nn.Sequential(nn.ReLU(), up(2 * widths[0], out_channels, upsample), nn.Tanh())

    def forward(self, x: Tensor) -> Tensor:
        skips: list[Tensor] = []
        for down in self.downs:
            x = down(x)
            skips.append(x)
        x = skips.pop()
        for block in self.ups:
            x = torch.cat([skips.pop(), block(x)], dim=1)
        return widened(self.last(x))
