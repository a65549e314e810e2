"""The generator and the discriminator of DCGAN, on which the family stands."""

import torch
from torch import Tensor, nn

from i2i.networks.blocks import conv, initialise, needs_bias, normalise, up, widened
from i2i.networks.sampler import Sampler
from i2i.settings import Norm, Upsample


class Generator(Sampler):
    """Noise to picture (DCGAN, Fig. 1: 1024-512-256-128 channels at 64 pixels).

    A label's vector, as long as z, stands beside it (Mirza & Osindero 2014, Sec. 3.2).
    Shape: (N, latent), (N,) -> (N, out_channels, S, S) in [-1, 1], float32; S = first * 2 ** doublings.
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
        classes: int = 0,
    ) -> None:
        super().__init__()
        self.latent, self.classes = latent, classes
        self.embedding = nn.Embedding(classes, latent) if classes else None
        widths = [width * 2**level for level in reversed(range(doublings))]
        layers: list[nn.Module] = [nn.ConvTranspose2d(2 * latent if classes else latent, widths[0], first, bias=False)]
        for inner, outer in zip(widths, [*widths[1:], None], strict=True):
            layers += [normalise("batch", inner), nn.ReLU(inplace=True)]
            layers.append(up(inner, outer or out_channels, upsample, bias=outer is None))
        self.layers = nn.Sequential(*layers, nn.Tanh())
        initialise(self)
        if self.embedding is not None:
            # As quiet as every weight: at torch's N(0, 1) it drowns z, and each class becomes one picture.
            nn.init.normal_(self.embedding.weight, 0.0, 0.02)

    def forward(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        if self.embedding is not None:
            z = torch.cat([z, self.embedding(labels)], dim=1)
        return widened(self.layers(z[:, :, None, None]))


class Discriminator(nn.Module):
    """Picture to one score (DCGAN, Sec. 3).

    A label becomes one more channel, which is learnt (Mirza & Osindero 2014, Sec. 3.2).
    Shape: (N, in_channels, S, S) in [-1, 1], (N,) -> (N, 1) raw scores, float32; S = last * 2 ** halvings.
    """

    def __init__(
        self,
        in_channels: int,
        *,
        width: int = 64,
        last: int = 4,
        halvings: int = 4,
        norm: Norm = "batch",
        spectral_norm: bool = False,
        classes: int = 0,
    ) -> None:
        super().__init__()
        self.embedding = nn.Embedding(classes, (last * 2**halvings) ** 2) if classes else None
        in_channels += bool(classes)
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

    def forward(self, x: Tensor, labels: Tensor | None = None) -> Tensor:
        if self.embedding is not None:
            x = torch.cat([x, self.embedding(labels).view(len(x), 1, *x.shape[2:]).to(x.dtype)], dim=1)
        return widened(self.layers(x)).flatten(1)
