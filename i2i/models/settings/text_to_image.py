"""Text to image, in settings."""

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from i2i.losses import settings as losses
from i2i.models.settings.judged import Judged
from i2i.networks import settings as networks
from i2i.settings import Weight, settings

if TYPE_CHECKING:
    from i2i.game import Model


@settings
class TextToImage(Judged):
    """Text to image (Reed et al. 2016): pictures of what a caption says."""

    kind: Literal["text-to-image"] = "text-to-image"
    """Pictures with captions."""

    generator: networks.TextGenerator = networks.TextGenerator()
    """Noise and caption to picture."""

    discriminator: networks.TextDiscriminator = networks.TextDiscriminator()
    """Picture and caption to score."""

    objective: Annotated[
        losses.Vanilla | losses.LeastSquares | losses.Hinge | losses.WGAN | losses.WGANGP, Field(discriminator="kind")
    ] = losses.Vanilla()
    """What the two players make small; relativistic ones have no cost of a wrong pair alone."""

    lambda_interpolated: Weight = 0.0
    """Weight of pictures of what lies between two captions (GAN-INT, Eq. 5); 1 where captions are few."""

    def build(self, in_channels: int, out_channels: int, size: tuple[int, int]) -> "Model":
        """The model for pictures of `out_channels`, trained at `size` (height, width)."""
        from i2i.models import text_to_image

        objective = self.objective.build()
        return text_to_image.TextToImage(
            self.generator.build(out_channels, size),
            self.discriminator.build(out_channels, size, self.generator.text),
            objective,
            lambda_interpolated=self.lambda_interpolated,
            r1=self.penalty,
            sight=self.sight.build(objective),
        )
