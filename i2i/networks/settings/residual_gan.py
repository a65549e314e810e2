"""The residual networks of SAGAN and BigGAN."""

from typing import TYPE_CHECKING, Literal

from i2i.errors import SettingsError
from i2i.networks.settings.dcgan import dcgan_plan
from i2i.settings import Count, Width, settings

if TYPE_CHECKING:
    from torch import nn

    from i2i.networks.sampler import Sampler

Attention = Literal["half"] | Count


@settings
class ResidualGenerator:
    """Residual generator of pictures from noise, with self-attention (SAGAN, Zhang et al. 2019; BigGAN)."""

    kind: Literal["residual"] = "residual"
    """Residual blocks that double a small map; labels scale and shift their norms."""

    width: Width = 64
    """Channels of the last hidden layer; doubled at every halving of the side."""

    latent: Width = 128
    """Length of the noise vector z."""

    attention: Attention = "half"
    """Side of the map that attends to itself: half the picture's, a number, or 0 for none."""

    spectral_norm: bool = True
    """Divide every weight by its largest singular value (SAGAN, Sec. 4.1: in G too)."""

    embedding: Count = 0
    """Length of a label's vector that all blocks share (BigGAN: 128); 0: each norm has a table of its own (SAGAN)."""

    skip_z: bool = False
    """Give every block a part of the noise beside the label (BigGAN)."""

    def build(self, out_channels: int, size: tuple[int, int], classes: int = 0) -> "Sampler":
        """The network for square pictures of `size`."""
        from i2i.networks import residual_gan

        first, doublings = dcgan_plan(size, "a residual network from noise")
        if self.skip_z and self.latent <= doublings:
            raise SettingsError(
                f"model.generator.latent {self.latent}: at {size[0]} pixels the noise is cut into {doublings + 1} "
                f"parts, one for each of {doublings} blocks and the map before them, so it needs as many numbers."
            )
        return residual_gan.Generator(
            out_channels,
            width=self.width,
            latent=self.latent,
            first=first,
            doublings=doublings,
            attention=attending(self.attention, first, doublings, "generator"),
            spectral_norm=self.spectral_norm,
            embedding=self.embedding,
            skip_z=self.skip_z,
            classes=classes,
        )


@settings
class ResidualDiscriminator:
    """Residual discriminator with self-attention, labels by projection (SAGAN; Miyato & Koyama 2018)."""

    kind: Literal["residual"] = "residual"
    """Residual blocks to one score, without batch norm."""

    width: Width = 64
    """Channels of the first block; doubled at every halving of the side."""

    attention: Attention = "half"
    """Side of the map that attends to itself: half the picture's, a number, or 0 for none."""

    spectral_norm: bool = True
    """Divide every weight by its largest singular value (Miyato et al. 2018)."""

    def build(self, in_channels: int, size: tuple[int, int], classes: int = 0) -> "nn.Module":
        """The network for square pictures of `size`."""
        from i2i.networks import residual_gan

        last, halvings = dcgan_plan(size, "a residual network from noise")
        return residual_gan.Discriminator(
            in_channels,
            width=self.width,
            last=last,
            halvings=halvings,
            attention=attending(self.attention, last, halvings, "discriminator"),
            spectral_norm=self.spectral_norm,
            classes=classes,
        )


def attending(attention: Attention, first: int, doublings: int, player: str) -> int:
    """Side of the map that attends to itself, 0 for none."""
    # A map of the picture's own size is no map of the discriminator's.
    sides = [first * 2**level for level in range(1, doublings)]
    side = sides[-1] if attention == "half" else attention
    if side and side not in sides:
        known = " or ".join(map(str, sides))
        raise SettingsError(
            f"model.{player}.attention {side}: at {first * 2**doublings} pixels there are maps of {known}. Choose one "
            f"of them, or 0 for no attention."
        )
    return side
