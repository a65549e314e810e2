"""Pictures from noise, in settings."""

from typing import TYPE_CHECKING, Literal

from i2i.losses import settings as losses
from i2i.networks import settings as networks
from i2i.settings import settings

if TYPE_CHECKING:
    from i2i.game import Model


@settings
class DCGAN:
    """DCGAN (Radford et al. 2016): pictures from noise, learnt from one folder."""

    kind: Literal["dcgan"] = "dcgan"
    """One folder of pictures."""

    generator: networks.DCGANGenerator = networks.DCGANGenerator()
    """Noise to picture."""

    discriminator: networks.DCGANDiscriminator = networks.DCGANDiscriminator()
    """Picture to score."""

    objective: losses.Objective = losses.Vanilla()
    """What the two players make small."""

    def build(self, in_channels: int, out_channels: int, size: tuple[int, int]) -> "Model":
        """The model for pictures of `out_channels`, trained at `size` (height, width)."""
        from i2i.models import dcgan
        from i2i.networks.dcgan import Generator

        generator = self.generator.build(out_channels, size)
        assert isinstance(generator, Generator)
        return dcgan.DCGAN(generator, self.discriminator.build(out_channels, size), self.objective.build())
