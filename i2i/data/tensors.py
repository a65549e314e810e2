"""The last step of every training set: pixels to the tensors that a loader stacks."""

import numpy as np
import torch
from torch import Tensor

from i2i.images import to_depth, to_network, with_channels
from i2i.images.pixels import Array

Index = int | tuple[int, int]
"""A picture's index, or (epoch, index) as the sampler yields it."""


def epoch_and_index(index: Index) -> tuple[int, int]:
    """An index of no epoch is of epoch 0."""
    return index if isinstance(index, tuple) else (0, index)


def decoded(pixels: Array, channels: int, deep: bool) -> Array:
    """Pixels as augmentation takes them: float32 in [0, 1] for 16-bit sets (`deep`), otherwise uint8."""
    return with_channels(to_depth(pixels, np.float32 if deep else np.uint8), channels)


def as_tensor(pixels: Array) -> Tensor:
    """(H, W, C) to (C, H, W): uint8 as it is, to be scaled on the device; float32 in [0, 1] to [-1, 1]."""
    if pixels.dtype == np.uint8:
        return torch.from_numpy(np.array(pixels.transpose(2, 0, 1), order="C"))  # a copy: pixels may be kept
    return to_network(np.clip(pixels, 0, 1))[0]
