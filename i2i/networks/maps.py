"""Feature maps that are asked for their rows, and ask the maps before them for the rows that theirs depend on."""

import os
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from i2i.networks.blocks import BatchNorm, InstanceNorm
from i2i.networks.moments import Moments, normalised

STRIP_BYTES = 1 << 28
"""What the maps of one strip take at once, where its rows are not given."""
_LIVE = 6
"""Copies of its largest map that a strip has at once: padded, convolved, normalised, its activation, and room."""


@dataclass(slots=True)
class Room:
    """Where held maps lie, and how many rows go at once."""

    memory: int
    """Bytes of held maps that are kept in memory; what is beyond lies in files."""
    rows: int | None = None
    """Rows of the picture in a strip; None for as many as fit into STRIP_BYTES."""
    folder: Path | None = None
    """Where those files are made; None for the system's place for temporary files."""
    height: int = field(default=0, init=False)
    """Of the picture."""
    used: int = field(default=0, init=False)

    def take(self, like: Tensor, height: int) -> Tensor:
        """Room for a map of that many rows, of which `like` are some; `give_back` returns it."""
        _, channels, _, width = like.shape
        shape = (1, height, width, channels)
        size = height * width * channels
        self.used += size * like.element_size()
        if self.used <= self.memory:
            flat = torch.empty(size, dtype=like.dtype, device=like.device)
        else:
            with tempfile.NamedTemporaryFile(dir=self.folder, prefix="i2i-map-") as file:
                # Reserved, because a full disk is an error here and the process's end where a page is written to it.
                os.posix_fallocate(file.fileno(), 0, size * like.element_size())
                # The file has no name any more once this block is left, and no bytes once the tensor is gone.
                flat = torch.from_file(file.name, shared=True, size=size, dtype=like.dtype)
        return flat.view(shape).permute(0, 3, 1, 2)  # channels last, so that a strip of rows is one piece

    def give_back(self, map: Tensor) -> None:
        """Count a held map's bytes as free again."""
        self.used -= map.numel() * map.element_size()


class Map(ABC):
    """Something of a height, a width and channels that can be asked for its rows."""

    channels: int
    height: int
    width: int
    burden: float
    """Numbers that one row needs in memory at most, on the way from what is held: its own or those it is made of."""

    @abstractmethod
    def rows(self, start: int, stop: int) -> Tensor:
        """Rows start to stop. Shape: (1, channels, stop - start, width)."""


def strips(map: Map, room: Room) -> Iterator[tuple[int, int]]:
    """The strips of a map, from the top: (start, stop)."""
    size = int(STRIP_BYTES / (4 * _LIVE * map.burden))
    if room.rows is not None:
        size = room.rows * map.height // room.height
    # Blocks of two rows can be painted at once, and a border can be mirrored within a strip.
    size = max(2, size - size % 2)
    for start in range(0, map.height, size):
        yield start, min(start + size, map.height)


class Given(Map):
    """The picture itself, read by rows."""

    def __init__(self, read: Callable[[int, int], Tensor], channels: int, height: int, width: int) -> None:
        self.read = read
        self.channels, self.height, self.width = channels, height, width
        self.burden = channels * width

    def rows(self, start: int, stop: int) -> Tensor:
        return self.read(start, stop)


class Pointwise(Map):
    """A function of every number, or of every channel, alone."""

    def __init__(self, x: Map, function: Callable[[Tensor], Tensor]) -> None:
        self.x, self.function = x, function
        self.channels, self.height, self.width, self.burden = x.channels, x.height, x.width, x.burden

    def rows(self, start: int, stop: int) -> Tensor:
        return self.function(self.x.rows(start, stop))


class Reflected(Map):
    """A map with its border mirrored outwards."""

    def __init__(self, x: Map, pixels: int) -> None:
        self.x, self.pixels = x, pixels
        self.channels, self.height, self.width = x.channels, x.height + 2 * pixels, x.width + 2 * pixels
        self.burden = max(x.burden, self.channels * self.width)

    def rows(self, start: int, stop: int) -> Tensor:
        height, side = self.x.height, self.pixels
        first, last = max(0, start - side), min(height, stop - side)
        above, below = max(0, side - start), max(0, stop - side - height)
        if last - first > max(above, below):
            return self._padded(self.x.rows(first, last), above, below)
        # A strip of a few rows, whose mirror image is in another one.
        wanted = [height - 1 - abs(height - 1 - abs(row - side)) for row in range(start, stop)]
        first = min(wanted)
        rows = self.x.rows(first, max(wanted) + 1)
        return self._padded(rows[:, :, torch.tensor(wanted, device=rows.device) - first], 0, 0)

    def _padded(self, rows: Tensor, above: int, below: int) -> Tensor:
        with torch.autocast(rows.device.type, enabled=False):  # which would make it float32
            return functional.pad(rows, (self.pixels, self.pixels, above, below), mode="reflect")


