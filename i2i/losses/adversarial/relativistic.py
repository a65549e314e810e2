"""Objectives whose D tells which of two is the more real (Jolicoeur-Martineau 2018)."""

from typing import Literal

from torch import Tensor
from torch.nn import functional

from i2i.game import Terms
from i2i.losses.adversarial.objective import Objective, both
from i2i.losses.penalties import Critic, average, scales

Form = Literal["vanilla", "least-squares"]
Against = Literal["average", "pair"]


class Relativistic(Objective):
    """How far a picture's score lies above those of the other side, of which both sides are told.

    Against the average (RaGAN): each score is compared with the other side's mean over the batch, and over a map's
    patches. In pairs (RpGAN, as in R3GAN, Huang et al. 2024): each fake with the real picture at its place in the
    batch, which is its own target where data has pairs.
    """

    def __init__(self, form: Form = "vanilla", against: Against = "average") -> None:
        """vanilla: cross-entropy of being above or below. least-squares: one side is to lie higher by 1."""
        super().__init__()
        self.form, self.against = form, against

    def discriminator(self, D: Critic, *, real: Tensor, fake: Tensor) -> Terms:
        on_fake, on_real = (scales(scores) for scores in both(D, fake, real))
        pairs = list(zip(on_fake, on_real, strict=True))
        if self.against == "pair":
            return {"pairs": average([self.of_real(on_real - on_fake) for on_fake, on_real in pairs])}
        return {
            "fake": average([self.of_fake(on_fake - on_real.mean()) for on_fake, on_real in pairs]),
            "real": average([self.of_real(on_real - on_fake.mean()) for on_fake, on_real in pairs]),
        }

    def generator(self, D: Critic, *, real: Tensor, fake: Tensor) -> Tensor:
        on_fake, on_real = (scales(scores) for scores in both(D, fake, real))
        # Nothing is learnt through the real side.
        pairs = [(on_fake, on_real.detach()) for on_fake, on_real in zip(on_fake, on_real, strict=True)]
        if self.against == "pair":
            return average([self.of_made(on_fake - on_real) for on_fake, on_real in pairs])
        return average(
            [
                self.of_made(on_fake - on_real.mean()) + self.of_fake(on_real - on_fake.mean())
                for on_fake, on_real in pairs
            ]
        )

    def of_fake(self, score: Tensor) -> Tensor:
        """Of how far fakes lie above what is real."""
        return self.of_real(-score)

    def of_real(self, score: Tensor) -> Tensor:
        """Of how far what is real lies above fakes."""
        return functional.softplus(-score).mean() if self.form == "vanilla" else (score - 1).square().mean()

    def of_made(self, score: Tensor) -> Tensor:
        """Of how far G's pictures lie above what is real."""
        return self.of_real(score)
