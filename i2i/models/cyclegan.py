"""CycleGAN: Unpaired Image-to-Image Translation using Cycle-Consistent Adversarial Networks (Zhu et al. 2017)."""

from collections.abc import Hashable, Iterator, Mapping, Sequence

import torch
from torch import Tensor, nn

from i2i.batches import Domains
from i2i.game import Model, Progress, Turn, View
from i2i.losses.adversarial import Objective
from i2i.losses.penalties import LazyR1
from i2i.losses.reconstruction import l1
from i2i.models.critic import Critic
from i2i.models.decay import Decay
from i2i.models.history import History
from i2i.models.sight import Sight
from i2i.networks.blocks import mixes_pictures


class CycleGAN(Model):
    """G: X -> Y and F: Y -> X, each judged in the domain it paints in, and held together by the way back."""

    def __init__(
        self,
        G: nn.Module,
        F: nn.Module,
        D_X: nn.Module,
        D_Y: nn.Module,
        objective: Objective,
        *,
        history_X: History,
        history_Y: History,
        lambda_cycle: float = 10.0,
        lambda_identity: float = 0.5,
        identity_until: int = 0,
        r1: LazyR1 | None = None,
        sight_X: Sight | None = None,
        sight_Y: Sight | None = None,
    ) -> None:
        """The identity term fades over the first `identity_until` images; 0 keeps it as it is, as in the paper."""
        super().__init__()
        self.G, self.F, self.D_X, self.D_Y, self.objective = G, F, D_X, D_Y, objective
        self.history_X, self.history_Y = history_X, history_Y
        self.lambda_cycle, self.lambda_identity = lambda_cycle, lambda_identity
        self.identity = Decay(lambda_cycle * lambda_identity, identity_until)
        self.r1, self.sight_X, self.sight_Y = r1 or LazyR1(), sight_X or Sight(), sight_Y or Sight()

    def players(self) -> Mapping[str, Sequence[nn.Module]]:
        return {"G": [self.G, self.F], "D": [self.D_X, self.D_Y]}

    def step(self, batch: Domains, progress: Progress) -> Iterator[Turn]:
        """Eq. 3: L_GAN(G, D_Y) + L_GAN(F, D_X) + lambda L_cyc(G, F), with the identity term of Sec. 5.2; G first."""
        x, y = batch
        D_X = Critic(self.D_X, sight=self.sight_X.at(progress))
        D_Y = Critic(self.D_Y, sight=self.sight_Y.at(progress))
        identity = {}
        if not self.identity.over(progress):
            lambda_identity = self.identity.now(progress)
            fake_y, same_y = _both(self.G, x, y)
            fake_x, same_x = _both(self.F, y, x)
            identity = {"x": lambda_identity * l1(same_x, x), "y": lambda_identity * l1(same_y, y)}
        else:
            fake_y, fake_x = self.G(x), self.F(y)

        gan = {
            "x": self.objective.generator(D_X, real=x, fake=fake_x),
            "y": self.objective.generator(D_Y, real=y, fake=fake_y),
        }
        cycle = {
            "x": self.lambda_cycle * l1(self.F(fake_y), x),
            "y": self.lambda_cycle * l1(self.G(fake_x), y),
        }
        yield Turn("G", {"gan": gan, "cycle": cycle, "identity": identity})

        # Sec. 4: D learns from past fakes too, and is slowed by half as in the authors' code.
        past_x, past_y = self.history_X(fake_x), self.history_Y(fake_y)
        gan = {
            "x": self.objective.discriminator(D_X, real=x, fake=past_x),
            "y": self.objective.discriminator(D_Y, real=y, fake=past_y),
        }
        penalty = {
            "x": self.r1.terms(progress, D_X, x, past_x),
            "y": self.r1.terms(progress, D_Y, y, past_y),
        }
        yield Turn("D", {"gan": gan, "penalty": penalty}, weight=0.5, signals={"x": D_X.scores, "y": D_Y.scores})
        D_X.moved(self.objective)
        D_Y.moved(self.objective)

    def phase(self, progress: Progress) -> Hashable:
        self.identity.fill(progress)
        seen = self.sight_X.phase(progress), self.sight_Y.phase(progress)
        return self.identity.over(progress), self.r1.due(progress), seen

    def translators(self) -> Mapping[str, nn.Module]:
        return {"AtoB": self.G, "BtoA": self.F}

    def show(self, batch: Domains, translators: Mapping[str, nn.Module]) -> Mapping[str, Tensor]:
        x, y = batch
        G, F = translators["AtoB"], translators["BtoA"]
        fake_y, fake_x = G(x), F(y)
        return {"A": x, "A to B": fake_y, "and back": F(fake_y), "B": y, "B to A": fake_x, "back again": G(fake_x)}

    def views(self, batch: Domains, translators: Mapping[str, nn.Module]) -> Mapping[str, View]:
        x, y = batch
        G, F = translators["AtoB"], translators["BtoA"]
        return {
            "AtoB": View(y, lambda: G(x), Critic(self.D_Y), source=x),
            "BtoA": View(x, lambda: F(y), Critic(self.D_X), source=y),
        }


def _both(network: nn.Module, first: Tensor, second: Tensor) -> tuple[Tensor, Tensor]:
    """Two pictures through one network, in one pass where its norm looks at single pictures."""
    if mixes_pictures(network) or first.shape[1:] != second.shape[1:]:
        return network(first), network(second)
    one, two = network(torch.cat([first, second])).split([len(first), len(second)])
    return one, two
