"""The generator and the discriminator of text to image (Reed et al. 2016, Fig. 2): DCGAN's, told what to make."""

import torch
from torch import Tensor, nn

from i2i.networks import dcgan
from i2i.networks.blocks import conv, needs_bias, normalise, widened
from i2i.networks.sampler import Sampler
from i2i.settings import Norm, Upsample


class Generator(Sampler):
    """Noise and the vector of a caption to a picture.

    Shape: (N, latent), (N, text) -> (N, out_channels, S, S) in [-1, 1], float32; S = first * 2 ** doublings.
    """

    def __init__(
        self,
        out_channels: int,
        *,
        text: int,
        described: int = 128,
        width: int = 128,
        latent: int = 100,
        first: int = 4,
        doublings: int = 4,
        upsample: Upsample = "transpose",
    ) -> None:
        """What a caption says is brought to `described` numbers, which stand beside the noise."""
        super().__init__()
        self.latent, self.text = latent, text
        self.description = description(text, described)
        told = latent + described
        self.layers = dcgan.Generator(
            out_channels, width=width, latent=told, first=first, doublings=doublings, upsample=upsample
        ).layers

    def forward(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        told = torch.cat([z, self.description(labels)], dim=1)
        return widened(self.layers(told[:, :, None, None]))


class Discriminator(nn.Module):
    """Picture and the vector of a caption to one score: are they real, and do they belong to each other.

    They meet at the smallest map, where every place is told the same (Sec. 4.1).
    Shape: (N, in_channels, S, S) in [-1, 1], (N, text) -> (N, 1) raw scores, float32; S = last * 2 ** halvings.
    """

    def __init__(
        self,
        in_channels: int,
        *,
        text: int,
        described: int = 128,
        width: int = 64,
        last: int = 4,
        halvings: int = 4,
        norm: Norm = "batch",
        spectral_norm: bool = False,
    ) -> None:
        super().__init__()
        self.description = description(text, described)
        whole = dcgan.Discriminator(
            in_channels, width=width, last=last, halvings=halvings, norm=norm, spectral_norm=spectral_norm
        )
        self.look = whole.layers[:-1]
        seen = width * 2 ** (halvings - 1)
        self.compare = nn.Sequential(
            conv(seen + described, seen, 1, padding=0, bias=needs_bias(norm), spectral_norm=spectral_norm),
            normalise(norm, seen),
            nn.LeakyReLU(0.2, inplace=True),
            whole.layers[-1],
        )

    def forward(self, x: Tensor, labels: Tensor) -> Tensor:
        seen = self.look(x)
        told = self.description(labels)[:, :, None, None].expand(-1, -1, *seen.shape[2:])
        return widened(self.compare(torch.cat([seen, told.to(seen.dtype)], dim=1))).flatten(1)


def description(text: int, described: int) -> nn.Module:
    """A caption's vector to fewer numbers (Sec. 4.1). Shape: (N, text) of length 1 -> (N, described)."""
    project = nn.Linear(text, described)
    # Each word starts as an embedding of a label does, as large as noise: at DCGAN's 0.02 it would not be heard.
    nn.init.normal_(project.weight)
    nn.init.zeros_(project.bias)
    return nn.Sequential(project, nn.LeakyReLU(0.2))
