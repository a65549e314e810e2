"""Discriminators that are autoencoders, and the generator that belongs to them."""

from typing import TYPE_CHECKING, Literal

from i2i.errors import SettingsError
from i2i.networks.settings.dcgan import dcgan_plan
from i2i.settings import Width, settings

if TYPE_CHECKING:
    from torch import nn

    from i2i.networks.sampler import Sampler


@settings
class StridedAutoencoder:
    """Autoencoder of EBGAN (Zhao et al. 2017), whose code is a small map."""

    kind: Literal["strided-autoencoder"] = "strided-autoencoder"
    """Three strided convolutions and back; squared errors."""

    width: Width = 64
    """Channels of the first layer; doubled at every halving of the side."""

    def build(self, in_channels: int, size: tuple[int, int], classes: int = 0) -> "nn.Module":
        """The network for square pictures of `size`."""
        from i2i.networks import autoencoder

        _refuse_classes(classes)
        _, halvings = dcgan_plan(size, "EBGAN's autoencoder")
        return autoencoder.strided(in_channels, width=self.width, halvings=min(3, halvings))


@settings
class DenseAutoencoder:
    """Autoencoder of BEGAN (Berthelot et al. 2017), whose code is a vector."""

    kind: Literal["dense-autoencoder"] = "dense-autoencoder"
    """Convolutions down to a vector and back; absolute errors."""

    width: Width = 64
    """Channels of the first layer; so many more at every halving of the side."""

    code: Width = 64
    """Length of the vector in the middle."""

    def build(self, in_channels: int, size: tuple[int, int], classes: int = 0) -> "nn.Module":
        """The network for square pictures of `size`."""
        from i2i.networks import began

        _refuse_classes(classes)
        first, doublings = dcgan_plan(size, "BEGAN's autoencoder")
        return began.autoencoder(in_channels, width=self.width, code=self.code, last=2 * first, halvings=doublings - 1)


@settings
class DecoderGenerator:
    """Generator of BEGAN: a decoder without norms (Berthelot et al. 2017, Fig. 1)."""

    kind: Literal["decoder"] = "decoder"
    """Convolutions with ELU, doubled by nearest neighbour."""

    width: Width = 64
    """Channels of every layer."""

    latent: Width = 64
    """Length of the noise vector z."""

    def build(self, out_channels: int, size: tuple[int, int], classes: int = 0) -> "Sampler":
        """The network for square pictures of `size`."""
        from i2i.networks import began

        first, doublings = dcgan_plan(size, "BEGAN's decoder")
        return began.Generator(
            out_channels,
            width=self.width,
            latent=self.latent,
            first=2 * first,
            doublings=doublings - 1,
            classes=classes,
        )


def _refuse_classes(classes: int) -> None:
    if classes:
        raise SettingsError(
            "model.conditional: an autoencoder as the discriminator looks at pictures alone, without labels. Leave it "
            "out, or use the recipe cgan, sagan or biggan."
        )
