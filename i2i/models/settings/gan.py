"""Pictures from noise, in settings."""

from typing import TYPE_CHECKING, Literal

from i2i.losses import settings as losses
from i2i.networks import settings as networks
from i2i.settings import Positive, Weight, settings

if TYPE_CHECKING:
    from i2i.game import Model


@settings
class GAN:
    """GAN (Goodfellow et al. 2014): pictures from noise, learnt from one folder."""

    kind: Literal["gan"] = "gan"
    """One folder of pictures."""

    generator: networks.Sampler = networks.DCGANGenerator()
    """Noise to picture."""

    discriminator: networks.Judge = networks.DCGANDiscriminator()
    """Picture to score."""

    objective: losses.Objective = losses.Vanilla()
    """What the two players make small."""

    conditional: bool = False
    """Tell G and D which class folder a picture lies in (conditional GAN, Mirza & Osindero 2014)."""

    classes: tuple[str, ...] = ()
    """Names of the classes where it is conditional: those of the class folders, sorted; a run reads them there."""

    critic_steps: Positive = 1
    """Moves of D for each of G: 5 in WGAN. A step is a move of D."""

    lambda_r1: Weight = 0.0
    """Weight of D's squared gradient on real pictures (R1, Mescheder et al. 2018); wants a D without batch norm."""

    r1_every: Positive = 16
    """Rounds from one R1 penalty to the next; it is so many times as strong."""

    def build(self, in_channels: int, out_channels: int, size: tuple[int, int]) -> "Model":
        """The model for pictures of `out_channels`, trained at `size` (height, width)."""
        from i2i.losses.penalties import LazyR1
        from i2i.models import gan

        classes = max(1, len(self.classes)) if self.conditional else 0
        return gan.GAN(
            self.generator.build(out_channels, size, classes),
            self.discriminator.build(out_channels, size, classes),
            self.objective.build(),
            critic_steps=self.critic_steps,
            r1=LazyR1(weight=self.lambda_r1, every=self.r1_every),
        )
