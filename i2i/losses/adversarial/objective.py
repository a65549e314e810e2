"""What an objective is: what each player makes small, given the critic."""

from abc import ABC, abstractmethod
from typing import Protocol, runtime_checkable

from torch import Tensor, nn

from i2i.game import Scores, Terms
from i2i.losses.penalties import Critic, average, scales


class Objective(nn.Module, ABC):
    """What D and G each make small, given a critic.

    Of a critic of several scales it is the mean over them (pix2pixHD, Wang et al. 2018, Eq. 3, divided by their
    number), so that the weight of the other terms means the same however many there are.
    """

    ranks = True
    """Whether D is to score what is real above fakes, so that the monitor can tell from its scores how D fares."""

    @property
    def undecided(self) -> float | None:
        """The score of a picture that D cannot tell; None where a score says nothing without others beside it."""
        return None

    def discriminator(self, D: Critic, *, real: Tensor, fake: Tensor) -> Terms:
        """D's terms, by name."""
        on_fake, on_real = both(D, fake, real)
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


@runtime_checkable
class _ScoresBoth(Protocol):
    def both(self, fake: Tensor, real: Tensor) -> tuple[Scores, Scores]: ...


def both(D: Critic, fake: Tensor, real: Tensor) -> tuple[Scores, Scores]:
    """Scores of fake and real, at once where the critic can."""
    return D.both(fake, real) if isinstance(D, _ScoresBoth) else (D(fake), D(real))
