"""Objectives whose D measures how far apart real and fake are: WGAN by clipping, and by penalty."""

import torch
from torch import Tensor, nn

from i2i.game import Terms
from i2i.losses.adversarial.objective import Objective
from i2i.losses.penalties import Critic, gradient_penalty


class MeanScores(Objective):
    """Scores cost what they are: the dual form of the Wasserstein distance (Arjovsky et al. 2017, Eq. 2)."""

    def of_fake(self, score: Tensor) -> Tensor:
        return score.mean()

    def of_real(self, score: Tensor) -> Tensor:
        return -score.mean()

    def of_made(self, score: Tensor) -> Tensor:
        return -score.mean()


class WGAN(MeanScores):
    """Wasserstein distance, up to a factor, by a D of small weights (Arjovsky et al. 2017, Algorithm 1)."""

    def __init__(self, clip: float = 0.01) -> None:
        """No weight of D is farther from 0 than `clip` after a move."""
        super().__init__()
        self.clip = clip

    @torch.no_grad()
    def constrain(self, network: nn.Module) -> None:
        for weight in network.parameters():
            weight.clamp_(-self.clip, self.clip)


class WGANGP(MeanScores):
    """Wasserstein distance with the gradient penalty that makes it one (Gulrajani et al. 2017, Eq. 3)."""

    def __init__(self, lambda_penalty: float = 10.0, lambda_drift: float = 0.0) -> None:
        """`lambda_drift` weighs squared scores of what is real, which nothing else holds near 0 (ProGAN, App. A)."""
        super().__init__()
        self.lambda_penalty, self.lambda_drift = lambda_penalty, lambda_drift

    def of_real(self, score: Tensor) -> Tensor:
        cost = super().of_real(score)
        return cost + self.lambda_drift * score.square().mean() if self.lambda_drift else cost

    def discriminator(self, D: Critic, *, real: Tensor, fake: Tensor) -> Terms:
        terms = super().discriminator(D, real=real, fake=fake)
        return {**terms, "penalty": self.lambda_penalty * gradient_penalty(D, real, fake)}
