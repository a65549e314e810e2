"""What a network is made of, without torch: the choices, their defaults from the papers, and `build()`."""

from typing import Annotated

from pydantic import Field

from i2i.networks.settings.autoencoder import DecoderGenerator, DenseAutoencoder, StridedAutoencoder
from i2i.networks.settings.dcgan import DCGANDiscriminator, DCGANGenerator
from i2i.networks.settings.mlp import MLPDiscriminator, MLPGenerator
from i2i.networks.settings.patches import MultiScale, PatchGAN, PixelGAN
from i2i.networks.settings.progan import ProGANDiscriminator, ProGANGenerator
from i2i.networks.settings.residual_gan import ResidualDiscriminator, ResidualGenerator
from i2i.networks.settings.stylegan import StyleGANDiscriminator, StyleGANGenerator
from i2i.networks.settings.super_resolution import SRResNet
from i2i.networks.settings.text import TextDiscriminator, TextGenerator
from i2i.networks.settings.translators import ResNet, UNet, check_unet_size, unet_depth

Generator = Annotated[UNet | ResNet | SRResNet, Field(discriminator="kind")]
"""Translates a picture."""
Discriminator = Annotated[PatchGAN | PixelGAN | MultiScale, Field(discriminator="kind")]
"""Judges the patches of a picture, or of a source beside its target."""

Sampler = Annotated[
    DCGANGenerator | MLPGenerator | ResidualGenerator | DecoderGenerator | ProGANGenerator | StyleGANGenerator,
    Field(discriminator="kind"),
]
"""Makes pictures from noise."""
AnySampler = Annotated[
    DCGANGenerator
    | MLPGenerator
    | ResidualGenerator
    | DecoderGenerator
    | ProGANGenerator
    | StyleGANGenerator
    | TextGenerator,
    Field(discriminator="kind"),
]
"""Makes pictures from noise, or from noise and a caption."""
Judge = Annotated[
    DCGANDiscriminator
    | MLPDiscriminator
    | ResidualDiscriminator
    | StridedAutoencoder
    | DenseAutoencoder
    | ProGANDiscriminator
    | StyleGANDiscriminator,
    Field(discriminator="kind"),
]
"""Judges whole pictures."""

__all__ = [
    "AnySampler",
    "DCGANDiscriminator",
    "DCGANGenerator",
    "DecoderGenerator",
    "DenseAutoencoder",
    "Discriminator",
    "Generator",
    "Judge",
    "MLPDiscriminator",
    "MLPGenerator",
    "MultiScale",
    "PatchGAN",
    "PixelGAN",
    "ProGANDiscriminator",
    "ProGANGenerator",
    "ResNet",
    "ResidualDiscriminator",
    "ResidualGenerator",
    "SRResNet",
    "Sampler",
    "StridedAutoencoder",
    "StyleGANDiscriminator",
    "StyleGANGenerator",
    "TextDiscriminator",
    "TextGenerator",
    "UNet",
    "check_unet_size",
    "unet_depth",
]
