"""Pix2Pix: Image-to-Image Translation with Conditional Adversarial Networks (Isola et al. 2017)."""

from collections.abc import Hashable, Iterator, Mapping, Sequence

from torch import Tensor, nn
from torch.nn import functional

from i2i.batches import Pairs
from i2i.game import Model, Progress, Turn, View
from i2i.losses.adversarial import Objective
from i2i.losses.features import feature_matching
from i2i.losses.penalties import LazyR1
from i2i.losses.reconstruction import l1
from i2i.losses.ssim import ssim
from i2i.models.critic import Comparison, Critic, Layered
from i2i.models.sight import Sight


class Pix2Pix(Model):
    """A generator taught by pairs, and a discriminator that sees the source beside its real or made target."""

    def __init__(
        self,
        G: nn.Module,
        D: nn.Module,
        objective: Objective,
        lambda_l1: float = 100.0,
        lambda_features: float = 0.0,
        r1: LazyR1 | None = None,
        lambda_ssim: float = 0.0,
        sight: Sight | None = None,
    ) -> None:
        """All but `lambda_l1` is not the paper's; features want a D that is `Layered`."""
        super().__init__()
        if lambda_features and not isinstance(D, Layered):
            raise TypeError(f"feature matching wants a discriminator with `activations`, not {type(D).__name__}")
        self.G, self.D, self.objective = G, D, objective
        self.lambda_l1, self.lambda_features, self.lambda_ssim = lambda_l1, lambda_features, lambda_ssim
        self.r1, self.sight = r1 or LazyR1(), sight or Sight()

    def players(self) -> Mapping[str, Sequence[nn.Module]]:
        return {"G": [self.G], "D": [self.D]}

    def step(self, batch: Pairs, progress: Progress) -> Iterator[Turn]:
        """Eq. 4: min_G max_D L_cGAN(G, D) + lambda L_L1(G), D first (Sec. 3.3)."""
        x, y = batch
        fake = self.G(x)
        D = Critic(self.D, beside=at_size_of(y, x), sight=self.sight.at(progress))

        # Sec. 3.3: the objective is halved for D, which slows it relative to G.
        game = self.objective.discriminator(D, real=y, fake=fake.detach())
        penalty = self.r1.terms(progress, D, y, fake.detach())
        yield Turn("D", {"gan": game, **penalty}, weight=0.5, signals=D.scores)
        D.moved(self.objective)

        matched: dict[str, Tensor] = {}
        if self.lambda_ssim:
            matched["ssim"] = self.lambda_ssim * ssim(fake, y)
        if self.lambda_features:
            D = Comparison(D, fake=fake, real=y)
            matched["features"] = self.lambda_features * feature_matching(D.of_fake, D.of_real)
        game = self.objective.generator(D, real=y, fake=fake)
        yield Turn("G", {"gan": game, "l1": self.lambda_l1 * l1(fake, y), **matched})

    def phase(self, progress: Progress) -> Hashable:
        return self.r1.due(progress), self.sight.phase(progress)

    def translators(self) -> Mapping[str, nn.Module]:
        return {"AtoB": self.G}

    def show(self, batch: Pairs, translators: Mapping[str, nn.Module]) -> Mapping[str, Tensor]:
        x, y = batch
        return {"source": _picture_in(x, y), "translated": translators["AtoB"](x), "target": y}

    def views(self, batch: Pairs, translators: Mapping[str, nn.Module]) -> Mapping[str, View]:
        x, y = batch
        G = translators["AtoB"]
        D = Critic(self.D, beside=at_size_of(y, x))
        return {"AtoB": View(y, lambda: G(x), D, source=_picture_in(x, y), paired=True)}


def at_size_of(target: Tensor, source: Tensor) -> Tensor:
    """A source that is smaller than its target, by a whole number, with each of its pixels as a square."""
    size = target.shape[-2:]
    return source if source.shape[-2:] == size else functional.interpolate(source, size=size, mode="nearest")


def _picture_in(source: Tensor, target: Tensor) -> Tensor:
    """What of a source can be shown: its last channels, in front of which a mask or earlier frames may lie."""
    return at_size_of(target, source[:, -target.shape[1] :])
