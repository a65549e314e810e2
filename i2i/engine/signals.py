"""Signs of a game's health that every round gives, summed where they are computed; the monitor reads their means."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from i2i.game import Signals, flatten


@torch.no_grad()
def sums(signals: Signals) -> dict[str, Tensor]:
    """What to sum over rounds of D's scores: {"real": a, "fake": b} -> scalars, {"x": {...}} -> x/..."""
    scores = flatten(signals)
    found: dict[str, Tensor] = {}
    for name, real in scores.items():
        prefix, fake = name.removesuffix("real"), scores.get(f"{name.removesuffix('real')}fake")
        if not name.endswith("real") or fake is None:
            continue
        real, fake = real.float(), fake.float()
        found |= {
            f"{prefix}real": real.mean(),
            f"{prefix}fake": fake.mean(),
            f"{prefix}square": real.square().mean() + fake.square().mean(),
        }
        if real.shape == fake.shape:
            found[f"{prefix}accuracy"] = (real > fake).float().mean()
    return found


def described(means: Mapping[str, float]) -> dict[str, float]:
    """The means of `sums` as what a person reads.

    accuracy: how often D scores a real patch above the fake one in its place: 0.5 is chance, and no objective's scale
    matters. separation: how many standard deviations lie between D's mean scores of real and fake.
    """
    found: dict[str, float] = {}
    for name, value in means.items():
        if not name.endswith("/square"):
            found[name] = value
            continue
        real, fake = means[f"{name.removesuffix('square')}real"], means[f"{name.removesuffix('square')}fake"]
        spread = max((value - real**2 - fake**2) / 2, 0.0) ** 0.5
        found[f"{name.removesuffix('square')}separation"] = (real - fake) / max(spread, 1e-12)
    return found


@torch.no_grad()
def gradient_norm(weights: Sequence[nn.Parameter]) -> Tensor | None:
    """Length of the gradient that a player's last move followed; None where there is none."""
    gradients = [weight.grad for weight in weights if weight.grad is not None]
    if not gradients:
        return None
    return torch.stack(torch._foreach_norm(gradients)).norm()  # pyright: ignore[reportPrivateImportUsage]
