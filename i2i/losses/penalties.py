"""Penalties on a critic's gradient."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from i2i.game import Progress, Scores, Terms

Critic = Callable[[Tensor], Scores]
"""A discriminator as a function of the picture alone; conditions are closed over."""


def scales(scores: Scores) -> tuple[Tensor, ...]:
    """The scores of each scale: one map where a critic looks at one."""
    return (scores,) if isinstance(scores, Tensor) else tuple(scores)


def average(terms: list[Tensor]) -> Tensor:
    """The mean of scalars; one alone stays itself, bit by bit."""
    return terms[0] if len(terms) == 1 else torch.stack(terms).mean()


def gradient_penalty(D: Critic, real: Tensor, fake: Tensor) -> Tensor:
    """Mean of (|grad D| - 1)^2 on random lines between real and fake (WGAN-GP, Gulrajani et al. 2017, Eq. 3).

    D of a picture is the mean score of its patches, as in `r1`: it is what the objectives move, and a slope of 1 for
    their sum would be one of 1 / patches for it. Each scale is a critic of its own.
    Shape: (N, ...) twice -> scalar. Differentiates twice.
    """
    share = torch.rand(real.shape[0], *[1] * (real.ndim - 1), device=real.device, dtype=real.dtype)
    between = torch.lerp(fake.detach(), real.detach(), share).requires_grad_()
    slopes = [_gradient(_means(scale), between) for scale in scales(D(between))]
    return average([(slope.norm(dim=1) - 1).square().mean() for slope in slopes])


def r1(D: Critic, real: Tensor) -> Tensor:
    """Half the mean of |grad D|^2 on real pictures (Mescheder et al. 2018, Eq. 9); on fakes it is R2 (Eq. 10).

    D of a picture is the mean score of its patches, which is what the objectives move, so the weight means the same at
    any size of picture or batch; each scale is a critic of its own. Shape: (N, ...) -> scalar. Differentiates twice.
    """
    real = real.detach().requires_grad_()
    slopes = [_gradient(_means(scale), real) for scale in scales(D(real))]
    return average([slope.square().sum(1).mean() / 2 for slope in slopes])


@dataclass(frozen=True, slots=True, kw_only=True)
class LazyR1:
    """R1, and R2 beside it, in every so many rounds, so many times as strong (StyleGAN2, Karras et al. 2020, App. B).

    They are terms of D's own turn. As a turn by themselves they would be one more step of Adam, whose rate and betas
    StyleGAN2 has to correct for that.
    """

    weight: float = 0.0
    """gamma of R1, on real pictures: 0 leaves it out."""
    weight_fake: float = 0.0
    """gamma of R2, on fakes: 0 leaves it out; R3GAN (Huang et al. 2024) has both, alike and in every round."""
    every: int = 16
    """Rounds from one to the next."""

    def due(self, progress: Progress) -> bool:
        """Whether this round has them: the phase of a model that does."""
        return max(self.weight, self.weight_fake) > 0 and progress.rounds % self.every == 0

    def terms(self, progress: Progress, D: Critic, real: Tensor, fake: Tensor | None = None) -> Terms:
        """D's terms by name, nothing where they are not due. Raises TypeError where R2 is asked for without fakes."""
        if not self.due(progress):
            return {}
        terms: dict[str, Tensor] = {}
        if self.weight:
            terms["r1"] = self.weight * self.every * r1(D, real)
        if self.weight_fake:
            if fake is None:
                raise TypeError("R2 is a penalty on fakes, and there are none")
            terms["r2"] = self.weight_fake * self.every * r1(D, fake)
        return terms


def _means(scale: Tensor) -> Tensor:
    """The sum over pictures of the mean score of each one's patches. Shape: (N, ...) -> scalar."""
    return scale.reshape(len(scale), -1).mean(1).sum()


def _gradient(value: Tensor, picture: Tensor) -> Tensor:
    """Shape: scalar, (N, ...) -> (N, numbers)."""
    (gradient,) = torch.autograd.grad(value, picture, create_graph=True)
    return gradient.flatten(1)
