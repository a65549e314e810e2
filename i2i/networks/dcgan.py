"""The generator and the discriminator of DCGAN, on which the family stands."""

from torch import Tensor, nn

from i2i.networks.blocks import conv, initialise, needs_bias, normalise, up, widened
from i2i.settings import Norm, Upsample


class Generator(nn.Module):
    """Noise to picture (DCGAN, Fig. 1: 1024-512-256-128 channels at 64 pixels).

    Shape: (N, latent) -> (N, out_channels, S, S) in [-1, 1], float32; S = first * 2 ** doublings.
    """

    def __init__(
        self,
        out_channels: int,
        *,
        width: int = 128,
        latent: int = 100,
        first: int = 4,
        doublings: int = 4,
        upsample: Upsample = "transpose",
    ) -> None:
        super().__init__()
        self.latent = latent
        widths = [width * 2**level for level in reversed(range(doublings))]
        layers: list[nn.Module] = [nn.ConvTranspose2d(latent, widths[0], first, bias=False)]
        for inner, outer in zip(widths, [*widths[1:], None], strict=True):
            layers += [normalise("batch", inner), nn.ReLU(inplace=True)]
            layers.append(up(inner, outer or out_channels, upsample, bias=outer is None))
        self.layers = nn.Sequential(*layers, nn.Tanh())
        initialise(self)

    def forward(self, z: Tensor) -> Tensor:
        return widened(self.layers(z[:, :, None, None]))


class Discriminator(nn.Module):
    """Picture to one score (DCGAN, Sec. 3). Shape: (N, in_channels, S, S) in [-1, 1] -> (N, 1) raw scores, float32."""

    def __init__(
        self,
        in_channels: int,
        *,
        width: int = 64,
        last: int = 4,
        halvings: int = 4,
        norm: Norm = "batch",
        spectral_norm: bool = False,
    ) -> None:
        super().__init__()
        widths = [width * 2**level for level in range(halvings)]
        layers: list[nn.Module] = []
        for level, (inner, outer) in enumerate(zip([in_channels, *widths], widths, strict=False)):
            bias = level == 0 or needs_bias(norm)
            layers.append(conv(inner, outer, stride=2, bias=bias, spectral_norm=spectral_norm))
            if level > 0:
                layers.append(normalise(norm, outer))
            layers.append(nn.LeakyReLU(0.2, inplace=True))
        layers.append(conv(widths[-1], 1, last, padding=0, spectral_norm=spectral_norm))
        self.layers = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        return widened(self.layers(x)).flatten(1)
