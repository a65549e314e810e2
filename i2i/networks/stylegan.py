"""StyleGAN2's generator (Karras et al. 2020): noise to styles, and styles that weigh the channels of every layer."""

import itertools
from math import sqrt

import torch
from torch import Tensor, nn
from torch.nn import functional

from i2i.networks.blocks import widened
from i2i.networks.equalised import EqualLinear, PixelNorm
from i2i.networks.progan import grown_widths
from i2i.networks.sampler import Sampler

MEAN_RATE = 0.005
"""What a batch of styles adds to their mean (StyleGAN2's code)."""


class Mapping(nn.Module):
    """Noise, and a label's vector of the same length beside it, to a style (StyleGAN, Karras et al. 2019, Sec. 2).

    Its layers learn at a hundredth of the rate. Shape: (N, latent), (N,) -> (N, latent), float32.
    """

    def __init__(self, latent: int, *, depth: int = 8, rate: float = 0.01, classes: int = 0) -> None:
        super().__init__()
        self.embedding = nn.Embedding(classes, latent) if classes else None
        self.norm = PixelNorm()
        inputs = [2 * latent if classes else latent, *[latent] * (depth - 1)]
        self.layers = nn.ModuleList(EqualLinear(channels, latent, rate=rate) for channels in inputs)

    def forward(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        w = self.norm(z)
        if self.embedding is not None:
            w = torch.cat([w, self.norm(self.embedding(labels))], dim=1)
        for layer in self.layers:
            w = leaky(layer(w))
        return widened(w)


class ModulatedConv2d(nn.Module):
    """A convolution whose weights are scaled by a style, a factor an input channel (Sec. 2.2, Eq. 1 and 3).

    Demodulated, an output of inputs that are independent and of variance 1 has variance 1 again, whatever the style.
    The style is put on the input and the demodulation on the output, which is the same product and leaves one
    convolution for all pictures of a batch. Shape: (N, in, H, W), (N, latent) -> (N, out, H, W).
    """

    def __init__(
        self, in_channels: int, out_channels: int, kernel: int, latent: int, *, demodulate: bool = True
    ) -> None:
        super().__init__()
        self.style = EqualLinear(latent, in_channels, bias=1.0)
        self.weight = nn.Parameter(torch.empty(out_channels, in_channels, kernel, kernel).normal_())
        self.scale = 1 / sqrt(in_channels * kernel**2)
        self.demodulate = demodulate

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        style = widened(self.style(w))
        weight = self.weight * self.scale
        made = functional.conv2d(x * style.to(x.dtype)[:, :, None, None], weight, padding=weight.shape[-1] // 2)
        if not self.demodulate:
            return made
        # Sum over i and k of (s_i w_oik)^2, in float32: what 16 bits lose here is a scale of the whole map.
        with torch.autocast(x.device.type, enabled=False):
            power = style.square() @ weight.square().sum((2, 3)).t()
        return made * (power + 1e-8).rsqrt().to(made.dtype)[:, :, None, None]


class StyledConv(nn.Module):
    """Modulated convolution, noise of a strength that is learnt, bias and LeakyReLU, on a side doubled first if asked.

    Noise is new while training and the same ever after. Shape: (N, in, H, W), (N, latent) -> (N, out, S, S).
    """

    noise: Tensor

    def __init__(self, in_channels: int, out_channels: int, side: int, latent: int, *, double: bool = False) -> None:
        super().__init__()
        self.doubles = double
        self.conv = ModulatedConv2d(in_channels, out_channels, 3, latent)
        self.strength = nn.Parameter(torch.zeros(()))
        self.bias = nn.Parameter(torch.zeros(out_channels))
        self.register_buffer("noise", torch.empty(1, 1, side, side).normal_())

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        x = self.conv(doubled(x) if self.doubles else x, w)
        noise = torch.randn(len(x), 1, *x.shape[2:], device=x.device) if self.training else self.noise
        return leaky(x + (self.strength * noise).to(x.dtype) + self.bias.to(x.dtype)[:, None, None])


class Generator(Sampler):
    """Noise to style to picture, each side adding its own picture to those below (Sec. 4.1, Fig. 7b).

    Shape: (N, latent), (N,) -> (N, out_channels, S, S), float32, S = first * 2 ** doublings. In [-1, 1] but while
    training, where D alone keeps it there: the end is linear.
    """

    mean_style: Tensor

    def __init__(
        self,
        out_channels: int,
        *,
        width: int = 64,
        most: int = 512,
        latent: int = 512,
        mapping: int = 8,
        first: int = 4,
        doublings: int = 4,
        classes: int = 0,
    ) -> None:
        super().__init__()
        self.latent, self.classes = latent, classes
        self.mapping = Mapping(latent, depth=mapping, classes=classes)
        self.register_buffer("mean_style", torch.zeros(latent))
        widths = grown_widths(width, most, doublings)
        self.start = nn.Parameter(torch.empty(1, widths[0], first, first).normal_())
        layers = [StyledConv(widths[0], widths[0], first, latent)]
        for level, (inner, outer) in enumerate(itertools.pairwise(widths), start=1):
            side = first * 2**level
            layers.append(StyledConv(inner, outer, side, latent, double=True))
            layers.append(StyledConv(outer, outer, side, latent))
        self.layers = nn.ModuleList(layers)
        self.to_rgb = nn.ModuleList(
            ModulatedConv2d(channels, out_channels, 1, latent, demodulate=False) for channels in widths
        )
        self.bias = nn.Parameter(torch.zeros(out_channels))

    @property
    def depth(self) -> int:
        """How many styles a picture has: one a layer, and one for the last of its colours."""
        return len(self.layers) + 1

    def forward(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        return self.paint(self.styles(z, labels))

    def styles(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        """The same style for every layer; their mean is followed while training. Shape: -> (N, depth, latent)."""
        w = self.mapping(z, labels)
        if self.training:
            with torch.no_grad():
                self.mean_style.lerp_(w.mean(0), MEAN_RATE)
        return w[:, None].expand(-1, self.depth, -1)

    def paint(self, styles: Tensor) -> Tensor:
        """A picture of a style for each layer, from the coarsest. Shape: (N, depth, latent) -> (N, C, S, S)."""
        w = styles.unbind(1)
        x = self.start.expand(len(styles), -1, -1, -1)
        picture = None
        for index, layer in enumerate(self.layers):
            x = layer(x, w[index])
            if index % 2 == 0:  # a side is done: its colours are of the style of the layer to come, as in the code
                added = widened(self.to_rgb[index // 2](x, w[index + 1]))
                picture = added if picture is None else doubled(picture) + added
        assert picture is not None
        picture = picture + self.bias[:, None, None]
        return picture if self.training else picture.clamp(-1, 1)

    def truncated(self, z: Tensor, labels: Tensor | None, psi: float) -> Tensor:
        """Styles at `psi` of their way from the mean style (StyleGAN, Sec. 3.1 of App. B); 0 is the mean picture."""
        return self.paint(torch.lerp(self.mean_style.expand(len(z), self.depth, -1), self.styles(z, labels), psi))


def leaky(x: Tensor) -> Tensor:
    """LeakyReLU that keeps a variance of 1. Shape: any -> same."""
    return functional.leaky_relu(x, 0.2) * sqrt(2)


def doubled(x: Tensor) -> Tensor:
    """Twice the side through the filter [1, 3, 3, 1], which is bilinear. Shape: (N, C, H, W) -> (N, C, 2H, 2W)."""
    return functional.interpolate(x, scale_factor=2, mode="bilinear")
