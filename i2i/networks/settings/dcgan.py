"""DCGAN's generator of pictures from noise, and its discriminator."""

from typing import TYPE_CHECKING, Literal

from i2i.errors import SettingsError
from i2i.settings import Norm, Upsample, Width, settings

if TYPE_CHECKING:
    from torch import nn

    from i2i.networks.sampler import Sampler


@settings
class DCGANGenerator:
    """Generator of pictures from noise (DCGAN, Fig. 1)."""

    kind: Literal["dcgan"] = "dcgan"
    """Transposed convolutions from one noise vector."""

    width: Width = 128
    """Channels of the last hidden layer; doubled at every halving of the side."""

    latent: Width = 100
    """Length of the noise vector z."""

    upsample: Upsample = "transpose"
    """transpose (the paper's), resize (nearest) or bilinear, then a convolution: no checkerboard; or shuffle."""

    def build(self, out_channels: int, size: tuple[int, int], classes: int = 0) -> "Sampler":
        """The network for square pictures of `size`."""
        from i2i.networks import dcgan

        first, doublings = dcgan_plan(size)
        return dcgan.Generator(
            out_channels,
            width=self.width,
            latent=self.latent,
            first=first,
            doublings=doublings,
            upsample=self.upsample,
            classes=classes,
        )


@settings
class DCGANDiscriminator:
    """Discriminator of whole pictures (DCGAN, Sec. 3)."""

    kind: Literal["dcgan"] = "dcgan"
    """Strided convolutions to one score."""

    width: Width = 64
    """Channels of the first layer; doubled at every halving of the side."""

    norm: Norm = "batch"
    """Normalisation: batch (the paper's), instance, none."""

    spectral_norm: bool = False
    """Divide every weight by its largest singular value (Miyato et al. 2018)."""

    def build(self, in_channels: int, size: tuple[int, int], classes: int = 0) -> "nn.Module":
        """The network for square pictures of `size`."""
        from i2i.networks import dcgan

        first, halvings = dcgan_plan(size)
        return dcgan.Discriminator(
            in_channels,
            width=self.width,
            last=first,
            halvings=halvings,
            norm=self.norm,
            spectral_norm=self.spectral_norm,
            classes=classes,
        )


def dcgan_plan(size: tuple[int, int], network: str = "DCGAN") -> tuple[int, int]:
    """(side of the smallest map, number of doublings): 28 is 7 doubled twice, 32, 64 and 128 are 4 doubled.

    Raises SettingsError, in which the `network` is called so, for any other size.
    """
    height, width = size
    first, doublings = height, 0
    while first % 2 == 0 and first > 7:
        first, doublings = first // 2, doublings + 1
    if height != width or not 4 <= first <= 7 or not 2 <= doublings <= 8:
        raise SettingsError(
            f"size {height}x{width}: {network} grows a square of 4 to 7 pixels by doubling, so the size is a square of "
            f"28, 32, 64, 96 or 128 pixels (4, 5, 6 or 7 times a power of two). Set it with --size."
        )
    return first, doublings
