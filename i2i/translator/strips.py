"""A picture too large to go through a network whole, in strips of rows."""

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from i2i import images
from i2i.networks.maps import Given, Room
from i2i.networks.streaming import stream
from i2i.translator.padding import padded

Array = np.ndarray[Any, Any]


def translate_in_strips(
    network: nn.Module,
    picture: Array,
    out_channels: int,
    *,
    grows: int,
    multiple: int,
    room: Room,
    device: torch.device,
    half: bool,
) -> Array:
    """What the network makes of the whole picture, at a fraction of the memory.

    Shape: (H, W, in_channels) uint8, uint16 or float32 in [0, 1] -> (H, W, out_channels) of the same dtype, both sides
    times what the network `grows` by.
    """
    height, width = (grows * side for side in picture.shape[:2])
    rows, columns = padded(picture.shape, multiple)

    def read(start: int, stop: int) -> Tensor:
        values = images.to_network(picture[rows[start:stop]][:, columns])
        return values.to(device, memory_format=torch.channels_last)

    given = Given(read, picture.shape[2], len(rows), len(columns))
    result = np.empty((height, width, out_channels), picture.dtype)
    done = 0
    with torch.inference_mode(), torch.autocast(device.type, dtype=torch.bfloat16, enabled=half):
        for strip in stream(network, given, room):
            made = images.from_network(strip[0, :, :, :width], picture.dtype)[: height - done]
            result[done : done + len(made)] = made
            done += len(made)
            if done == height:
                break
    return result
