"""A large picture through a generator in strips of rows, exactly: the result is that of the whole picture.

A network is turned into a chain of maps that are asked for rows and ask the map before them for the rows that theirs
depend on. Three kinds of map make that exact and small:

- a layer of local effect (convolution, padding, activation) computes the rows it is asked for, and nothing else;
- a norm that looks at the whole picture first pulls all rows of what it normalises, strip by strip, and sums them up:
  true statistics, layer after layer, each from maps that are right already;
- a map that is small is held, so that what leads to it is computed once; a large one is computed anew for each of the
  two or three that pull from it. A ResNet of 9 blocks so holds 2 maps of its trunk, 16 numbers a pixel each at width
  64, in place of some 230, and computes 12% more.
"""

from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn import functional

from i2i.networks.blocks import BatchNorm, InstanceNorm, Reflect, Residual
from i2i.networks.maps import (
    Convolved,
    Doubled,
    Held,
    Interpolated,
    Joined,
    Map,
    Normalised,
    Pointwise,
    Pooled,
    Reflected,
    Room,
    Stacked,
    Widened,
    strips,
)
from i2i.networks.resnet import PictureAndMask, ResNet, masked
from i2i.networks.super_resolution import SRResNet
from i2i.networks.unet import UNet

HELD = 4
"""A map is held that has at most a quarter of the numbers of one of the picture's size and the network's width."""


def stream(network: nn.Module, picture: Map, room: Room) -> Iterator[Tensor]:
    """A picture through a generator, as strips of rows from the top. Under the caller's autocast and inference mode.

    Shape: (1, in_channels, H, W) in [-1, 1] by rows -> (1, out_channels, rows, W) in [-1, 1], float32, H rows in all;
    both sides by its scale where the network enlarges.
    """
    room.height = picture.height
    width = next((layer.out_channels for layer in network.modules() if isinstance(layer, nn.Conv2d)), 0)
    graph = _Graph(room, width * picture.height * picture.width // HELD)
    match network:
        case ResNet():
            last = graph.through(network.layers, picture)
            last = Joined(last, picture, masked) if network.mask else last
        case UNet():
            last = _unet(network, picture, graph)
        case SRResNet():
            last = _enlarging(network, picture, graph)
        case _:
            raise TypeError(f"a {type(network).__name__} is not streamed")
    del picture
    for start, stop in strips(last, room):
        yield last.rows(start, stop).float()


def streams(network: nn.Module) -> bool:
    """Whether `stream` knows a network's layers."""
    return isinstance(network, (ResNet, UNet, SRResNet))


def held_numbers(kind: str, width: int) -> float:
    """Numbers a pixel of the picture that are held at the peak, for a generator of that kind and width."""
    if kind == "unet":
        # Of its four largest maps: both of half the side and both of a quarter.
        return 2 * (width / 4 + width / 8)
    if kind == "srresnet":
        return 3 * width  # what the skip carries, and two of the trunk
    return 2 * 4 * width / 16


class _Graph:
    """Turns layers into maps."""

    def __init__(self, room: Room, most: int) -> None:
        self.room = room
        self.most = most
        """Numbers of a map that is held."""

    def through(self, layers: nn.Module, x: Map) -> Map:
        """A layer or a sequence of them, of a map."""
        match layers:
            case nn.Sequential():
                for layer in layers:
                    x = self.through(layer, x)
                return x
            case Residual():
                before = Held(x, self.room) if not isinstance(x, Held) else x
                return self._residual(layers, before)
            case Reflect():
                return Reflected(x, layers.pixels)
            case nn.Conv2d():
                return self._held(Convolved(x, layers))
            case nn.ConvTranspose2d():
                return self._held(Widened(x, layers))
            case nn.AvgPool2d():
                return self._held(Pooled(x, layers))
            case nn.Upsample() if layers.mode == "bilinear":
                return Interpolated(x)
            case nn.Upsample():
                return Doubled(x, 1, lambda rows: functional.interpolate(rows, scale_factor=2.0))
            case nn.PixelShuffle():
                return Doubled(x, 4, layers)
            case BatchNorm() if not layers.own_statistics:
                return Pointwise(x, layers)
            case BatchNorm() | InstanceNorm():
                return Normalised(x, layers, self.room)
            case nn.ReLU():
                return Pointwise(x, torch.relu)  # in place it would change what is held
            case nn.LeakyReLU() | nn.Tanh() | PictureAndMask():
                return Pointwise(x, layers)
            case nn.Identity() | nn.Dropout():
                return x
            case _:
                raise TypeError(f"a {type(layers).__name__} is not streamed")

    def _held(self, x: Map) -> Map:
        return Held(x, self.room) if x.channels * x.height * x.width <= self.most else x

    def _residual(self, block: Residual, before: "Held") -> Map:
        """x + norm(conv(relu(norm(conv(x))))) in the room of two maps: the second convolution lies over the first."""
        x: Map = before
        inside: Held | None = None
        for layer in block.layers:
            if isinstance(layer, nn.Conv2d):
                x = inside = Held(Convolved(x, layer), self.room, over=inside)
            else:
                x = self.through(layer, x)
        return Held(Joined(before, x, torch.add), self.room, over=before)


def _unet(network: UNet, x: Map, graph: _Graph) -> Map:
    skips: list[Map] = []
    for down in network.downs:
        x = graph.through(down, x)
        skips.append(x)
    x = skips.pop()
    for block in network.ups:
        x = Stacked(skips.pop(), graph.through(block, x))
    return graph.through(network.last, x)


def _enlarging(network: SRResNet, x: Map, graph: _Graph) -> Map:
    first = Held(graph.through(network.way_in, x), graph.room)
    # A residual block writes over the map before it, which here is still to be added.
    trunk = graph.through(network.trunk, Pointwise(first, lambda rows: rows))
    made = graph.through(network.way_out, Held(Joined(first, trunk, torch.add), graph.room))
    if not network.residual:
        return made
    enlarged = graph.through(network.enlarge, x)
    return Joined(made, enlarged, lambda rows, behind: (rows.float() + behind.float()).clamp(-1, 1))
