"""The DCGAN vocabulary that every network is built from: convolve down, convolve up, normalise, start at N(0, 0.02).

Radford et al. 2016, Sec. 3: strided convolutions instead of pooling, a norm after every convolution but the first and
the last, LeakyReLU(0.2) on the way down, ReLU on the way up, tanh at the end.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch import autocast as torch_autocast
from torch.nn import functional
from torch.nn.utils import parametrizations

from i2i.networks.convolutions import Conv2d, ConvTranspose2d, eager, reflected
from i2i.networks.equalised import MinibatchDeviation
from i2i.networks.moments import moments, normalised
from i2i.settings import Norm, Upsample

Shared = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]
"""Each picture's own mean and variance to those that it is normalised by, (N, C) float32 each."""


def normalised_by(
    x: Tensor, shared: Shared, eps: float, weight: Tensor | None = None, bias: Tensor | None = None
) -> Tensor:
    """Normalise pictures by statistics that are shared with others. Shape: (N, C, H, W) -> same."""
    return normalised(x, *shared(*moments(x)), eps, weight, bias)


def normalised_alone(x: Tensor, eps: float, weight: Tensor | None = None, bias: Tensor | None = None) -> Tensor:
    """Normalise each picture by its own statistics. Shape: (N, C, H, W) -> same.

    A group norm of one channel a group is that arithmetic; where it is inexact (see `moments`) it is done in two steps.
    """
    if not x.requires_grad and eager(x) and x.is_contiguous(memory_format=torch.channels_last):
        return normalised(x, *moments(x), eps, weight, bias)
    return functional.group_norm(x, x.shape[1], weight, bias, eps)


class BatchNorm(nn.BatchNorm2d):
    """Batch norm that can, once trained, take the statistics of each picture alone instead of the running ones.

    With `own_statistics` a picture is normalised as it was by training at batch size 1, and never by its neighbours
    in a batch, or by what `shared` makes of these. While training, the `parts` of a batch are normalised
    each for itself, in order, as if each were a batch of its own. Shape: (N, C, H, W) -> same.
    """

    own_statistics = False
    shared: Shared | None = None
    parts = 1

    def forward(self, input: Tensor) -> Tensor:
        if self.own_statistics and not self.training:
            if self.shared is not None:
                return normalised_by(input, self.shared, self.eps, self.weight, self.bias)
            return normalised_alone(input, self.eps, self.weight, self.bias)
        if self.parts > 1 and self.training:
            return torch.cat([self.normalised(part) for part in input.chunk(self.parts)])
        return self.normalised(input)

    def normalised(self, input: Tensor) -> Tensor:
        """One batch, normalised together."""
        return super().forward(input)


@contextmanager
def in_parts(network: nn.Module, parts: int) -> Iterator[None]:
    """Let what looks at a whole batch, a batch norm, take it as so many batches stacked on each other."""
    layers = [layer for layer in network.modules() if isinstance(layer, (BatchNorm, MinibatchDeviation))]
    for layer in layers:
        layer.parts = parts
    try:
        yield
    finally:
        for layer in layers:
            layer.parts = 1


class InstanceNorm(nn.Module):
    """Instance norm without weights (Ulyanov et al. 2016). Shape: (N, C, H, W) -> same.

    nn.InstanceNorm2d would copy channels_last tensors back to NCHW; the gradient of a group norm does on the CPU, 20
    times slower than that of the batch norm of a single picture, which is the same arithmetic. Once trained, it
    normalises by what `shared` makes of a picture's statistics.
    """

    shared: Shared | None = None

    def __init__(self, channels: int, eps: float = 1e-5) -> None:
        super().__init__()
        self.channels = channels
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        if self.shared is not None and not self.training:
            return normalised_by(x, self.shared, self.eps)
        if x.device.type == "cpu" and x.requires_grad and x.is_contiguous(memory_format=torch.channels_last):
            alone = [functional.batch_norm(picture, None, None, training=True, eps=self.eps) for picture in x.split(1)]
            return torch.cat(alone) if len(alone) > 1 else alone[0]
        return normalised_alone(x, self.eps)

    def extra_repr(self) -> str:
        return str(self.channels)


def normalise(norm: Norm, channels: int) -> nn.Module:
    """The normalisation of that name for so many channels."""
    match norm:
        case "batch":
            layer = BatchNorm(channels)
            initialise(layer)
            return layer
        case "instance":
            return InstanceNorm(channels)
        case "none":
            return nn.Identity()


def needs_bias(norm: Norm) -> bool:
    """Batch norm has a bias of its own, which makes the convolution's before it idle."""
    return norm != "batch"


