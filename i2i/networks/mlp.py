"""Fully connected networks: the generator and the discriminator of the first GAN."""

import itertools
import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from i2i.networks.blocks import widened
from i2i.networks.sampler import Sampler


class Generator(Sampler):
    """Noise to picture by hidden layers of ReLU (Goodfellow et al. 2014, Sec. 5).

    A label's vector, as long as z, stands beside it (Mirza & Osindero 2014, Sec. 4.1).
    Shape: (N, latent), (N,) -> (N, *shape) in [-1, 1], float32; the paper's have a sigmoid, for pictures in [0, 1].
    """

    def __init__(
        self, shape: Sequence[int], *, width: int = 1200, layers: int = 2, latent: int = 100, classes: int = 0
    ) -> None:
        """`shape` is that of a picture, (C, H, W), or of whatever else is to be made."""
        super().__init__()
        self.shape, self.latent, self.classes = tuple(shape), latent, classes
        self.embedding = nn.Embedding(classes, latent) if classes else None
        widths = [2 * latent if classes else latent, *[width] * layers]
        hidden = [_layer(inner, outer, nn.ReLU(inplace=True)) for inner, outer in itertools.pairwise(widths)]
        self.layers = nn.Sequential(*hidden, nn.Linear(width, math.prod(shape)), nn.Tanh())

    def forward(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        if self.embedding is not None:
            z = torch.cat([z, self.embedding(labels)], dim=1)
        return widened(self.layers(z)).unflatten(1, self.shape)


class Discriminator(nn.Module):
    """Picture to one score by hidden layers of LeakyReLU with dropout; the paper's are maxout (Goodfellow et al. 2014).

    A label's vector, `width` long, stands beside the picture.
    Shape: (N, *shape) in [-1, 1], (N,) -> (N, 1) raw scores, float32.
    """

    def __init__(
        self, shape: Sequence[int], *, width: int = 512, layers: int = 2, dropout: float = 0.5, classes: int = 0
    ) -> None:
        super().__init__()
        self.embedding = nn.Embedding(classes, width) if classes else None
        widths = [math.prod(shape) + (width if classes else 0), *[width] * layers]
        hidden = [
            _layer(inner, outer, nn.LeakyReLU(0.2, inplace=True), dropout)
            for inner, outer in itertools.pairwise(widths)
        ]
        self.layers = nn.Sequential(*hidden, nn.Linear(width, 1))

    def forward(self, x: Tensor, labels: Tensor | None = None) -> Tensor:
        x = x.flatten(1)
        if self.embedding is not None:
            x = torch.cat([x, self.embedding(labels).to(x.dtype)], dim=1)
        return widened(self.layers(x))


def _layer(inner: int, outer: int, activation: nn.Module, dropout: float = 0.0) -> nn.Sequential:
    layers = [nn.Linear(inner, outer), activation, *([nn.Dropout(dropout)] if dropout else [])]
    return nn.Sequential(*layers)
