"""What makes pictures from noise."""

from abc import ABC, abstractmethod

from torch import Tensor, nn


class Sampler(nn.Module, ABC):
    """A generator of pictures from noise, and from a label where it has classes."""

    latent: int
    """Length of the noise vector z."""
    classes: int = 0
    """Classes it can be asked for; 0 where it knows none."""

    @abstractmethod
    def forward(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        """Shape: (N, latent) standard normal, (N,) int64 -> (N, C, S, S) in [-1, 1], float32."""
