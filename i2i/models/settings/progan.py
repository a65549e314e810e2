"""ProGAN, in settings."""

from typing import TYPE_CHECKING, Literal

from i2i.losses import settings as losses
from i2i.models.settings.judged import Judged
from i2i.networks import settings as networks
from i2i.settings import Count, Positive, settings

if TYPE_CHECKING:
    from i2i.game import Model


@settings
class ProGAN(Judged):
    """ProGAN (Karras et al. 2018): pictures from noise, by networks that grow from 4 pixels to full size."""

    kind: Literal["progan"] = "progan"
    """One folder of pictures."""

    generator: networks.ProGANGenerator = networks.ProGANGenerator()
    """Noise to picture."""

    discriminator: networks.ProGANDiscriminator = networks.ProGANDiscriminator()
    """Picture to score."""

    objective: losses.Objective = losses.WGANGP(lambda_drift=0.001)
    """What the two players make small."""

    stage_images: Count = 0
    """Images over which a stage fades in, and those for which it then stays (the paper: 800000). 0: what lets a run
    grow over its first half; a run says how many those are. Without a run, grown from the start."""

    conditional: bool = False
    """Tell G and D which class folder a picture lies in."""

    classes: tuple[str, ...] = ()
    """Names of the classes where it is conditional: those of the class folders, sorted; a run reads them there."""

    critic_steps: Positive = 1
    """Moves of D for each of G. A step is a move of D."""

    def build(self, in_channels: int, out_channels: int, size: tuple[int, int]) -> "Model":
        """The model for pictures of `out_channels`, trained at `size` (height, width)."""
        from i2i.models import growing

        classes = max(1, len(self.classes)) if self.conditional else 0
        G = self.generator.build(out_channels, size, classes)
        D = self.discriminator.build(out_channels, size, classes)
        objective = self.objective.build()
        return growing.ProGAN(
            G,
            D,
            objective,
            growing.Growing(self.stage_images, G.growth.last),
            critic_steps=self.critic_steps,
            r1=self.penalty,
            sight=self.sight.build(objective),
        )

    def stages(self, size: tuple[int, int]) -> int:
        """How many stages there are to `size`."""
        from i2i.networks.settings.progan import doublings_of

        return doublings_of(size, "ProGAN")[1] + 1
