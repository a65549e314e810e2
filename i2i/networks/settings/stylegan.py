"""StyleGAN2's networks."""

from typing import TYPE_CHECKING, Literal

from i2i.networks.settings.progan import doublings_of
from i2i.settings import Positive, Width, settings

if TYPE_CHECKING:
    from i2i.networks import stylegan, stylegan_discriminator


@settings
class StyleGANGenerator:
    """Generator of pictures from noise by way of styles (StyleGAN2, Karras et al. 2020)."""

    kind: Literal["stylegan"] = "stylegan"
    """Noise becomes a style, which weighs the channels of every layer."""

    width: Width = 64
    """Channels at full size; doubled at every halving of the side. The paper's are 512 up to 64 pixels."""

    most: Width = 512
    """Channels of the smaller maps, at most."""

    latent: Width = 512
    """Length of the noise vector z, and of a style."""

    mapping: Positive = 8
    """Layers from noise to style."""

    def build(self, out_channels: int, size: tuple[int, int], classes: int = 0) -> "stylegan.Generator":
        """The network for square pictures of `size`."""
        from i2i.networks import stylegan

        first, doublings = doublings_of(size, "StyleGAN")
        return stylegan.Generator(
            out_channels,
            width=self.width,
            most=self.most,
            latent=self.latent,
            mapping=self.mapping,
            first=first,
            doublings=doublings,
            classes=classes,
        )


@settings
class StyleGANDiscriminator:
    """Discriminator of whole pictures (StyleGAN2, Karras et al. 2020)."""

    kind: Literal["stylegan"] = "stylegan"
    """Residual blocks, and the deviation over the batch."""

    width: Width = 64
    """Channels at full size; doubled at every halving of the side."""

    most: Width = 512
    """Channels of the smaller maps, at most."""

    def build(
        self, in_channels: int, size: tuple[int, int], classes: int = 0
    ) -> "stylegan_discriminator.Discriminator":
        """The network for square pictures of `size`."""
        from i2i.networks import stylegan_discriminator

        last, halvings = doublings_of(size, "StyleGAN")
        return stylegan_discriminator.Discriminator(
            in_channels, width=self.width, most=self.most, last=last, halvings=halvings, classes=classes
        )
