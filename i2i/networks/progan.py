"""ProGAN's networks (Karras et al. 2018): all blocks from the start, of which so many are on as have been grown."""

import itertools
from math import sqrt

import torch
from torch import Tensor, nn
from torch.nn import functional

from i2i.networks.blocks import widened
from i2i.networks.equalised import EqualConv2d, EqualLinear, MinibatchDeviation, PixelNorm
from i2i.networks.sampler import Sampler

WHOLE = 2**20
"""A block that is faded in completely, as a whole number."""


class Growth(nn.Module):
    """How far a network has grown: the last block that is on, and how much of it is faded in.

    Both are whole numbers in buffers: a file or an average tells what it is (an average of weights copies counters),
    and a captured graph reads the share anew at every replay. A network that is built is grown up.
    """

    stage: Tensor
    faded: Tensor

    def __init__(self, last: int) -> None:
        super().__init__()
        self.last = last
        self.register_buffer("stage", torch.tensor(last))
        self.register_buffer("faded", torch.tensor(WHOLE))
        self._on = last

    def set(self, stage: int, alpha: float) -> None:
        """Grow, or shrink, to the block `stage`, faded in by `alpha` in [0, 1]."""
        self._on = stage
        self.stage.fill_(stage)
        self.faded.fill_(round(alpha * WHOLE))

    @property
    def on(self) -> int:
        """The last block that is on: its picture's side is halved `last - on` times."""
        # While training, who plays has set it; to ask the device would wait for it, and cannot be recorded.
        return self._on if self.training else min(max(int(self.stage), 0), self.last)

    def blended(self, before: Tensor, grown: Tensor) -> Tensor:
        """From what there was before the block to what there is with it: exactly the one or the other at both ends."""
        return torch.lerp(before, grown, (self.faded / WHOLE).to(grown.dtype))

    def faded_picture(self, x: Tensor) -> Tensor:
        """A real picture as one is made now: without detail that has not been grown. Shape: (N, C, S, S) -> same."""
        stage = self.on
        x = halved(x, self.last - stage)
        if stage:
            x = self.blended(doubled(halved(x)), x)
        return doubled(x, self.last - stage)


