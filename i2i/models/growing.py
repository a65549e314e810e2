"""ProGAN: a GAN whose networks grow while they play (Karras et al. 2018)."""

from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass

from torch import Tensor, nn

from i2i.batches import Labelled
from i2i.game import Progress, Turn, View
from i2i.losses.adversarial import Objective
from i2i.losses.penalties import LazyR1
from i2i.models.gan import GAN
from i2i.models.sight import Sight
from i2i.networks.progan import Discriminator, Generator


@dataclass(frozen=True, slots=True)
class Growing:
    """Which stage is on as a function of the images seen: resuming needs nothing else (Sec. 2 and App. A).

    The first stage plays alone for `images`; every other fades in over as many, and then stays for as many.
    """

    images: int
    """0 is grown from the start."""
    last: int
    """The last stage, from 0."""

    def at(self, progress: Progress) -> tuple[int, float]:
        """(stage, alpha in [0, 1]): 0 where its fade begins, 1 from its end on."""
        if not self.images:
            return self.last, 1.0
        played, since = divmod(progress.images, self.images)
        stage = (played + 1) // 2
        if stage > self.last:
            return self.last, 1.0
        return stage, since / self.images if played % 2 else 1.0


class ProGAN(GAN):
    """The game of a GAN at the resolution of the moment: real pictures lose the detail that fakes cannot have yet.

    Pictures are of full size throughout, so a gradient penalty measures slopes in full pixels at every stage, where the
    paper's does in those of the stage: the networks are handed over from stage to stage without a jump.
    """

    def __init__(
        self,
        G: Generator,
        D: Discriminator,
        objective: Objective,
        growing: Growing,
        *,
        critic_steps: int = 1,
        r1: LazyR1 | None = None,
        sight: Sight | None = None,
    ) -> None:
        super().__init__(G, D, objective, critic_steps=critic_steps, r1=r1, sight=sight)
        self.growing = growing
        self.growths = G.growth, D.growth
        self._grown = Progress()
        self._grow(self._grown)

    def step(self, batch: Labelled, progress: Progress) -> Iterator[Turn]:
        """A round of the GAN on pictures of this stage."""
        # An engine asks for the phase before every round, so nothing is set here that a captured graph would repeat.
        if progress != self._grown:
            self._grow(progress)
        yield from super().step(self._faded(batch), progress)

    def phase(self, progress: Progress) -> Hashable:
        """The stage; how much of it is faded in changes within a phase, in a buffer, and is set here."""
        self._grow(progress)
        return self.growing.at(progress)[0], super().phase(progress)

    def views(self, batch: Labelled, translators: Mapping[str, nn.Module]) -> Mapping[str, View]:
        return super().views(self._faded(batch), translators)

    def _grow(self, progress: Progress) -> None:
        self._grown = progress
        for growth in self.growths:
            growth.set(*self.growing.at(progress))

    def _faded(self, batch: Labelled) -> Labelled:
        images: Tensor = self.growths[1].faded_picture(batch.images)
        return batch._replace(images=images)
