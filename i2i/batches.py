"""What a loader hands to a model: named tuples of tensors, so that a step reads `x, y = batch`."""

from typing import NamedTuple

from torch import Tensor


class Pairs(NamedTuple):
    """Aligned pictures. Shape: (N, C, H, W) each, in [-1, 1]."""

    source: Tensor
    target: Tensor


class Domains(NamedTuple):
    """Unaligned pictures of two domains. Shape: (N, C, H, W) each, in [-1, 1]."""

    x: Tensor
    y: Tensor


class Labelled(NamedTuple):
    """Pictures of one domain with the index of their class folder (0 where there are no classes).

    Shape: (N, C, H, W) in [-1, 1], and (N,) int64.
    """

    images: Tensor
    labels: Tensor


class Captioned(NamedTuple):
    """Pictures of one domain, what a caption of each says, and what one of another picture says.

    Shape: (N, C, H, W) in [-1, 1], and (N, E) float32 twice.
    """

    images: Tensor
    captions: Tensor
    others: Tensor
