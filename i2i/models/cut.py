"""CUT and FastCUT: Contrastive Learning for Unpaired Image-to-Image Translation (Park et al. 2020)."""

from collections.abc import Hashable, Iterator, Mapping, Sequence

import torch
from torch import Tensor, nn

from i2i.batches import Domains
from i2i.game import Model, Progress, Turn, View
from i2i.losses.adversarial import Objective
from i2i.losses.contrastive import patch_nce
from i2i.losses.penalties import LazyR1
from i2i.models.critic import Critic
from i2i.models.sight import Sight
from i2i.networks.patch_sampler import PatchSampler
from i2i.networks.resnet import ResNet


class CUT(Model):
    """G: X -> Y, whose every patch must be told from the others of its picture by the input's patch at its place."""

    def __init__(
        self,
        G: ResNet,
        H: PatchSampler,
        D: nn.Module,
        objective: Objective,
        *,
        lambda_nce: float = 1.0,
        identity: bool = True,
        flip_equivariance: bool = False,
        temperature: float = 0.07,
        r1: LazyR1 | None = None,
        sight: Sight | None = None,
    ) -> None:
        """G's own encoder makes the features, so its pictures have as many channels as its sources."""
        super().__init__()
        self.G, self.H, self.D, self.objective = G, H, D, objective
        self.lambda_nce, self.identity, self.flip_equivariance = lambda_nce, identity, flip_equivariance
        self.temperature = temperature
        self.r1, self.sight = r1 or LazyR1(), sight or Sight()

    def players(self) -> Mapping[str, Sequence[nn.Module]]:
        return {"G": [self.G, self.H], "D": [self.D]}

    def step(self, batch: Domains, progress: Progress) -> Iterator[Turn]:
        """Eq. 5: L_GAN(G, D, X, Y) + lambda_X L_PatchNCE(G, H, X) + lambda_Y L_PatchNCE(G, H, Y), D first."""
        x, y = batch
        real = torch.cat([x, y]) if self.identity else x
        flips = torch.rand(len(real), 1, 1, 1, device=real.device) < 0.5 if self.flip_equivariance else None
        features = self.G.features(_mirrored(real, flips))
        made = self.G.decode(features)
        fake = made[: len(x)]
        # Of the pictures as they are; their graph is dropped, since nothing is differentiated through them.
        keys = [map.detach() for map in (features if flips is None else self.G.features(real))]

        D = Critic(self.D, sight=self.sight.at(progress))
        game = self.objective.discriminator(D, real=y, fake=fake.detach())
        penalty = self.r1.terms(progress, D, y, fake.detach())
        yield Turn("D", {"gan": game, **penalty}, weight=0.5, signals=D.scores)
        D.moved(self.objective)

        game = self.objective.generator(D, real=y, fake=fake)
        # App. C.1: features of what was made of a mirrored input are mirrored back.
        query = [_mirrored(map, flips) for map in self.G.features(made)]
        nce = self.lambda_nce * self.patch_nce(query, keys)
        # lambda_X and lambda_Y are half of lambda_nce each: the authors' code takes the mean of both domains.
        domains = zip("xy", nce.split(len(x)), strict=False)
        yield Turn("G", {"gan": game, "nce": {name: each.sum() / len(nce) for name, each in domains}})

    def patch_nce(self, query: Sequence[Tensor], keys: Sequence[Tensor]) -> Tensor:
        """Mean over layers, of features of what was made and of what it was made from. (N, C, H, W) each -> (N,)."""
        positions = self.H.positions(keys)
        pairs = zip(self.H(query, positions), self.H(keys, positions), strict=True)
        return torch.stack([patch_nce(made, real, self.temperature) for made, real in pairs]).mean(dim=0)

    def phase(self, progress: Progress) -> Hashable:
        return self.r1.due(progress), self.sight.phase(progress)

    def translators(self) -> Mapping[str, nn.Module]:
        return {"AtoB": self.G}

    def show(self, batch: Domains, translators: Mapping[str, nn.Module]) -> Mapping[str, Tensor]:
        x, y = batch
        return {"source": x, "translated": translators["AtoB"](x), "of the target domain": y}

    def views(self, batch: Domains, translators: Mapping[str, nn.Module]) -> Mapping[str, View]:
        x, y = batch
        G = translators["AtoB"]
        return {"AtoB": View(y, lambda: G(x), Critic(self.D), source=x)}


def _mirrored(pictures: Tensor, flips: Tensor | None) -> Tensor:
    """Those that `flips` names, left to right, or none. Shape: (N, C, H, W) and (N, 1, 1, 1) -> (N, C, H, W)."""
    return pictures if flips is None else torch.where(flips, pictures.flip(3), pictures)
