"""The discriminators of pix2pix and CycleGAN, which judge patches or single pixels."""

from torch import Tensor, nn

from i2i.networks.blocks import conv, needs_bias, normalise, widened
from i2i.settings import Norm


class PatchGAN(nn.Module):
    """Score every 70 x 70 patch of an image as real or fake (pix2pix, Sec. 3.2.2: C64-C128-C256-C512).

    `layers` 1 to 5 see patches of 16, 34, 70, 142 and 286 pixels.
    Shape: (N, in_channels, H, W) in [-1, 1] -> (N, 1, H/8 - 2, W/8 - 2) raw scores, float32; 30 x 30 at 256 pixels.
    """

    def __init__(
        self, in_channels: int, *, width: int = 64, layers: int = 3, norm: Norm = "batch", spectral_norm: bool = False
    ) -> None:
        super().__init__()
        widths = [width * min(2**level, 8) for level in range(layers + 1)]
        stages: list[nn.Module] = [
            conv(in_channels, width, stride=2, spectral_norm=spectral_norm),
            nn.LeakyReLU(0.2, inplace=True),
        ]
        for level in range(1, layers + 1):
            stride = 2 if level < layers else 1
            stages += [
                conv(
                    widths[level - 1], widths[level], stride=stride, bias=needs_bias(norm), spectral_norm=spectral_norm
                ),
                normalise(norm, widths[level]),
                nn.LeakyReLU(0.2, inplace=True),
            ]
        stages.append(conv(widths[-1], 1, spectral_norm=spectral_norm))
        self.layers = nn.Sequential(*stages)

    def forward(self, x: Tensor) -> Tensor:
        return widened(self.layers(x))

    def activations(self, x: Tensor) -> tuple[list[Tensor]]:
        """What every LeakyReLU makes, and last the scores: one list, of the one scale."""
        return (_activations(self.layers, x),)


class PixelGAN(nn.Module):
    """Score every pixel by itself (pix2pix, Sec. 3.4: the 1 x 1 discriminator, which judges colour alone).

    Shape: (N, in_channels, H, W) in [-1, 1] -> (N, 1, H, W) raw scores, float32.
    """

    def __init__(self, in_channels: int, *, width: int = 64, norm: Norm = "batch", spectral_norm: bool = False) -> None:
        super().__init__()

        def pixelwise(inner: int, outer: int, bias: bool) -> nn.Module:
            return conv(inner, outer, 1, padding=0, bias=bias, spectral_norm=spectral_norm)

        bias = needs_bias(norm)
        self.layers = nn.Sequential(
            pixelwise(in_channels, width, True),
            nn.LeakyReLU(0.2, inplace=True),
            pixelwise(width, 2 * width, bias),
            normalise(norm, 2 * width),
            nn.LeakyReLU(0.2, inplace=True),
            pixelwise(2 * width, 1, bias),
        )

    def forward(self, x: Tensor) -> Tensor:
        return widened(self.layers(x))

    def activations(self, x: Tensor) -> tuple[list[Tensor]]:
        """What every LeakyReLU makes, and last the scores: one list, of the one scale."""
        return (_activations(self.layers, x),)


def _activations(layers: nn.Sequential, x: Tensor) -> list[Tensor]:
    found: list[Tensor] = []
    for layer in layers:
        x = layer(x)
        if isinstance(layer, nn.LeakyReLU):
            found.append(x)
    return [*found, widened(x)]
