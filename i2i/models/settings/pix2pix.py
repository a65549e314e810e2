"""Pix2Pix, in settings."""

from typing import TYPE_CHECKING, Literal

from i2i.errors import SettingsError
from i2i.losses import settings as losses
from i2i.models.settings.judged import Judged
from i2i.networks import settings as networks
from i2i.settings import Weight, settings

if TYPE_CHECKING:
    from i2i.game import Model


@settings
class Pix2Pix(Judged):
    """Pix2Pix (Isola et al. 2017): a translator taught by pairs."""

    kind: Literal["pix2pix"] = "pix2pix"
    """Pairs: each source picture has its target."""

    generator: networks.Generator = networks.UNet()
    """Source to target."""

    discriminator: networks.Discriminator = networks.PatchGAN()
    """Sees the source beside its target."""

    objective: losses.Objective = losses.Vanilla()
    """What the two players make small."""

    lambda_l1: Weight = 100.0
    """Weight of the distance to the target (Eq. 4)."""

    lambda_ssim: Weight = 0.0
    """Weight of 1 - SSIM, a distance of structure (Zhao et al. 2017); the paper has none."""

    lambda_features: Weight = 0.0
    """Weight of the distance between what D's layers make of fake and target (pix2pixHD: 10); the paper has none."""

    def build(self, in_channels: int, out_channels: int, size: tuple[int, int]) -> "Model":
        """The model for pictures of these channels, trained at `size` (height, width)."""
        from i2i.losses.ssim import WINDOW
        from i2i.models import pix2pix

        if self.lambda_ssim and min(size) < WINDOW:
            raise SettingsError(
                f"size {'x'.join(map(str, size))}: SSIM compares windows of {WINDOW} x {WINDOW} pixels, so both sides "
                f"must be at least {WINDOW}. Choose a larger --size, or --model.lambda-ssim 0."
            )
        objective = self.objective.build()
        return pix2pix.Pix2Pix(
            self.generator.build(in_channels, out_channels, size),
            self.discriminator.build(in_channels + out_channels, size),
            objective,
            self.lambda_l1,
            self.lambda_features,
            self.penalty,
            self.lambda_ssim,
            self.sight.build(objective),
        )
