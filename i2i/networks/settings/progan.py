"""ProGAN's networks, which grow."""

from typing import TYPE_CHECKING, Literal

from i2i.errors import SettingsError
from i2i.settings import Width, settings

if TYPE_CHECKING:
    from i2i.networks import progan


@settings
class ProGANGenerator:
    """Generator of pictures from noise that grows (ProGAN, Karras et al. 2018)."""

    kind: Literal["progan"] = "progan"
    """A block for every doubling of the side."""

    width: Width = 64
    """Channels at full size; doubled at every halving of the side. The paper's are 512 at 32 pixels, 256 at 64."""

    most: Width = 512
    """Channels of the smaller maps, at most."""

    latent: Width = 512
    """Length of the noise vector z."""

    def build(self, out_channels: int, size: tuple[int, int], classes: int = 0) -> "progan.Generator":
        """The network for square pictures of `size`, grown up."""
        from i2i.networks import progan

        first, doublings = doublings_of(size, "ProGAN")
        return progan.Generator(
            out_channels,
            width=self.width,
            most=self.most,
            latent=self.latent,
            first=first,
            doublings=doublings,
            classes=classes,
        )


@settings
class ProGANDiscriminator:
    """Discriminator of whole pictures that grows (ProGAN, Karras et al. 2018)."""

    kind: Literal["progan"] = "progan"
    """A block for every halving of the side."""

    width: Width = 64
    """Channels at full size; doubled at every halving of the side."""

    most: Width = 512
    """Channels of the smaller maps, at most."""

    def build(self, in_channels: int, size: tuple[int, int], classes: int = 0) -> "progan.Discriminator":
        """The network for square pictures of `size`, grown up."""
        from i2i.networks import progan

        last, halvings = doublings_of(size, "ProGAN")
        return progan.Discriminator(
            in_channels, width=self.width, most=self.most, last=last, halvings=halvings, classes=classes
        )


def doublings_of(size: tuple[int, int], what: str) -> tuple[int, int]:
    """(side of the smallest map, number of doublings): 28 is 7 doubled twice, 32 is 4 doubled three times.

    Raises SettingsError where doubling cannot reach `size`.
    """
    height, width = size
    first, doublings = height, 0
    while first % 2 == 0 and first > 7:
        first, doublings = first // 2, doublings + 1
    if height != width or not 4 <= first <= 7 or not 1 <= doublings <= 8:
        near = 2 ** max(3, min(10, round(height * width).bit_length() // 2))
        raise SettingsError(
            f"size {height}x{width}: {what} grows a square of 4 to 7 pixels by doubling it, which never makes that. "
            f"Give a square of 4, 5, 6 or 7 times a power of two, such as --size {near}."
        )
    return first, doublings
