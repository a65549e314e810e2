"""Objectives of discriminators that are autoencoders: a picture's energy is the error of its reconstruction.

Their scores are minus the energy, so that here too a higher score is a likelier picture.
"""

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor
from torch.nn import functional

from i2i.game import Terms
from i2i.losses.adversarial import MeanScores
from i2i.losses.penalties import Critic


class EBGAN(MeanScores):
    """D lifts the energy of fakes up to a margin (EBGAN, Zhao et al. 2017, Eq. 1 and 2); G spreads their codes."""

    def __init__(self, margin: float = 0.3, lambda_pt: float = 0.1) -> None:
        """`lambda_pt` is the weight of the pulling-away term of what D's encoder makes (Sec. 2.4: EBGAN-PT)."""
        super().__init__()
        self.margin, self.lambda_pt = margin, lambda_pt

    def of_fake(self, score: Tensor) -> Tensor:
        return functional.relu(self.margin + score).mean()

    def generator(self, D: Critic, *, real: Tensor, fake: Tensor) -> Tensor:
        if not self.lambda_pt:
            return super().generator(D, real=real, fake=fake)
        assert isinstance(D, _Encodes)
        ((code, score),) = D.activations(fake)  # an autoencoder's, of one scale
        return self.of_made(score) + self.lambda_pt * pulling_away(code)


class BEGAN(MeanScores):
    """D weighs fakes by k, which keeps their energy at gamma times that of what is real (Berthelot et al. 2017).

    k is a buffer, so a run goes on with it; several processes move one each, by their own pictures. It and the measure
    of convergence M stand among D's terms to be seen in the log: constants, which nobody can make small.
    """

    ranks = False  # at the equilibrium the energy of fakes is the lower one, and no sign of a useless D
    k: Tensor

    def __init__(self, gamma: float = 0.5, lambda_k: float = 0.001) -> None:
        """`gamma` is the diversity: the lower, the fewer and the cleaner the pictures; `lambda_k` the rate of k."""
        super().__init__()
        self.gamma, self.lambda_k = gamma, lambda_k
        self.register_buffer("k", torch.zeros(()))

    def discriminator(self, D: Critic, *, real: Tensor, fake: Tensor) -> Terms:
        """D's terms (Sec. 3.4) with the k of this round; the k of the next one is kept."""
        terms = super().discriminator(D, real=real, fake=fake)
        on_real, on_fake = terms["real"], terms["fake"]
        assert isinstance(on_real, Tensor)
        assert isinstance(on_fake, Tensor)
        k = self.k.clone()
        with torch.no_grad():
            balance = self.gamma * on_real + on_fake  # gamma L(x) - L(G(z))
            self.k.copy_((k + self.lambda_k * balance).clamp(0, 1))
            convergence = on_real + balance.abs()
        return {"fake": k * on_fake, "real": on_real, "k": k, "convergence": convergence}


def pulling_away(code: Tensor) -> Tensor:
    """Mean squared cosine between the codes of two pictures, over all pairs (EBGAN, Eq. 5).

    0 where all are orthogonal, 1 where all point one way; 0 for a single picture. Shape: (N, ...) -> scalar.
    """
    directions = functional.normalize(code.float().flatten(1), dim=1)
    with torch.autocast(code.device.type, enabled=False):
        cosines = directions @ directions.T
    pairs = cosines.square() * (1 - torch.eye(len(code), device=code.device))
    return pairs.sum() / max(1, len(code) * (len(code) - 1))


@runtime_checkable
class _Encodes(Protocol):
    def activations(self, x: Tensor) -> Sequence[list[Tensor]]: ...
