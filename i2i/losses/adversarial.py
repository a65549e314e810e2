"""Objectives of the two-player game. Each is handed the critic, so a penalty can be part of it.

`discriminator(D, real=, fake=)` and `generator(D, real=, fake=)` return the named terms that each player makes small.
`fake` arrives detached where D is to learn. Scores are raw: no sigmoid.
"""

from abc import ABC, abstractmethod
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor, nn
from torch.nn import functional

from i2i.game import Terms
from i2i.losses.penalties import Critic, gradient_penalty


class Objective(nn.Module, ABC):
    """What D and G each make small, given a critic."""

    @abstractmethod
    def discriminator(self, D: Critic, *, real: Tensor, fake: Tensor) -> Terms:
        """D's terms, by name."""

    @abstractmethod
    def generator(self, D: Critic, *, real: Tensor, fake: Tensor) -> Tensor:
        """G's term."""


class Vanilla(Objective):
    """Binary cross-entropy, G in its non-saturating form (Goodfellow et al. 2014, Sec. 3)."""

    def discriminator(self, D: Critic, *, real: Tensor, fake: Tensor) -> Terms:
        on_fake, on_real = _both(D, fake, real)
        return {
            "fake": functional.binary_cross_entropy_with_logits(on_fake, torch.zeros_like(on_fake)),
            "real": functional.binary_cross_entropy_with_logits(on_real, torch.ones_like(on_real)),
        }

    def generator(self, D: Critic, *, real: Tensor, fake: Tensor) -> Tensor:
        score = D(fake)
        return functional.binary_cross_entropy_with_logits(score, torch.ones_like(score))


class LeastSquares(Objective):
    """Squared distance to 0 and 1 (LSGAN, Mao et al. 2017; CycleGAN, Sec. 4)."""

    def discriminator(self, D: Critic, *, real: Tensor, fake: Tensor) -> Terms:
        on_fake, on_real = _both(D, fake, real)
        return {"fake": on_fake.square().mean(), "real": (on_real - 1).square().mean()}

    def generator(self, D: Critic, *, real: Tensor, fake: Tensor) -> Tensor:
        return (D(fake) - 1).square().mean()


class Hinge(Objective):
    """Hinge loss: D stops caring beyond a margin of 1 (Lim & Ye 2017; SAGAN, Eq. 4)."""

    def discriminator(self, D: Critic, *, real: Tensor, fake: Tensor) -> Terms:
        on_fake, on_real = _both(D, fake, real)
        return {"fake": functional.relu(1 + on_fake).mean(), "real": functional.relu(1 - on_real).mean()}

    def generator(self, D: Critic, *, real: Tensor, fake: Tensor) -> Tensor:
        return -D(fake).mean()


class WGANGP(Objective):
    """Wasserstein distance with the gradient penalty that makes it one (Gulrajani et al. 2017, Eq. 3)."""

    def __init__(self, lambda_penalty: float = 10.0) -> None:
        super().__init__()
        self.lambda_penalty = lambda_penalty

    def discriminator(self, D: Critic, *, real: Tensor, fake: Tensor) -> Terms:
        on_fake, on_real = _both(D, fake, real)
        return {
            "fake": on_fake.mean(),
            "real": -on_real.mean(),
            "penalty": self.lambda_penalty * gradient_penalty(D, real, fake),
        }

    def generator(self, D: Critic, *, real: Tensor, fake: Tensor) -> Tensor:
        return -D(fake).mean()


@runtime_checkable
class _ScoresBoth(Protocol):
    def both(self, fake: Tensor, real: Tensor) -> tuple[Tensor, Tensor]: ...


def _both(D: Critic, fake: Tensor, real: Tensor) -> tuple[Tensor, Tensor]:
    """Scores of fake and real, at once where the critic can."""
    return D.both(fake, real) if isinstance(D, _ScoresBoth) else (D(fake), D(real))