class Convolved(Map):
    """A convolution."""

    def __init__(self, x: Map, layer: nn.Conv2d) -> None:
        self.x, self.layer = x, layer
        (self.kernel, _), (self.stride, _) = layer.kernel_size, layer.stride
        self.padding = int(layer.padding[0])
        self.channels = layer.out_channels
        self.height, self.width = ((side + 2 * self.padding - self.kernel) // self.stride + 1 for side in _sides(x))
        self.burden = max(self.stride * x.burden, self.channels * self.width)

    def rows(self, start: int, stop: int) -> Tensor:
        first, last = start * self.stride - self.padding, (stop - 1) * self.stride - self.padding + self.kernel
        rows = self.x.rows(max(0, first), min(self.x.height, last))
        if not self.padding:
            return self.layer(rows)
        above, below = max(0, -first), max(0, last - self.x.height)
        if above or below:
            rows = functional.pad(rows, (0, 0, above, below))
        layer = self.layer
        return functional.conv2d(rows, layer.weight, layer.bias, self.stride, (0, self.padding))


class Widened(Map):
    """A transposed convolution."""

    def __init__(self, x: Map, layer: nn.ConvTranspose2d) -> None:
        self.x, self.layer = x, layer
        (self.kernel, _), (self.stride, _) = layer.kernel_size, layer.stride
        self.padding, self.further = int(layer.padding[0]), int(layer.output_padding[0])
        self.channels = layer.out_channels
        longer = self.kernel - 2 * self.padding + self.further
        self.height, self.width = ((side - 1) * self.stride + longer for side in _sides(x))
        self.burden = max(x.burden / self.stride, self.channels * self.width)

    def rows(self, start: int, stop: int) -> Tensor:
        # Row i paints rows stride * i - padding and the kernel's others below it.
        first = max(0, -(-(start + self.padding - self.kernel + 1) // self.stride))
        last = min(self.x.height - 1, (stop - 1 + self.padding) // self.stride)
        layer = self.layer
        made = functional.conv_transpose2d(
            self.x.rows(first, last + 1),
            layer.weight,
            layer.bias,
            self.stride,
            (0, self.padding),
            (0, self.further),
        )
        top = first * self.stride - self.padding
        return made[:, :, start - top : stop - top]


class Doubled(Map):
    """Both sides doubled, each row of its own: nearest neighbour, or sub-pixels out of `factor` times the channels."""

    def __init__(self, x: Map, factor: int, function: Callable[[Tensor], Tensor]) -> None:
        self.x, self.function = x, function
        self.channels, self.height, self.width = x.channels // factor, 2 * x.height, 2 * x.width
        self.burden = max(x.burden / 2, self.channels * self.width)

    def rows(self, start: int, stop: int) -> Tensor:
        first = start // 2
        made = self.function(self.x.rows(first, -(-stop // 2)))
        return made[:, :, start - 2 * first : stop - 2 * first]


class Pooled(Map):
    """Means of small squares."""

    def __init__(self, x: Map, layer: nn.AvgPool2d) -> None:
        self.x, self.layer = x, layer
        self.kernel, self.stride = int(layer.kernel_size), int(layer.stride)  # pyright: ignore[reportArgumentType]
        self.channels = x.channels
        self.height, self.width = ((side - self.kernel) // self.stride + 1 for side in _sides(x))
        self.burden = max(self.stride * x.burden, self.channels * self.width)

    def rows(self, start: int, stop: int) -> Tensor:
        return self.layer(self.x.rows(start * self.stride, (stop - 1) * self.stride + self.kernel))


class Interpolated(Map):
    """Both sides doubled, bilinearly: a row is a mixture of two."""

    def __init__(self, x: Map) -> None:
        self.x = x
        self.channels, self.height, self.width = x.channels, 2 * x.height, 2 * x.width
        self.burden = max(x.burden / 2, self.channels * self.width)

    def rows(self, start: int, stop: int) -> Tensor:
        # With a neighbour on either side: what a strip's own border repeats is cut off.
        first, last = max(0, start // 2 - 1), min(self.x.height, -(-stop // 2) + 1)
        made = functional.interpolate(self.x.rows(first, last), scale_factor=2.0, mode="bilinear")
        return made[:, :, start - 2 * first : stop - 2 * first]


class Stacked(Map):
    """The channels of two maps."""

    def __init__(self, one: Map, other: Map) -> None:
        self.one, self.other = one, other
        self.channels, self.height, self.width = one.channels + other.channels, one.height, one.width
        self.burden = max(one.burden, other.burden, self.channels * self.width)

    def rows(self, start: int, stop: int) -> Tensor:
        return torch.cat([self.one.rows(start, stop), self.other.rows(start, stop)], dim=1)


class Joined(Map):
    """A function of two maps, pixel by pixel, with the channels of the second."""

    def __init__(self, one: Map, other: Map, function: Callable[[Tensor, Tensor], Tensor]) -> None:
        self.one, self.other, self.function = one, other, function
        self.channels, self.height, self.width = other.channels, other.height, other.width
        self.burden = max(one.burden, other.burden)

    def rows(self, start: int, stop: int) -> Tensor:
        return self.function(self.one.rows(start, stop), self.other.rows(start, stop))


class Normalised(Map):
    """A norm by the statistics of the whole picture, which are gathered before its first row is given."""

    def __init__(self, x: Map, layer: InstanceNorm | BatchNorm, room: Room) -> None:
        self.x, self.layer, self.room = x, layer, room
        self.channels, self.height, self.width, self.burden = x.channels, x.height, x.width, x.burden
        self.statistics: tuple[Tensor, Tensor] | None = None

    def rows(self, start: int, stop: int) -> Tensor:
        if self.statistics is None:
            mean, variance = _gather(self.x, self.room)
            self.statistics = mean[None], variance[None]
            if self.layer.shared is not None:  # with other frames
                self.statistics = self.layer.shared(*self.statistics)
        mean, variance = self.statistics
        weight, bias = (getattr(self.layer, name, None) for name in ("weight", "bias"))
        return normalised(self.x.rows(start, stop), mean, variance, self.layer.eps, weight, bias)


def _gather(x: Map, room: Room) -> tuple[Tensor, Tensor]:
    """Mean and variance of every channel, over all rows."""
    sums = Moments()
    for start, stop in strips(x, room):
        sums.add(x.rows(start, stop))
    return sums.result()


class Held(Map):
    """A map that is computed once, at the first row that is asked for, and kept."""

    def __init__(self, x: Map, room: Room, *, over: "Held | None" = None) -> None:
        """`over` is a map of the same size that nothing else will read any more: its room is taken."""
        self.x: Map | None = x
        self.room, self.over = room, over
        self.channels, self.height, self.width = x.channels, x.height, x.width
        self.burden = self.channels * self.width
        self.map: Tensor | None = None
        self.handed = False
        """Whether its room belongs to another map now."""

    def rows(self, start: int, stop: int) -> Tensor:
        if self.map is None:
            self.map = self._filled()
            self.x = self.over = None  # what led here may go
        return self.map[:, :, start:stop].to(self.device)

    def _filled(self) -> Tensor:
        assert self.x is not None
        map: Tensor | None = None
        waiting: tuple[int, Tensor] | None = None
        for start, stop in strips(self.x, self.room):
            rows = self.x.rows(start, stop)
            if map is None:
                map = self._taken(rows)
                self.device = rows.device
            # The next strip still reads the last rows of this one's place, where it lies over what it is made of.
            if waiting is not None:
                _write(map, *waiting)
            waiting = start, rows
        assert map is not None
        assert waiting is not None
        _write(map, *waiting)
        return map

    def _taken(self, rows: Tensor) -> Tensor:
        below = self.over
        if below is None or below.map is None or below.map.dtype != rows.dtype:
            return self.room.take(rows, self.height)
        below.handed = True  # its rows stay readable for this one, which is written over them
        return below.map

    def __del__(self) -> None:
        if self.map is not None and not self.handed:
            self.room.give_back(self.map)


def _write(map: Tensor, start: int, rows: Tensor) -> None:
    map[:, :, start : start + rows.shape[2]] = rows


def _sides(x: Map) -> tuple[int, int]:
    return x.height, x.width
