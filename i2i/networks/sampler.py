"""What makes pictures from noise."""

import math
from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn


class Sampler(nn.Module, ABC):
    """A generator of pictures from noise, and from a label where it has classes, or a caption where it reads them."""

    latent: int
    """Length of the noise vector z."""
    classes: int = 0
    """Classes it can be asked for; 0 where it knows none."""
    text: int = 0
    """Length of the vectors of captions that it makes pictures of; 0 where it reads none."""
    truncates: bool = True
    """Whether noise has a middle that it can be kept near; not where the network puts all of it on a sphere."""

    @abstractmethod
    def forward(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        """Shape: (N, latent) standard normal, (N,) int64 or (N, text) float32 -> (N, C, S, S) in [-1, 1], float32."""

    def truncated(self, z: Tensor, labels: Tensor | None, psi: float) -> Tensor:
        """Pictures from noise that is kept near its middle: fewer kinds of them, and each more usual.

        psi is 0 or more; 0 is one picture a class. Here the truncation trick (Brock et al. 2019, Sec. 3.1); a
        network that maps z to styles draws these near their mean instead. Shape: as forward.
        """
        return self(truncated_normal(z, psi), labels)


def truncated_normal(z: Tensor, psi: float) -> Tensor:
    """Standard normal numbers to those of the same distribution cut off beyond +-psi, in the same order.

    What drawing anew whatever lies beyond would give, as a function of z: so the same noise is the same picture at
    every psi, and one that walks through noise walks without jumps. psi 0 is 0, and many a psi is z.
    """
    inside = math.erf(psi / math.sqrt(2))
    # erf is the share of the distribution between -z and z; that of the one that is cut off is `inside` of it.
    share = inside * torch.erf(z.cpu().double() / math.sqrt(2))  # not every device has float64
    return (torch.erfinv(share) * math.sqrt(2)).clamp(-psi, psi).to(z)
