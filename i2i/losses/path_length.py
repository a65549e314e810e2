"""Path length regularisation: a step in style changes a picture by the same length everywhere."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from i2i.game import Progress

MEAN_RATE = 0.01
"""What a measurement adds to the mean length (StyleGAN2's code)."""


class PathLength(nn.Module):
    """Mean of (|J^T y| - a)^2 over styles and random pictures y, a the running mean of |J^T y| (StyleGAN2, Eq. 4).

    Lazy: in every so many rounds, so many times as strong (App. B). The mean is a buffer, so it goes on with a run.
    """

    mean: Tensor

    def __init__(self, weight: float = 2.0, every: int = 8) -> None:
        """`weight` 0 leaves it out; `every` counts rounds."""
        super().__init__()
        self.weight, self.every = weight, every
        self.register_buffer("mean", torch.zeros(()))

    def due(self, progress: Progress) -> bool:
        """Whether this round has it: the phase of a model that does."""
        return self.weight > 0 and progress.rounds % self.every == 0

    def term(self, paint: Callable[[Tensor], Tensor], styles: Tensor) -> Tensor:
        """G's term. Shape: styles (N, layers, latent), whose picture `paint` makes -> scalar. Differentiates twice."""
        lengths = path_lengths(paint, styles)
        with torch.no_grad():
            self.mean.lerp_(lengths.mean(), MEAN_RATE)
        return self.weight * self.every * (lengths - self.mean).square().mean()


def path_lengths(paint: Callable[[Tensor], Tensor], styles: Tensor) -> Tensor:
    """|J^T y| for a random picture y each, of variance 1 / pixels, its square a mean over layers.

    Shape: (N, layers, latent) -> (N,).
    """
    pictures = paint(styles)
    y = torch.randn_like(pictures) / (pictures.shape[2] * pictures.shape[3]) ** 0.5
    (gradient,) = torch.autograd.grad((pictures * y).sum(), styles, create_graph=True)
    return gradient.square().sum(2).mean(1).sqrt()
