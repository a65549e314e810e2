"""An objective: least squares whose optimum is Pearson's chi-square divergence (LSGAN, Mao et al. 2017, Eq. 8)."""

from torch import Tensor

from i2i.losses.adversarial import Objective


class Pearson(Objective):
    """D is to score real pictures 1 and fakes -1, and G to have its own scored 0."""

    undecided = 0.0
    """What D says of a picture that it cannot tell; `i2i doctor` goes by it."""

    def of_fake(self, score: Tensor) -> Tensor:
        return ((score + 1) ** 2).mean() / 2

    def of_real(self, score: Tensor) -> Tensor:
        return ((score - 1) ** 2).mean() / 2

    def of_made(self, score: Tensor) -> Tensor:
        return (score**2).mean() / 2
