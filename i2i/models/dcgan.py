"""DCGAN: Unsupervised Representation Learning with Deep Convolutional GANs (Radford et al. 2016)."""

from collections.abc import Iterator, Mapping, Sequence

import torch
from torch import Tensor, nn

from i2i.batches import Labelled
from i2i.game import Model, Progress, Turn, View
from i2i.losses.adversarial import Objective
from i2i.models.critic import Critic
from i2i.networks.dcgan import Generator

SAMPLES = 64
"""Pictures in a sample grid."""


class DCGAN(Model):
    """A generator of pictures from noise, and its discriminator: the game that every translator here grew from."""

    def __init__(self, G: Generator, D: nn.Module, objective: Objective) -> None:
        super().__init__()
        self.G, self.D, self.objective = G, D, objective

    def players(self) -> Mapping[str, Sequence[nn.Module]]:
        return {"G": [self.G], "D": [self.D]}

    def step(self, batch: Labelled, progress: Progress) -> Iterator[Turn]:
        """Goodfellow et al. 2014, Algorithm 1, one step of D and then one of G on the same noise."""
        real, D = batch.images, Critic(self.D)
        fake = self.G(torch.randn(len(real), self.G.latent, device=real.device))
        game = self.objective.discriminator(D, real=real, fake=fake.detach())
        yield Turn("D", {"gan": game}, signals=D.scores)
        yield Turn("G", {"gan": self.objective.generator(D, real=real, fake=fake)})

    def translators(self) -> Mapping[str, nn.Module]:
        return {"sample": self.G}

    def show(self, batch: Labelled, translators: Mapping[str, nn.Module]) -> Mapping[str, Tensor]:
        # The same noise at every call, so that samples over time show the same pictures growing.
        noise = torch.randn(SAMPLES, self.G.latent, generator=torch.Generator().manual_seed(0))
        return {"made": translators["sample"](noise.to(batch.images.device))}

    def views(self, batch: Labelled, translators: Mapping[str, nn.Module]) -> Mapping[str, View]:
        real, G = batch.images, translators["sample"]
        noise = torch.randn(len(real), self.G.latent, generator=torch.Generator().manual_seed(0)).to(real.device)
        return {"sample": View(real, lambda: G(noise), Critic(self.D))}
