"""Discriminators that put a picture together again: the better they can, the more it looks real to them."""

from collections.abc import Sequence
from typing import Literal

from torch import Tensor, nn

from i2i.networks.blocks import conv, normalise, up

Error = Literal["squared", "absolute"]


class Autoencoder(nn.Module):
    """Score a picture by minus the error of its reconstruction, which is its energy (EBGAN, Zhao et al. 2017, Eq. 4).

    So a higher score is a likelier picture, as of any discriminator. The error is the mean over a picture's values.
    Shape: (N, C, H, W) in [-1, 1] -> (N, 1) raw scores, 0 at most, float32.
    """

    def __init__(self, encoder: nn.Module, decoder: nn.Module, error: Error) -> None:
        super().__init__()
        self.encoder, self.decoder, self.error = encoder, decoder, error

    def forward(self, x: Tensor) -> Tensor:
        return self.activations(x)[0][-1]

    def activations(self, x: Tensor) -> Sequence[list[Tensor]]:
        """The code, and the scores: of one scale. Shape: (N, C, H, W) -> (N, ...) and (N, 1)."""
        code = self.encoder(x)
        apart = self.decoder(code).float() - x.float()
        error = apart.square() if self.error == "squared" else apart.abs()
        return [[code, -error.flatten(1).mean(1, keepdim=True)]]


def strided(in_channels: int, *, width: int = 64, halvings: int = 3) -> Autoencoder:
    """EBGAN's autoencoder (App. C: (64)4c2s-(128)4c2s-(256)4c2s and back), with squared errors."""
    widths = [width * 2**level for level in range(halvings)]
    downs: list[nn.Module] = []
    for level, (inner, outer) in enumerate(zip([in_channels, *widths], widths, strict=False)):
        downs.append(conv(inner, outer, stride=2, bias=level == 0))
        downs += [*([normalise("batch", outer)] if level else []), nn.LeakyReLU(0.2, inplace=True)]
    ups: list[nn.Module] = []
    for inner, outer in zip(reversed(widths), reversed(widths[:-1]), strict=False):
        ups += [up(inner, outer, "transpose", bias=False), normalise("batch", outer), nn.LeakyReLU(0.2, inplace=True)]
    ups += [up(width, in_channels, "transpose"), nn.Tanh()]
    return Autoencoder(nn.Sequential(*downs), nn.Sequential(*ups), "squared")
