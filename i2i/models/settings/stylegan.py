"""StyleGAN2, in settings."""

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from i2i.losses import settings as losses
from i2i.models.settings.judged import Judged
from i2i.networks import settings as networks
from i2i.settings import Positive, Weight, settings

if TYPE_CHECKING:
    from i2i.game import Model


@settings
class StyleGAN(Judged):
    """StyleGAN2 (Karras et al. 2020): pictures from noise by way of styles."""

    kind: Literal["stylegan"] = "stylegan"
    """One folder of pictures."""

    generator: networks.StyleGANGenerator = networks.StyleGANGenerator()
    """Noise to style to picture."""

    discriminator: networks.Judge = networks.StyleGANDiscriminator()
    """Picture to score."""

    objective: losses.Objective = losses.Vanilla()
    """What the two players make small."""

    mixing: Annotated[float, Field(ge=0, le=1)] = 0.9
    """Share of pictures of two styles, one for the coarse and one for the fine layers."""

    lambda_path: Weight = 2.0
    """Weight of path length regularisation (Eq. 4)."""

    path_every: Positive = 8
    """Rounds from one path length to the next; it is so many times as strong."""

    lambda_r1: Weight = 0.025
    """gamma, the weight of R1. The code's rule is 0.0002 pixels / batch size: 0.0064 at 32 pixels and batches of 32,
    0.025 at 64, 0.1 at 128."""

    conditional: bool = False
    """Tell G and D which class folder a picture lies in."""

    classes: tuple[str, ...] = ()
    """Names of the classes where it is conditional: those of the class folders, sorted; a run reads them there."""

    def build(self, in_channels: int, out_channels: int, size: tuple[int, int]) -> "Model":
        """The model for pictures of `out_channels`, trained at `size` (height, width)."""
        from i2i.losses.path_length import PathLength
        from i2i.models import stylegan

        classes = max(1, len(self.classes)) if self.conditional else 0
        objective = self.objective.build()
        return stylegan.StyleGAN(
            self.generator.build(out_channels, size, classes),
            self.discriminator.build(out_channels, size, classes),
            objective,
            mixing=self.mixing,
            path=PathLength(self.lambda_path, self.path_every),
            r1=self.penalty,
            sight=self.sight.build(objective),
        )
