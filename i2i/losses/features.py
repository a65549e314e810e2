"""Distances between what a network's layers make of two pictures."""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from i2i.losses.penalties import average

Activations = Sequence[Sequence[Tensor]]
"""What the layers make of a picture, by scale and layer, their scores left out."""


def feature_matching(of_fake: Activations, of_real: Activations) -> Tensor:
    """Mean absolute difference in each layer, summed over D's layers (pix2pixHD, Wang et al. 2018, Eq. 4).

    The mean over scales, as of the scores. The real side is taken as it is: nothing is learnt through it. -> scalar
    """
    return average([_apart(fake, real) for fake, real in zip(of_fake, of_real, strict=True)])


def _apart(fakes: Sequence[Tensor], reals: Sequence[Tensor]) -> Tensor:
    pairs = zip(fakes, reals, strict=True)
    return torch.stack([functional.l1_loss(fake.float(), real.detach().float()) for fake, real in pairs]).sum()
