"""What a network is made of, without torch: the choices, their defaults from the papers, and `build()`."""

from typing import Annotated

from pydantic import Field

from i2i.networks.settings.dcgan import DCGANDiscriminator, DCGANGenerator
from i2i.networks.settings.patches import MultiScale, PatchGAN, PixelGAN
from i2i.networks.settings.super_resolution import SRResNet
from i2i.networks.settings.translators import ResNet, UNet, check_unet_size, unet_depth

Generator = Annotated[UNet | ResNet | SRResNet, Field(discriminator="kind")]
"""Translates a picture."""
Discriminator = Annotated[PatchGAN | PixelGAN | MultiScale, Field(discriminator="kind")]
"""Judges the patches of a picture, or of a source beside its target."""

Sampler = DCGANGenerator
"""Makes pictures from noise."""
Judge = DCGANDiscriminator
"""Judges whole pictures."""

__all__ = [
    "DCGANDiscriminator",
    "DCGANGenerator",
    "Discriminator",
    "Generator",
    "Judge",
    "MultiScale",
    "PatchGAN",
    "PixelGAN",
    "ResNet",
    "SRResNet",
    "Sampler",
    "UNet",
    "check_unet_size",
    "unet_depth",
]
