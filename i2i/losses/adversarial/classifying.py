"""Objectives whose D tells each picture for itself, real or fake: vanilla, least squares, hinge."""

import torch
from torch import Tensor
from torch.nn import functional

from i2i.losses.adversarial.objective import Objective


class Vanilla(Objective):
    """Binary cross-entropy (Goodfellow et al. 2014): G in the form that does not saturate, or in that of Eq. 1."""

    def __init__(self, *, saturating: bool = False, smoothing: float = 0.0) -> None:
        """Saturating, G lowers log(1 - D), whose slope dies where D is sure (Sec. 3); otherwise it raises log D.

        D is to say 1 - `smoothing` of what is real, and 0 of fakes still: of both smoothed, D would praise fakes where
        there is nothing real (one-sided label smoothing, Salimans et al. 2016, Sec. 3.4, which takes 0.1).
        """
        super().__init__()
        self.saturating, self.smoothing = saturating, smoothing

    @property
    def undecided(self) -> float:
        return 0.0

    def of_fake(self, score: Tensor) -> Tensor:
        return functional.binary_cross_entropy_with_logits(score, torch.zeros_like(score))

    def of_real(self, score: Tensor) -> Tensor:
        return functional.binary_cross_entropy_with_logits(score, torch.full_like(score, 1 - self.smoothing))

    def of_made(self, score: Tensor) -> Tensor:
        if self.saturating:
            return -self.of_fake(score)
        return functional.binary_cross_entropy_with_logits(score, torch.ones_like(score))


class LeastSquares(Objective):
    """Squared distance to 0 and 1 (LSGAN, Mao et al. 2017, Eq. 9; CycleGAN, Sec. 4)."""

    def __init__(self, *, smoothing: float = 0.0) -> None:
        """D is to score 1 - `smoothing` for what is real; G wants its pictures at 1 whatever that is."""
        super().__init__()
        self.smoothing = smoothing

    @property
    def undecided(self) -> float:
        return (1 - self.smoothing) / 2

    def of_fake(self, score: Tensor) -> Tensor:
        return score.square().mean()

    def of_real(self, score: Tensor) -> Tensor:
        return (score - (1 - self.smoothing)).square().mean()

    def of_made(self, score: Tensor) -> Tensor:
        return (score - 1).square().mean()


class Hinge(Objective):
    """Hinge loss: D stops caring beyond a margin of 1 (Lim & Ye 2017; SAGAN, Eq. 4)."""

    @property
    def undecided(self) -> float:
        return 0.0

    def of_fake(self, score: Tensor) -> Tensor:
        return functional.relu(1 + score).mean()

    def of_real(self, score: Tensor) -> Tensor:
        return functional.relu(1 - score).mean()

    def of_made(self, score: Tensor) -> Tensor:
        return -score.mean()