class Generator(Sampler):
    """Noise to picture (Sec. 2 and App. A), a label's vector beside the noise.

    Shape: (N, latent), (N,) -> (N, out_channels, S, S), float32, S = first * 2 ** doublings; what has not been grown is
    made larger without detail. In [-1, 1] but while training, where D alone keeps it there: the end is linear.
    """

    truncates = False  # it makes all noise equally long, however near to 0 it is kept

    def __init__(
        self,
        out_channels: int,
        *,
        width: int = 64,
        most: int = 512,
        latent: int = 512,
        first: int = 4,
        doublings: int = 4,
        classes: int = 0,
    ) -> None:
        super().__init__()
        self.latent, self.classes = latent, classes
        self.embedding = nn.Embedding(classes, latent) if classes else None
        self.growth = Growth(doublings)
        widths = grown_widths(width, most, doublings)
        self.start = nn.Sequential(
            # The code's gain: the norm behind it undoes it, so it is a rate of learning.
            EqualLinear(2 * latent if classes else latent, widths[0] * first**2, gain=sqrt(2) / 4),
            nn.Unflatten(1, (widths[0], first, first)),
            nn.LeakyReLU(0.2),
            PixelNorm(),
            *_convolved(widths[0], widths[0]),
        )
        self.blocks = nn.ModuleList(
            nn.Sequential(nn.Upsample(scale_factor=2), *_convolved(inner, outer), *_convolved(outer, outer))
            for inner, outer in itertools.pairwise(widths)
        )
        self.to_rgb = nn.ModuleList(EqualConv2d(channels, out_channels, 1) for channels in widths)

    def forward(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        z = functional.normalize(z, eps=1e-8) * sqrt(self.latent)
        if self.embedding is not None:
            z = torch.cat([z, self.embedding(labels)], dim=1)
        stage = self.growth.on
        before, x = None, self.start(z)
        for block in self.blocks[:stage]:
            before, x = x, block(x)
        picture = widened(self.to_rgb[stage](x))
        if before is not None:
            picture = self.growth.blended(doubled(widened(self.to_rgb[stage - 1](before))), picture)
        picture = doubled(picture, self.growth.last - stage)
        return picture if self.training else picture.clamp(-1, 1)


class Discriminator(nn.Module):
    """Picture to one score (App. A), a label by projection (Miyato & Koyama 2018).

    It looks at no more detail than has been grown.
    Shape: (N, in_channels, S, S) in [-1, 1], (N,) -> (N, 1) raw scores, float32; S = last * 2 ** halvings.
    """

    def __init__(
        self,
        in_channels: int,
        *,
        width: int = 64,
        most: int = 512,
        last: int = 4,
        halvings: int = 4,
        classes: int = 0,
    ) -> None:
        super().__init__()
        self.growth = Growth(halvings)
        widths = grown_widths(width, most, halvings)
        self.from_rgb = nn.ModuleList(
            nn.Sequential(EqualConv2d(in_channels, channels, 1, gain=sqrt(2)), nn.LeakyReLU(0.2)) for channels in widths
        )
        self.blocks = nn.ModuleList(
            nn.Sequential(*_convolved(outer, outer, norm=False), *_convolved(outer, inner, norm=False), nn.AvgPool2d(2))
            for inner, outer in itertools.pairwise(widths)
        )
        self.end = nn.Sequential(
            MinibatchDeviation(),
            *_convolved(widths[0] + 1, widths[0], norm=False),
            nn.Flatten(),
            EqualLinear(widths[0] * last**2, widths[0], gain=sqrt(2)),
            nn.LeakyReLU(0.2),
        )
        self.score = EqualLinear(widths[0], 1)
        self.embedding = EqualEmbedding(classes, widths[0]) if classes else None

    def forward(self, x: Tensor, labels: Tensor | None = None) -> Tensor:
        stage = self.growth.on
        x = halved(x, self.growth.last - stage)
        features = self.from_rgb[stage](x)
        for level in reversed(range(stage)):
            features = self.blocks[level](features)
            if level == stage - 1:
                features = self.growth.blended(self.from_rgb[level](halved(x)), features)
        features = self.end(features)
        score = widened(self.score(features))
        if self.embedding is not None and labels is not None:
            score = score + (widened(features) * self.embedding(labels)).sum(1, keepdim=True)
        return score


class EqualEmbedding(nn.Module):
    """A label's vector, to be multiplied with features and summed at variance 1. Shape: (N,) int64 -> (N, channels)."""

    def __init__(self, classes: int, channels: int) -> None:
        super().__init__()
        self.vectors = nn.Embedding(classes, channels)
        self.scale = 1 / sqrt(channels)

    def forward(self, labels: Tensor) -> Tensor:
        return self.vectors(labels) * self.scale


def grown_widths(width: int, most: int, doublings: int) -> list[int]:
    """Channels from the smallest map to the largest: `width` at full size, doubled at every halving up to `most`."""
    return [min(width * 2**level, max(width, most)) for level in reversed(range(doublings + 1))]


def halved(x: Tensor, times: int = 1) -> Tensor:
    """Means of 2 x 2 pixels, so many times. Shape: (N, C, H, W) -> (N, C, H / 2^t, W / 2^t)."""
    for _ in range(times):
        x = functional.avg_pool2d(x, 2)
    return x


def doubled(x: Tensor, times: int = 1) -> Tensor:
    """Every pixel as 2 x 2, so many times. Shape: (N, C, H, W) -> (N, C, H * 2^t, W * 2^t)."""
    return functional.interpolate(x, scale_factor=float(2**times)) if times else x


def _convolved(in_channels: int, out_channels: int, *, norm: bool = True) -> list[nn.Module]:
    layers = [EqualConv2d(in_channels, out_channels, 3, gain=sqrt(2)), nn.LeakyReLU(0.2)]
    return [*layers, PixelNorm()] if norm else layers