class Reflect(nn.Module):
    """Mirror the border outwards by `pixels`. Shape: (N, C, H, W) -> (N, C, H + 2p, W + 2p), same type.

    On the CPU autocast would turn reflection into float32, and with it everything up to the next convolution.
    """

    def __init__(self, pixels: int) -> None:
        super().__init__()
        self.pixels = pixels

    def forward(self, x: Tensor) -> Tensor:
        with torch_autocast(x.device.type, enabled=False):
            return reflected(x, self.pixels)


def conv(
    in_channels: int,
    out_channels: int,
    kernel: int = 4,
    stride: int = 1,
    padding: int = 1,
    *,
    bias: bool = True,
    spectral_norm: bool = False,
) -> nn.Module:
    """A convolution started at N(0, 0.02), its largest singular value held at 1 if asked."""
    layer = Conv2d(in_channels, out_channels, kernel, stride, padding, bias=bias)
    initialise(layer)
    return parametrizations.spectral_norm(layer) if spectral_norm else layer


def up(in_channels: int, out_channels: int, upsample: Upsample, *, kernel: int = 4, bias: bool = True) -> nn.Module:
    """Double the side. Shape: (N, in, H, W) -> (N, out, 2H, 2W).

    transpose: the papers' transposed convolution, kernel 4 (pix2pix) or 3 (CycleGAN). resize: nearest neighbour and a
    convolution (Odena et al. 2016). bilinear: bilinear and a convolution, which is the blur [1, 3, 3, 1] between zeros
    that CUT's code has. shuffle: sub-pixel convolution (Shi et al. 2016).
    """
    match upsample:
        case "transpose":
            layer: nn.Module = ConvTranspose2d(
                in_channels, out_channels, kernel, stride=2, padding=1, output_padding=4 - kernel, bias=bias
            )
        case "resize":
            layer = nn.Sequential(nn.Upsample(scale_factor=2), Conv2d(in_channels, out_channels, 3, 1, 1, bias=bias))
        case "bilinear":
            layer = nn.Sequential(
                nn.Upsample(scale_factor=2, mode="bilinear"), Conv2d(in_channels, out_channels, 3, 1, 1, bias=bias)
            )
        case "shuffle":
            layer = nn.Sequential(Conv2d(in_channels, 4 * out_channels, 3, 1, 1, bias=bias), nn.PixelShuffle(2))
    initialise(layer)
    return layer


def blurred_half() -> nn.Module:
    """Halve the side behind the blur [1, 2, 1] / 4 (Zhang 2019). Shape: (N, C, H, W) -> (N, C, H/2, W/2); even sides.

    Means of two neighbours twice over are that blur: two layers that every runtime has, without weights.
    """
    return nn.Sequential(Reflect(1), nn.AvgPool2d(2, stride=1), nn.AvgPool2d(2))


class Residual(nn.Module):
    """x + convolutions of x (He et al. 2016, as in CycleGAN, Sec. 7.2). Shape: (N, C, H, W) -> same."""

    def __init__(self, channels: int, norm: Norm, dropout: bool) -> None:
        super().__init__()
        bias = needs_bias(norm)
        self.layers = nn.Sequential(
            Reflect(1),
            conv(channels, channels, 3, padding=0, bias=bias),
            normalise(norm, channels),
            nn.ReLU(inplace=True),
            nn.Dropout(0.5) if dropout else nn.Identity(),
            Reflect(1),
            conv(channels, channels, 3, padding=0, bias=bias),
            normalise(norm, channels),
        )

    def forward(self, x: Tensor) -> Tensor:
        return x + self.layers(x)


def widened(x: Tensor) -> Tensor:
    """A network's result under autocast as float32: an objective that differentiates twice needs it."""
    return x.float() if x.dtype == torch.bfloat16 else x


def initialise(module: nn.Module) -> None:
    """Start every convolution at N(0, 0.02) with bias 0, every batch norm at N(1, 0.02) with bias 0 (DCGAN, Sec. 3)."""
    for layer in module.modules():
        if isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d, nn.Linear)):
            nn.init.normal_(layer.weight, 0.0, 0.02)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
        elif isinstance(layer, nn.BatchNorm2d):
            nn.init.normal_(layer.weight, 1.0, 0.02)
            nn.init.zeros_(layer.bias)


def mixes_pictures(module: nn.Module) -> bool:
    """Whether a picture's output depends on its neighbours in the batch while training (batch norm does that)."""
    return any(isinstance(layer, nn.BatchNorm2d) for layer in module.modules())
