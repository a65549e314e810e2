"""Convolutions in the form that is fastest on the CPU: the same sums, in another order.

The middle of a U-Net convolves 512 channels on maps of 8 x 8 down to 1 x 1. There a convolution of the CPU's library
spends its time re-arranging 4 million weights for each of its three passes (forward, and the gradients of input and
weights); a matrix product takes the weights as they lie.

The end of a generator makes 3 channels out of 64. The library computes 16 at a time and throws 13 away; painting blocks
of 2 x 2 pixels makes 12 of them at each position.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

POSITIONS = 64
"""Positions of the smaller map, over the whole batch, up to which the product was measured to be faster."""


class Conv2d(nn.Conv2d):
    """nn.Conv2d. Shape: (N, in, H, W) -> (N, out, H', W')."""

    def forward(self, input: Tensor) -> Tensor:
        if not eager(input):
            return super().forward(input)
        kernel, stride, padding = (_one(pair) for pair in (self.kernel_size, self.stride, self.padding))
        count, height, width = len(input), *((side + 2 * padding - kernel) // stride + 1 for side in input.shape[-2:])
        if self._paints_blocks(height, width):
            return self._in_blocks(input)
        if not _pays(self, count * height * width):
            return super().forward(input)
        padded = functional.pad(input, (padding,) * 4)
        patches = padded.unfold(2, kernel, stride).unfold(3, kernel, stride).permute(0, 2, 3, 4, 5, 1)
        rows = patches.reshape(count * height * width, -1)
        made = functional.linear(rows, self.weight.permute(0, 2, 3, 1).flatten(1), self.bias)
        return made.view(count, height, width, -1).permute(0, 3, 1, 2)

    def _paints_blocks(self, height: int, width: int) -> bool:
        few = self.out_channels <= 4 and self.in_channels >= 16
        plain = self.stride == (1, 1) and self.padding == (0, 0) and self.kernel_size[0] >= 5
        return few and plain and height % 2 == width % 2 == 0

    def _in_blocks(self, input: Tensor) -> Tensor:
        # A kernel for each of the four pixels, in the window that all four together see.
        windows = [functional.pad(self.weight, (x, 1 - x, y, 1 - y)) for y in (0, 1) for x in (0, 1)]
        weight = torch.stack(windows, dim=1).flatten(0, 1).contiguous(memory_format=torch.channels_last)
        bias = None if self.bias is None else self.bias.repeat_interleave(4)
        return functional.pixel_shuffle(functional.conv2d(input, weight, bias, stride=2), 2)


class ConvTranspose2d(nn.ConvTranspose2d):
    """nn.ConvTranspose2d. Shape: (N, in, H, W) -> (N, out, H', W')."""

    def forward(self, input: Tensor, output_size: list[int] | None = None) -> Tensor:
        count, channels, height, width = input.shape if input.ndim == 4 else (0, 0, 0, 0)
        if output_size is not None or not (eager(input) and _pays(self, count * height * width)):
            return super().forward(input, output_size)
        kernel, stride, padding = (_one(pair) for pair in (self.kernel_size, self.stride, self.padding))
        longer = _one(self.output_padding) - 2 * padding + kernel
        rows = input.permute(0, 2, 3, 1).reshape(-1, channels)
        patches = rows @ self.weight.permute(0, 2, 3, 1).reshape(channels, -1)
        patches = patches.view(count, height * width, kernel * kernel, -1).permute(0, 3, 2, 1)
        made = functional.fold(
            patches.reshape(count, -1, height * width),
            ((height - 1) * stride + longer, (width - 1) * stride + longer),
            kernel,
            padding=padding,
            stride=stride,
        )
        if self.bias is not None:
            made = made + self.bias.to(made.dtype)[:, None, None]
        return made.contiguous(memory_format=torch.channels_last)


def reflected(x: Tensor, pixels: int) -> Tensor:
    """Mirror the border outwards. Shape: (N, C, H, W) -> (N, C, H + 2p, W + 2p).

    A GPU adds up the gradient of a border in the order in which its threads happen to come, and refuses where torch is
    to be deterministic: there the same pixels are joined out of pieces, whose gradients add up in one order.
    """
    if x.device.type == "cpu" or not torch.are_deterministic_algorithms_enabled():
        return functional.pad(x, (pixels,) * 4, mode="reflect")
    return joined_reflection(x, pixels)


def joined_reflection(x: Tensor, pixels: int) -> Tensor:
    """What `functional.pad` makes in mode reflect, of slices, flips and cat alone. Raises ValueError where it would."""
    if not pixels:
        return x
    for axis in (2, 3):
        length = x.shape[axis]
        if pixels >= length:
            raise ValueError(f"{pixels} pixels cannot be mirrored out of {length}")
        before = x.narrow(axis, 1, pixels).flip(axis)
        behind = x.narrow(axis, length - 1 - pixels, pixels).flip(axis)
        x = torch.cat([before, x, behind], dim=axis)
    return x


def _pays(layer: nn.Conv2d | nn.ConvTranspose2d, positions: int) -> bool:
    """Weights that lie as the product needs them, and so many of them that they are what costs."""
    weight = layer.weight
    return (
        positions <= POSITIONS and weight.is_contiguous(memory_format=torch.channels_last) and weight.numel() >= 2**16
    )


def eager(input: Tensor) -> bool:
    """On the CPU, and not being traced: what is exported or compiled is for other sizes than the one it is shown."""
    traced = torch.jit.is_tracing() or torch.compiler.is_compiling()  # pyright: ignore[reportPrivateImportUsage]
    return input.device.type == "cpu" and input.ndim == 4 and not traced


def _one(pair: object) -> int:
    """Both sides are the same in every network here."""
    assert isinstance(pair, tuple)
    assert pair[0] == pair[1]
    return pair[0]
