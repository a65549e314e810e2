"""The networks of BEGAN (Berthelot et al. 2017, Fig. 1): pairs of convolutions with ELU and no norm."""

import torch
from torch import Tensor, nn

from i2i.networks.autoencoder import Autoencoder
from i2i.networks.blocks import conv, widened
from i2i.networks.sampler import Sampler


class Encoder(nn.Sequential):
    """A picture to a vector; `width` more channels at every halving.

    Shape: (N, in_channels, S, S) in [-1, 1] -> (N, code); S = last * 2 ** halvings.
    """

    def __init__(self, in_channels: int, *, width: int = 64, code: int = 64, last: int = 8, halvings: int = 3) -> None:
        layers = [conv(in_channels, width, 3), nn.ELU(inplace=True)]
        for level in range(1, halvings + 2):
            layers += [conv(level * width, level * width, 3), nn.ELU(inplace=True)]
            if level <= halvings:
                layers += [conv(level * width, (level + 1) * width, 3, stride=2), nn.ELU(inplace=True)]
            else:
                layers += [conv(level * width, level * width, 3), nn.ELU(inplace=True)]
        super().__init__(*layers, nn.Flatten(), nn.Linear((halvings + 1) * width * last**2, code))
        _begin(self)


class Decoder(nn.Sequential):
    """A vector to a picture, by nearest-neighbour doublings.

    Shape: (N, code) -> (N, out_channels, S, S) in [-1, 1]; S = first * 2 ** doublings.
    """

    def __init__(
        self, out_channels: int, *, width: int = 64, code: int = 64, first: int = 8, doublings: int = 3
    ) -> None:
        layers: list[nn.Module] = [nn.Linear(code, width * first**2), nn.Unflatten(1, (width, first, first))]
        for level in range(doublings + 1):
            layers += [nn.Upsample(scale_factor=2)] if level else []
            for _ in range(2):
                layers += [conv(width, width, 3), nn.ELU(inplace=True)]
        super().__init__(*layers, conv(width, out_channels, 3), nn.Tanh())
        _begin(self)


class Generator(Sampler):
    """Noise to picture: a decoder as the discriminator's, with weights of its own.

    A label's vector, as long as z, stands beside it (Mirza & Osindero 2014, Sec. 3.2).
    Shape: (N, latent), (N,) -> (N, out_channels, S, S) in [-1, 1], float32; S = first * 2 ** doublings.
    """

    def __init__(
        self,
        out_channels: int,
        *,
        width: int = 64,
        latent: int = 64,
        first: int = 8,
        doublings: int = 3,
        classes: int = 0,
    ) -> None:
        super().__init__()
        self.latent, self.classes = latent, classes
        self.embedding = nn.Embedding(classes, latent) if classes else None
        code = 2 * latent if classes else latent
        self.decoder = Decoder(out_channels, width=width, code=code, first=first, doublings=doublings)

    def forward(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        if self.embedding is not None:
            z = torch.cat([z, self.embedding(labels)], dim=1)
        return widened(self.decoder(z))


def autoencoder(in_channels: int, *, width: int = 64, code: int = 64, last: int = 8, halvings: int = 3) -> Autoencoder:
    """BEGAN's discriminator: through a vector and back, with absolute errors (Sec. 3.1, eta = 1)."""
    return Autoencoder(
        Encoder(in_channels, width=width, code=code, last=last, halvings=halvings),
        Decoder(in_channels, width=width, code=code, first=last, doublings=halvings),
        "absolute",
    )


def _begin(network: nn.Module) -> None:
    """Glorot's weights: without a norm, N(0, 0.02) would dim a picture to nothing over so many layers."""
    for layer in network.modules():
        if isinstance(layer, (nn.Conv2d, nn.Linear)):
            nn.init.xavier_uniform_(layer.weight)
            assert layer.bias is not None
            nn.init.zeros_(layer.bias)
