"""A model: SimGAN, Learning from Simulated and Unsupervised Images (Shrivastava et al. 2017)."""

from collections.abc import Iterator, Mapping, Sequence

from torch import Tensor, nn

from i2i.batches import Domains
from i2i.game import Model, Progress, Turn
from i2i.losses.adversarial import Objective
from i2i.losses.reconstruction import l1
from i2i.models.critic import Critic


class SimGAN(Model):
    """G refines drawn pictures until D takes them for real ones, and leaves them as they are otherwise."""

    def __init__(self, G: nn.Module, D: nn.Module, objective: Objective, lambda_self: float = 10.0) -> None:
        super().__init__()
        self.G, self.D, self.objective, self.lambda_self = G, D, objective, lambda_self

    def players(self) -> Mapping[str, Sequence[nn.Module]]:
        """Who owns an optimizer, and what it moves."""
        return {"G": [self.G], "D": [self.D]}

    def step(self, batch: Domains, progress: Progress) -> Iterator[Turn]:
        """Eq. 4: G first. A turn's terms are added up, and their gradient moves that player's weights alone."""
        x, y = batch
        fake = self.G(x)
        D = Critic(self.D)
        game = self.objective.generator(D, real=y, fake=fake)
        yield Turn("G", {"gan": game, "self": self.lambda_self * l1(fake, x)})

        game = self.objective.discriminator(D, real=y, fake=fake.detach())
        yield Turn("D", {"gan": game}, signals=D.scores)
        D.moved(self.objective)

    def translators(self) -> Mapping[str, nn.Module]:
        """What a run leaves: averaged where the recipe averages, and written as translator.safetensors."""
        return {"AtoB": self.G}

    def show(self, batch: Domains, translators: Mapping[str, nn.Module]) -> Mapping[str, Tensor]:
        """The sample grid's columns."""
        x, y = batch
        return {"A": x, "refined": translators["AtoB"](x), "B": y}
