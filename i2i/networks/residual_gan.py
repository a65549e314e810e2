"""The residual networks from noise of SN-GAN (Miyato et al. 2018, Table 3), which are SAGAN's and BigGAN's.

Weights start orthogonal (BigGAN, Sec. 3), their largest singular value is held at 1 if asked, in G as in D (SAGAN,
Sec. 4.1).
"""

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils import parametrizations

from i2i.networks.attention import SelfAttention
from i2i.networks.blocks import BatchNorm, widened
from i2i.networks.conditional_norm import ConditionalBatchNorm
from i2i.networks.convolutions import Conv2d
from i2i.networks.sampler import Sampler


class Generator(Sampler):
    """Noise to picture: a small map, residual blocks that double it, self-attention at one of the sizes.

    A label scales and shifts every norm, by a table in each (SAGAN), or by one embedding that all blocks share
    (BigGAN, Sec. 3). With `skip_z` the first map sees one part of the noise, and every block another beside the label.
    Shape: (N, latent), (N,) -> (N, out_channels, S, S) in [-1, 1], float32; S = first * 2 ** doublings.
    """

    def __init__(
        self,
        out_channels: int,
        *,
        width: int = 64,
        latent: int = 128,
        first: int = 4,
        doublings: int = 3,
        attention: int = 0,
        spectral_norm: bool = True,
        embedding: int = 0,
        skip_z: bool = False,
        classes: int = 0,
    ) -> None:
        """`attention` is the side of the map that attends to itself, `embedding` the length of the shared one."""
        super().__init__()
        self.latent, self.classes, self.first = latent, classes, first
        # As torch.tensor_split does: the first parts are longer by one where they cannot be equal.
        slots = doublings + 1 if skip_z else 1
        self.parts = [latent // slots + (slot < latent % slots) for slot in range(slots)]
        self.embedding = nn.Embedding(classes, embedding) if classes and embedding else None
        if self.embedding is not None:
            nn.init.orthogonal_(self.embedding.weight)
        widths = [width * 2**level for level in reversed(range(doublings))]
        self.begin = _held(nn.Linear(self.parts[0], widths[0] * first**2), spectral_norm)
        self.blocks = nn.ModuleList()
        self.attention = nn.ModuleDict()
        for level, (inner, outer) in enumerate(pairwise([widths[0], *widths])):
            condition = (embedding if self.embedding is not None else classes) + (
                self.parts[level + 1] if skip_z else 0
            )
            one_hot = self.embedding is None and not skip_z
            self.blocks.append(UpBlock(inner, outer, condition, one_hot=one_hot, spectral_norm=spectral_norm))
            if first * 2 ** (level + 1) == attention:
                self.attention[str(level)] = SelfAttention(outer, spectral_norm=spectral_norm)
        self.end = nn.Sequential(
            BatchNorm(width), nn.ReLU(inplace=True), _conv(width, out_channels, 3, spectral_norm), nn.Tanh()
        )

    def forward(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        first, *others = z.split(self.parts, dim=1)
        x = self.begin(first).view(len(z), -1, self.first, self.first)
        label = self._of(labels)
        for level, block in enumerate(self.blocks):
            beside = [*label, others[level]] if others else label
            x = block(x, torch.cat(beside, dim=1)) if beside else block(x)
            if str(level) in self.attention:
                x = self.attention[str(level)](x)
        return widened(self.end(x))

    def _of(self, labels: Tensor | None) -> list[Tensor]:
        """What a label is to the blocks, nothing without classes. Shape: (N,) -> one of (N, length)."""
        if not self.classes:
            return []
        assert labels is not None
        if self.embedding is not None:
            return [self.embedding(labels)]
        return [functional.one_hot(labels, self.classes).float()]


class Discriminator(nn.Module):
    """Picture to one score: residual blocks that halve it, one that does not, self-attention, the sum over positions.

    The score of a label is how well its vector fits what was seen (projection: Miyato & Koyama 2018, Eq. 3).
    Shape: (N, in_channels, S, S) in [-1, 1], (N,) -> (N, 1) raw scores, float32; S = last * 2 ** halvings.
    """

    def __init__(
        self,
        in_channels: int,
        *,
        width: int = 64,
        last: int = 4,
        halvings: int = 3,
        attention: int = 0,
        spectral_norm: bool = True,
        classes: int = 0,
    ) -> None:
        """`attention` is the side of the map that attends to itself."""
        super().__init__()
        widths = [width * 2**level for level in range(halvings)]
        layers: list[nn.Module] = []
        for level, (inner, outer) in enumerate(pairwise([in_channels, *widths])):
            layers.append(DownBlock(inner, outer, first=level == 0, spectral_norm=spectral_norm))
            if last * 2 ** (halvings - level - 1) == attention:
                layers.append(SelfAttention(outer, spectral_norm=spectral_norm))
        layers += [DownBlock(widths[-1], widths[-1], halve=False, spectral_norm=spectral_norm), nn.ReLU(inplace=True)]
        self.layers = nn.Sequential(*layers)
        self.score = _held(nn.Linear(widths[-1], 1), spectral_norm)
        self.embedding = _held(nn.Embedding(classes, widths[-1]), spectral_norm) if classes else None

    def forward(self, x: Tensor, labels: Tensor | None = None) -> Tensor:
        seen = self.layers(x).sum(dim=(2, 3))
        score = self.score(seen)
        if self.embedding is not None:
            score = score + (self.embedding(labels) * seen).sum(1, keepdim=True)
        return widened(score)


class UpBlock(nn.Module):
    """Double the side, around a skip connection. Shape: (N, in, H, W), (N, condition) -> (N, out, 2H, 2W)."""

    def __init__(
        self, in_channels: int, out_channels: int, condition: int, *, one_hot: bool, spectral_norm: bool
    ) -> None:
        """A `condition` of length 0 is none."""
        super().__init__()

        def norm(channels: int) -> nn.Module:
            if not condition:
                return BatchNorm(channels)
            return ConditionalBatchNorm(channels, condition, one_hot=one_hot, spectral_norm=spectral_norm)

        self.before, self.between = norm(in_channels), norm(out_channels)
        self.grow = _conv(in_channels, out_channels, 3, spectral_norm)
        self.refine = _conv(out_channels, out_channels, 3, spectral_norm)
        self.skip = _conv(in_channels, out_channels, 1, spectral_norm)

    def forward(self, x: Tensor, *condition: Tensor) -> Tensor:
        made = self.grow(_doubled(functional.relu(self.before(x, *condition))))
        made = self.refine(functional.relu(self.between(made, *condition)))
        # A convolution of 1 x 1 makes the same before the doubling, at a quarter of the cost.
        return made + _doubled(self.skip(x))


class DownBlock(nn.Module):
    """Halve the side, around a skip connection. Shape: (N, in, H, W) -> (N, out, H/2, W/2); H and W if not `halve`.

    The `first` takes the picture as it is: a ReLU would cut its dark half off.
    """

    def __init__(
        self, in_channels: int, out_channels: int, *, first: bool = False, halve: bool = True, spectral_norm: bool
    ) -> None:
        super().__init__()
        half: nn.Module = nn.AvgPool2d(2) if halve else nn.Identity()
        self.layers = nn.Sequential(
            nn.Identity() if first else nn.ReLU(),
            _conv(in_channels, out_channels, 3, spectral_norm),
            nn.ReLU(inplace=True),
            _conv(out_channels, out_channels, 3, spectral_norm),
            half,
        )
        # A convolution of 1 x 1 makes the same behind the halving, at a quarter of the cost.
        same = in_channels == out_channels and not halve
        self.skip = nn.Identity() if same else nn.Sequential(half, _conv(in_channels, out_channels, 1, spectral_norm))

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x) + self.skip(x)


def _doubled(x: Tensor) -> Tensor:
    return functional.interpolate(x, scale_factor=2, mode="nearest")


def _conv(in_channels: int, out_channels: int, kernel: int, spectral_norm: bool) -> nn.Module:
    return _held(Conv2d(in_channels, out_channels, kernel, padding=kernel // 2), spectral_norm)


def _held(layer: nn.Linear | nn.Embedding | Conv2d, spectral_norm: bool) -> nn.Module:
    """The layer with orthogonal weights and no bias to begin with, its largest singular value held at 1 if asked."""
    nn.init.orthogonal_(layer.weight)
    if not isinstance(layer, nn.Embedding) and layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return parametrizations.spectral_norm(layer) if spectral_norm else layer
