"""SimGAN, in settings."""

from typing import TYPE_CHECKING, Literal

from i2i.losses import settings as losses
from i2i.networks import settings as networks
from i2i.settings import Weight, settings

if TYPE_CHECKING:
    from i2i.game import Model


@settings
class SimGAN:
    """SimGAN (Shrivastava et al. 2017): refines drawn pictures until they look real."""

    kind: Literal["simgan"] = "simgan"
    """Two folders without pairs: A drawn, B real."""

    generator: networks.Generator = networks.ResNet(blocks=4)
    """Refines."""

    discriminator: networks.Discriminator = networks.PatchGAN(norm="instance")
    """Sees refined and real pictures."""

    objective: losses.Objective = losses.Vanilla()
    """What the two players make small."""

    lambda_self: Weight = 10.0
    """Weight of leaving a picture as it is."""

    def build(self, in_channels: int, out_channels: int, size: tuple[int, int]) -> "Model":
        """The model for domains of these channels, trained at `size` (height, width)."""
        from i2i.models import simgan

        return simgan.SimGAN(
            self.generator.build(in_channels, out_channels, size),
            self.discriminator.build(out_channels, size),
            self.objective.build(),
            self.lambda_self,
        )
