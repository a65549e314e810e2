"""The generator and the discriminator of text to image."""

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from i2i.networks.settings.dcgan import dcgan_plan
from i2i.settings import Count, Norm, Upsample, Width, settings

if TYPE_CHECKING:
    from torch import nn

    from i2i.networks.sampler import Sampler

LONGEST = 1 << 16
"""Numbers of a caption's vector, beyond which it is none."""


@settings
class TextGenerator:
    """Generator of pictures from noise and a caption (Reed et al. 2016, Fig. 2)."""

    kind: Literal["text"] = "text"
    """DCGAN's, with a caption beside the noise."""

    width: Width = 128
    """Channels of the last hidden layer; doubled at every halving of the side."""

    latent: Width = 100
    """Length of the noise vector z."""

    described: Width = 128
    """Numbers that a caption is brought to."""

    upsample: Upsample = "transpose"
    """transpose (the paper's), resize (nearest) or bilinear, then a convolution: no checkerboard; or shuffle."""

    text: Annotated[Count, Field(le=LONGEST)] = 0
    """Length of the vector of a caption; 0: what follows from the captions."""

    def build(self, out_channels: int, size: tuple[int, int], classes: int = 0) -> "Sampler":
        """The network for square pictures of `size`; it knows captions and no classes."""
        from i2i.networks import text

        first, doublings = dcgan_plan(size)
        return text.Generator(
            out_channels,
            text=max(1, self.text),
            described=self.described,
            width=self.width,
            latent=self.latent,
            first=first,
            doublings=doublings,
            upsample=self.upsample,
        )


@settings
class TextDiscriminator:
    """Discriminator of pictures and their captions (Reed et al. 2016, Fig. 2)."""

    kind: Literal["text"] = "text"
    """DCGAN's, with a caption beside its smallest map."""

    width: Width = 64
    """Channels of the first layer; doubled at every halving of the side."""

    described: Width = 128
    """Numbers that a caption is brought to."""

    norm: Norm = "batch"
    """Normalisation: batch (the paper's), instance, none."""

    spectral_norm: bool = False
    """Divide every weight by its largest singular value (Miyato et al. 2018)."""

    def build(self, in_channels: int, size: tuple[int, int], text: int) -> "nn.Module":
        """The network for square pictures of `size`, and captions of so many numbers."""
        from i2i.networks import text as networks

        first, halvings = dcgan_plan(size)
        return networks.Discriminator(
            in_channels,
            text=max(1, text),
            described=self.described,
            width=self.width,
            last=first,
            halvings=halvings,
            norm=self.norm,
            spectral_norm=self.spectral_norm,
        )
