"""StyleGAN2: a GAN of styles, mixed between layers and spaced evenly (Karras et al. 2020)."""

from collections.abc import Hashable, Iterator

import torch
from torch import Tensor, nn

from i2i.batches import Labelled
from i2i.game import Progress, Turn
from i2i.losses.adversarial import Objective
from i2i.losses.path_length import PathLength
from i2i.losses.penalties import LazyR1
from i2i.models.critic import Critic
from i2i.models.gan import GAN
from i2i.models.sight import Sight
from i2i.networks.stylegan import Generator


class StyleGAN(GAN):
    """The game of a GAN whose pictures are of two styles now and then, so that layers do not lean on each other."""

    G: Generator

    def __init__(
        self,
        G: Generator,
        D: nn.Module,
        objective: Objective,
        *,
        mixing: float = 0.9,
        path: PathLength | None = None,
        r1: LazyR1 | None = None,
        sight: Sight | None = None,
    ) -> None:
        """`mixing` is the share of pictures of two styles."""
        super().__init__(G, D, objective, r1=r1, sight=sight)
        self.mixing, self.path = mixing, path or PathLength(weight=0.0)

    def step(self, batch: Labelled, progress: Progress) -> Iterator[Turn]:
        """A step of D and one of G on the same pictures; in some rounds R1 for D, and path length for G (App. B)."""
        real, labels = batch.images, batch.labels if self.G.classes else None
        D = Critic(self.D, labels=labels, sight=self.sight.at(progress))
        fake = self.G.paint(self._styles(len(real), real.device, labels))
        game = self.objective.discriminator(D, real=real, fake=fake.detach())
        penalty = self.r1.terms(progress, D, real, fake.detach())
        yield Turn("D", {"gan": game, **penalty}, signals=D.scores)
        D.moved(self.objective)
        terms = {"gan": self.objective.generator(D, real=real, fake=fake)}
        if self.path.due(progress):
            # Of half a batch, as in the code: it is the dearest term.
            half = (len(real) + 1) // 2
            styles = self._styles(half, real.device, labels[:half] if labels is not None else None)
            terms["path"] = self.path.term(self.G.paint, styles)
        yield Turn("G", terms)

    def phase(self, progress: Progress) -> Hashable:
        return super().phase(progress), self.path.due(progress)

    def _styles(self, count: int, device: torch.device, labels: Tensor | None) -> Tensor:
        """Styles for every layer: of one noise, or of another from a random layer on (StyleGAN, Sec. 3.1).

        Shape: -> (count, depth, latent).
        """
        draw = lambda: torch.randn(count, self.G.latent, device=device)  # noqa: E731
        styles = self.G.styles(draw(), labels)
        if not self.mixing:
            return styles
        crossover = torch.randint(1, self.G.depth, (count,), device=device)
        crossover = torch.where(torch.rand(count, device=device) < self.mixing, crossover, self.G.depth)
        return mixed(styles, self.G.styles(draw(), labels), crossover)


def mixed(coarse: Tensor, fine: Tensor, crossover: Tensor) -> Tensor:
    """Styles of one picture up to its layer `crossover`, and of another from there on.

    Shape: (N, depth, latent) twice, (N,) int64 -> (N, depth, latent).
    """
    layers = torch.arange(coarse.shape[1], device=coarse.device)
    return torch.where((layers < crossover[:, None])[:, :, None], coarse, fine)
