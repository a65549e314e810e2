"""Seeds to noise, and the way from one noise to another. A picture is a function of its seed, whoever is beside it."""

from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor


def noise(seeds: Sequence[int], latent: int) -> Tensor:
    """Standard normal numbers, a row a seed (0 or more). Shape: (N, latent) float32."""
    rows = [np.random.default_rng(seed).standard_normal(latent, np.float32) for seed in seeds]
    return torch.from_numpy(np.stack(rows)) if rows else torch.zeros(0, latent)


def walk(stops: Tensor, frames: int) -> Tensor:
    """From stop to stop in so many steps each, both ends included. Shape: (K, latent) -> ((K - 1) frames + 1, latent).

    K is 1 or more.
    """
    return torch.stack([*_between(stops, frames), stops[-1]])


def _between(stops: Tensor, frames: int) -> Iterator[Tensor]:
    for one, two in pairwise(stops):
        for frame in range(frames):
            yield slerp(one, two, frame / frames)


def slerp(one: Tensor, two: Tensor, share: float) -> Tensor:
    """Spherical interpolation (White 2016, arXiv 1609.04468): between 0, which is `one`, and 1.

    Normal noise of many numbers lies near a sphere; on a straight line between two of them its middle is shorter than
    any that the network has seen. Opposite or equal directions have no arc of their own: a straight line there.
    Shape: (latent,) each.
    """
    a, b = one.double(), two.double()
    cosine = torch.dot(a, b) / (a.norm() * b.norm()).clamp_min(1e-12)
    angle = torch.arccos(cosine.clamp(-1, 1))
    if torch.sin(angle) < 1e-6:
        return torch.lerp(one, two, share)
    return ((torch.sin((1 - share) * angle) * a + torch.sin(share * angle) * b) / torch.sin(angle)).to(one.dtype)
