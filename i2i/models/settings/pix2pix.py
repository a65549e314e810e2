"""Pix2Pix, in settings."""

from typing import TYPE_CHECKING, Literal

from i2i.errors import SettingsError
from i2i.losses import settings as losses
from i2i.networks import settings as networks
from i2i.settings import Positive, Weight, settings

if TYPE_CHECKING:
    from i2i.game import Model


@settings
class Pix2Pix:
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

    lambda_r1: Weight = 0.0
    """Weight of D's squared gradient on real pictures (R1, Mescheder et al. 2018); wants a D without batch norm."""

    r1_every: Positive = 16
    """Rounds from one R1 penalty to the next; it is so many times as strong."""

    def build(self, in_channels: int, out_channels: int, size: tuple[int, int]) -> "Model":
        """The model for pictures of these channels, trained at `size` (height, width)."""
        from i2i.losses.penalties import LazyR1
        from i2i.losses.ssim import WINDOW
        from i2i.models import pix2pix

        if self.lambda_ssim and min(size) < WINDOW:
            raise SettingsError(
                f"size {'x'.join(map(str, size))}: SSIM compares windows of {WINDOW} x {WINDOW} pixels, so both sides "
                f"must be at least {WINDOW}. Choose a larger --size, or --model.lambda-ssim 0."
            )
        return pix2pix.Pix2Pix(
            self.generator.build(in_channels, out_channels, size),
            self.discriminator.build(in_channels + out_channels, size),
            self.objective.build(),
            self.lambda_l1,
            self.lambda_features,
            LazyR1(weight=self.lambda_r1, every=self.r1_every),
            self.lambda_ssim,
        )
