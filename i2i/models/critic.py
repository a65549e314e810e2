"""A discriminator as a function of the picture alone, that scores real and fake in one pass."""

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from i2i.game import Scores, patches
from i2i.losses.adversarial import Objective
from i2i.models.sight import Look, Sight
from i2i.networks.blocks import in_parts


@runtime_checkable
class Layered(Protocol):
    """A discriminator that tells what its layers make."""

    def activations(self, x: Tensor) -> Sequence[list[Tensor]]:
        """What every layer makes, and last the scores: a list for each scale."""
        ...


class Critic:
    """D as a function of a picture, its condition and the way it sees closed over."""

    def __init__(
        self,
        network: nn.Module,
        beside: Tensor | None = None,
        labels: Tensor | None = None,
        sight: Sight | None = None,
    ) -> None:
        """`beside` is stacked before every picture, (N, C, H, W): the source of a pair.

        `labels` are what D is told besides, (N,) or (N, E): classes or captions.
        """
        self.network, self.beside, self.labels, self.sight = network, beside, labels, sight
        self.scores: dict[str, Tensor] = {}
        """What `both` gave last, detached, of all scales' patches: for the monitor."""

    def __call__(self, picture: Tensor) -> Scores:
        return self._scores(self._seen(picture, self.beside, self.look(picture)), self.labels)

    def look(self, pictures: Tensor) -> Look | None:
        """A way to see pictures of this shape; None is as they are."""
        return None if self.sight is None else self.sight.look(pictures)

    def moved(self, objective: Objective) -> None:
        """After D's move: hold its weights to what the objective asks, and let its sight follow how it did."""
        objective.constrain(self.network)
        if self.sight is not None:
            self.sight.follow(self.scores["real"], objective.undecided)

    def both(self, fake: Tensor, real: Tensor) -> tuple[Scores, Scores]:
        """Scores of fake and of real: in one pass, a batch norm taking the statistics of each half for itself.

        A spectral norm then takes one step of power iteration a turn (Miyato et al. 2018, Alg. 1), the same for both.
        """
        on_fake, on_real = self._both(fake, real)
        self.scores = {"real": patches(on_real).detach(), "fake": patches(on_fake).detach()}
        return on_fake, on_real

    def activations(self, picture: Tensor, look: Look | None = None) -> Sequence[list[Tensor]]:
        """What D's layers make of a picture, and last its scores: a list for each scale; seen by a `look` of its own.

        Two pictures are compared as they are seen by the same look.
        """
        assert isinstance(self.network, Layered)
        return self.network.activations(self._seen(picture, self.beside, look or self.look(picture)))

    def _seen(self, picture: Tensor, beside: Tensor | None, look: Look | None) -> Tensor:
        if look is not None:
            picture, beside = look(picture), None if beside is None else look.beside(beside)
        return picture if beside is None else torch.cat([beside, picture], dim=1)

    def _scores(self, seen: Tensor, labels: Tensor | None) -> Scores:
        return self.network(seen) if labels is None else self.network(seen, labels)

    def _both(self, fake: Tensor, real: Tensor) -> tuple[Scores, Scores]:
        if fake.shape != real.shape:
            return self(fake), self(real)
        pictures = torch.cat([fake, real])
        beside = None if self.beside is None else self.beside.repeat(2, 1, 1, 1)
        pictures = self._seen(pictures, beside, self.look(pictures))
        with in_parts(self.network, 2):
            scores = self._scores(pictures, None if self.labels is None else torch.cat([self.labels, self.labels]))
        if isinstance(scores, Tensor):
            on_fake, on_real = scores.chunk(2)
            return on_fake, on_real
        halves = [scale.chunk(2) for scale in scores]
        return [fake for fake, _ in halves], [real for _, real in halves]


class Comparison:
    """A critic for G's turn that has looked at the fake and at its real picture, and kept what D's layers made of them.

    It answers for these two from memory, so that scores and features cost one pass of the fake; nothing is learnt
    through the real one, whose pass keeps nothing for a gradient.
    """

    def __init__(self, critic: Critic, *, fake: Tensor, real: Tensor) -> None:
        self._critic, self._fake, self._real = critic, fake, real
        look = critic.look(fake)
        of_fake = critic.activations(fake, look)
        with torch.no_grad():
            of_real = critic.activations(real, look)
        self._on_fake, self._on_real = ([layers[-1] for layers in one] for one in (of_fake, of_real))
        self.of_fake, self.of_real = ([layers[:-1] for layers in one] for one in (of_fake, of_real))
        """What D's layers made of each, by scale and layer, without the scores."""

    def __call__(self, picture: Tensor) -> Scores:
        if picture is self._fake:
            return self._on_fake
        return self._on_real if picture is self._real else self._critic(picture)
