"""Penalties on a critic's gradient."""

from collections.abc import Callable

import torch
from torch import Tensor

Critic = Callable[[Tensor], Tensor]
"""A discriminator as a function of the picture alone; conditions are closed over."""


def gradient_penalty(D: Critic, real: Tensor, fake: Tensor) -> Tensor:
    """Mean of (|grad D| - 1)^2 on random lines between real and fake (WGAN-GP, Gulrajani et al. 2017, Eq. 3).

    Shape: (N, C, H, W) twice -> scalar. Differentiates twice.
    """
    share = torch.rand(real.shape[0], 1, 1, 1, device=real.device, dtype=real.dtype)
    between = torch.lerp(fake.detach(), real.detach(), share).requires_grad_()
    (gradient,) = torch.autograd.grad(D(between).sum(), between, create_graph=True)
    return (gradient.flatten(1).norm(dim=1) - 1).square().mean()
