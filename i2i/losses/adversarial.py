"""Objectives of the two-player game. Each is handed the critic, so a penalty can be part of it.

`discriminator(D, real=, fake=)` and `generator(D, real=, fake=)` return the named terms that each player makes small.
`fake` arrives detached where D is to learn. Scores are raw: no sigmoid.
"""

from abc import ABC, abstractmethod
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor, nn
from torch.nn import functional

from i2i.game import Scores, Terms
from i2i.losses.penalties import Critic, average, gradient_penalty, scales


class Objective(nn.Module, ABC):
    """What D and G each make small, given a critic.

    Of a critic of several scales it is the mean over them (pix2pixHD, Wang et al. 2018, Eq. 3, divided by their
    number), so that the weight of the other terms means the same however many there are.
    """

    def discriminator(self, D: Critic, *, real: Tensor, fake: Tensor) -> Terms:
        """D's terms, by name."""
        on_fake, on_real = _both(D, fake, real)
        return {
            "fake": average([self.of_fake(score) for score in scales(on_fake)]),
            "real": average([self.of_real(score) for score in scales(on_real)]),
        }

    def generator(self, D: Critic, *, real: Tensor, fake: Tensor) -> Tensor:
        """G's term."""
        return average([self.of_made(score) for score in scales(D(fake))])

    def constrain(self, network: nn.Module) -> None:
        """What the objective asks of a critic's weights after each of its moves: nothing, or WGAN's clipping."""

    @abstractmethod
    def of_fake(self, score: Tensor) -> Tensor:
        """What D's scores of fakes cost D. Shape: any -> scalar."""

    @abstractmethod
    def of_real(self, score: Tensor) -> Tensor:
        """What D's scores of real pictures cost D. Shape: any -> scalar."""

    @abstractmethod
    def of_made(self, score: Tensor) -> Tensor:
        """What D's scores of its pictures cost G. Shape: any -> scalar."""


class Vanilla(Objective):
    """Binary cross-entropy, G in its non-saturating form (Goodfellow et al. 2014, Sec. 3)."""

    def of_fake(self, score: Tensor) -> Tensor:
        return functional.binary_cross_entropy_with_logits(score, torch.zeros_like(score))

    def of_real(self, score: Tensor) -> Tensor:
        return functional.binary_cross_entropy_with_logits(score, torch.ones_like(score))

    def of_made(self, score: Tensor) -> Tensor:
        return self.of_real(score)


class LeastSquares(Objective):
    """Squared distance to 0 and 1 (LSGAN, Mao et al. 2017; CycleGAN, Sec. 4)."""

    def of_fake(self, score: Tensor) -> Tensor:
        return score.square().mean()

    def of_real(self, score: Tensor) -> Tensor:
        return (score - 1).square().mean()

    def of_made(self, score: Tensor) -> Tensor:
        return self.of_real(score)


class Hinge(Objective):
    """Hinge loss: D stops caring beyond a margin of 1 (Lim & Ye 2017; SAGAN, Eq. 4)."""

    def of_fake(self, score: Tensor) -> Tensor:
        return functional.relu(1 + score).mean()

    def of_real(self, score: Tensor) -> Tensor:
        return functional.relu(1 - score).mean()

    def of_made(self, score: Tensor) -> Tensor:
        return -score.mean()


class WGANGP(Objective):
    """Wasserstein distance with the gradient penalty that makes it one (Gulrajani et al. 2017, Eq. 3)."""

    def __init__(self, lambda_penalty: float = 10.0) -> None:
        super().__init__()
        self.lambda_penalty = lambda_penalty

    def discriminator(self, D: Critic, *, real: Tensor, fake: Tensor) -> Terms:
        terms = super().discriminator(D, real=real, fake=fake)
        return {**terms, "penalty": self.lambda_penalty * gradient_penalty(D, real, fake)}

    def of_fake(self, score: Tensor) -> Tensor:
        return score.mean()

    def of_real(self, score: Tensor) -> Tensor:
        return -score.mean()

    def of_made(self, score: Tensor) -> Tensor:
        return -score.mean()


@runtime_checkable
class _ScoresBoth(Protocol):
    def both(self, fake: Tensor, real: Tensor) -> tuple[Scores, Scores]: ...


def _both(D: Critic, fake: Tensor, real: Tensor) -> tuple[Scores, Scores]:
    """Scores of fake and real, at once where the critic can."""
    return D.both(fake, real) if isinstance(D, _ScoresBoth) else (D(fake), D(real))
