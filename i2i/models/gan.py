"""GAN: pictures from noise (Goodfellow et al. 2014), of a chosen class where there are classes (Mirza & Osindero 2014).

DCGAN, WGAN, SAGAN, BigGAN and their kin are this game with other networks, another objective, or more turns of D.
"""

from collections.abc import Hashable, Iterator, Mapping, Sequence
from contextlib import nullcontext

import torch
from torch import Tensor, nn

from i2i.batches import Labelled
from i2i.game import Model, Progress, Turn, View
from i2i.losses.adversarial import Objective
from i2i.losses.orthogonal import orthogonality
from i2i.losses.penalties import LazyR1
from i2i.models.critic import Critic
from i2i.models.sight import Sight
from i2i.networks.sampler import Sampler

SAMPLES = 64
"""Pictures in a sample grid."""


class GAN(Model):
    """A generator of pictures from noise, and its discriminator: the game that every translator here grew from."""

    def __init__(
        self,
        G: Sampler,
        D: nn.Module,
        objective: Objective,
        *,
        critic_steps: int = 1,
        r1: LazyR1 | None = None,
        lambda_orthogonal: float = 0.0,
        sight: Sight | None = None,
    ) -> None:
        """Where G has classes, D takes labels beside pictures. G moves in every `critic_steps`-th round, D in each."""
        super().__init__()
        self.G, self.D, self.objective = G, D, objective
        self.critic_steps, self.r1, self.sight = critic_steps, r1 or LazyR1(), sight or Sight()
        self.lambda_orthogonal = lambda_orthogonal

    def players(self) -> Mapping[str, Sequence[nn.Module]]:
        return {"G": [self.G], "D": [self.D]}

    def step(self, batch: Labelled, progress: Progress) -> Iterator[Turn]:
        """Goodfellow et al. 2014, Algorithm 1: a step of D, and in every k-th round one of G on the same noise."""
        real, labels = batch.images, batch.labels if self.G.classes else None
        D = Critic(self.D, labels=labels, sight=self.sight.at(progress))
        z = torch.randn(len(real), self.G.latent, device=real.device)
        moves = self._moves(progress)
        with nullcontext() if moves else torch.no_grad():
            fake = self.G(z, labels)
        game = self.objective.discriminator(D, real=real, fake=fake.detach())
        penalty = self.r1.terms(progress, D, real, fake.detach())
        yield Turn("D", {"gan": game, **penalty}, signals=D.scores if self.objective.ranks else {})
        D.moved(self.objective)
        if moves:
            terms = {"gan": self.objective.generator(D, real=real, fake=fake)}
            if self.lambda_orthogonal:
                terms["orthogonal"] = self.lambda_orthogonal * orthogonality(self.G)
            yield Turn("G", terms)

    def phase(self, progress: Progress) -> Hashable:
        return self._moves(progress), self.r1.due(progress), self.sight.phase(progress)

    def translators(self) -> Mapping[str, nn.Module]:
        return {"sample": self.G}

    def show(self, batch: Labelled, translators: Mapping[str, nn.Module]) -> Mapping[str, Tensor]:
        # The same noise at every call, so that samples over time show the same pictures growing.
        return {"made": self._drawn(SAMPLES, batch.images.device, translators)}

    def views(self, batch: Labelled, translators: Mapping[str, nn.Module]) -> Mapping[str, View]:
        real, labels = batch.images, batch.labels if self.G.classes else None
        make = lambda: self._drawn(len(real), real.device, translators, labels)  # noqa: E731
        return {"sample": View(real, make, Critic(self.D, labels=labels))}

    def _moves(self, progress: Progress) -> bool:
        return (progress.rounds + 1) % self.critic_steps == 0

    def _drawn(
        self, count: int, device: torch.device, translators: Mapping[str, nn.Module], labels: Tensor | None = None
    ) -> Tensor:
        """Pictures of one noise for ever, of all classes in turn where none are given."""
        noise = torch.randn(count, self.G.latent, generator=torch.Generator().manual_seed(0)).to(device)
        if self.G.classes and labels is None:
            labels = torch.arange(count, device=device) % self.G.classes
        return translators["sample"](noise, labels)
