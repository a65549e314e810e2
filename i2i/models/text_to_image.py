"""Text to image (Reed et al. 2016): a GAN that is told in words what to make, and a D that compares."""

from collections.abc import Hashable, Iterator, Mapping, Sequence

import torch
from torch import Tensor, nn

from i2i.batches import Captioned
from i2i.game import Model, Progress, Terms, Turn, View
from i2i.losses.adversarial import Objective
from i2i.losses.penalties import LazyR1, average, scales
from i2i.models.critic import Critic
from i2i.models.sight import Sight
from i2i.networks.sampler import Sampler


class TextToImage(Model):
    """A GAN that reads captions, and whose D is to refuse real pictures, too, whose caption is another's (GAN-CLS)."""

    def __init__(
        self,
        G: Sampler,
        D: nn.Module,
        objective: Objective,
        *,
        lambda_interpolated: float = 0.0,
        r1: LazyR1 | None = None,
        sight: Sight | None = None,
    ) -> None:
        """`lambda_interpolated` weighs pictures of what lies between two captions (GAN-INT)."""
        super().__init__()
        self.G, self.D, self.objective = G, D, objective
        self.lambda_interpolated, self.r1, self.sight = lambda_interpolated, r1 or LazyR1(), sight or Sight()

    def players(self) -> Mapping[str, Sequence[nn.Module]]:
        return {"G": [self.G], "D": [self.D]}

    def step(self, batch: Captioned, progress: Progress) -> Iterator[Turn]:
        """Algorithm 1: three kinds of pairs for D, of which the two wrong ones count half each."""
        x, h, h_wrong = batch
        sight = self.sight.at(progress)
        D = Critic(self.D, labels=h, sight=sight)
        z = torch.randn(len(x), self.G.latent, device=x.device)
        fake = self.G(z, h)
        game = self.objective.discriminator(D, real=x, fake=fake.detach())
        mismatched = Critic(self.D, labels=h_wrong, sight=sight)
        wrong = average([self.objective.of_fake(scores) for scores in scales(mismatched(x))])
        penalty = self.r1.terms(progress, D, x, fake.detach())
        yield Turn("D", {"gan": _halved(game, mismatched=wrong), **penalty}, signals=D.scores)
        D.moved(self.objective)
        terms = {"gan": self.objective.generator(D, real=x, fake=fake)}
        if self.lambda_interpolated:
            # Eq. 5: no picture shows it, but D has learnt what goes with each of the two.
            between = (h + h_wrong) / 2
            made = self.objective.generator(
                Critic(self.D, labels=between, sight=sight), real=x, fake=self.G(z, between)
            )
            terms["interpolated"] = self.lambda_interpolated * made
        yield Turn("G", terms)

    def phase(self, progress: Progress) -> Hashable:
        return self.r1.due(progress), self.sight.phase(progress)

    def translators(self) -> Mapping[str, nn.Module]:
        return {"sample": self.G}

    def show(self, batch: Captioned, translators: Mapping[str, nn.Module]) -> Mapping[str, Tensor]:
        return {"made": self._of(batch, translators), "real": batch.images}

    def views(self, batch: Captioned, translators: Mapping[str, nn.Module]) -> Mapping[str, View]:
        make = lambda: self._of(batch, translators)  # noqa: E731
        return {"sample": View(batch.images, make, Critic(self.D, labels=batch.captions))}

    def _of(self, batch: Captioned, translators: Mapping[str, nn.Module]) -> Tensor:
        """What is made of the captions of real pictures, of one noise for ever."""
        noise = torch.randn(len(batch.captions), self.G.latent, generator=torch.Generator().manual_seed(0))
        return translators["sample"](noise.to(batch.captions.device), batch.captions)


def _halved(game: Terms, mismatched: Tensor) -> Terms:
    """D's terms, those of wrong pairs at half their weight."""
    fake = game["fake"]
    assert isinstance(fake, Tensor)
    return {**game, "fake": fake / 2, "mismatched": mismatched / 2}
