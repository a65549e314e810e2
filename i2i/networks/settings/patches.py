"""Discriminators of patches: a score for every part of a picture."""

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from i2i.errors import SettingsError
from i2i.settings import Norm, Width, settings

if TYPE_CHECKING:
    from torch import nn


@settings
class PatchGAN:
    """Patch discriminator (pix2pix, Sec. 3.2.2)."""

    kind: Literal["patchgan"] = "patchgan"
    """Scores overlapping patches."""

    width: Width = 64
    """Channels of the first layer."""

    layers: Annotated[int, Field(ge=1, le=8)] = 3
    """Halvings before the last two layers: 1 sees patches of 16 pixels, 2 of 34, 3 of 70, 4 of 142, 5 of 286."""

    norm: Norm = "batch"
    """Normalisation: batch (pix2pix), instance (CycleGAN), none."""

    spectral_norm: bool = False
    """Divide every weight by its largest singular value (Miyato et al. 2018)."""

    def build(self, in_channels: int, size: tuple[int, int]) -> "nn.Module":
        """The network; `size` must leave at least one patch."""
        from i2i.networks import patchgan

        if min(size) // 2**self.layers < 4:
            raise SettingsError(
                f"size {'x'.join(map(str, size))}: a PatchGAN of {self.layers} layers needs {4 * 2**self.layers} "
                f"pixels or more to score one patch. Use --model.discriminator.layers "
                f"{max(1, self.layers - 1)} or a larger --size."
            )
        return patchgan.PatchGAN(
            in_channels, width=self.width, layers=self.layers, norm=self.norm, spectral_norm=self.spectral_norm
        )


@settings
class PixelGAN:
    """Discriminator of single pixels (pix2pix, Sec. 3.4: the 1 x 1 "PixelGAN")."""

    kind: Literal["pixelgan"] = "pixelgan"
    """Scores every pixel by itself."""

    width: Width = 64
    """Channels of the first layer."""

    norm: Norm = "batch"
    """Normalisation: batch (pix2pix), instance (CycleGAN), none."""

    spectral_norm: bool = False
    """Divide every weight by its largest singular value (Miyato et al. 2018)."""

    def build(self, in_channels: int, size: tuple[int, int]) -> "nn.Module":
        """The network; any size will do."""
        from i2i.networks import patchgan

        return patchgan.PixelGAN(in_channels, width=self.width, norm=self.norm, spectral_norm=self.spectral_norm)


@settings
class MultiScale:
    """Patch discriminators of a picture at several sizes (pix2pixHD, Wang et al. 2018, Sec. 3.2)."""

    kind: Literal["multi-scale"] = "multi-scale"
    """A PatchGAN for each scale."""

    scales: Annotated[int, Field(ge=1, le=8)] = 3
    """How many: each looks at half the size of the one before."""

    width: Width = 64
    """Channels of the first layer."""

    layers: Annotated[int, Field(ge=1, le=8)] = 3
    """Halvings before the last two layers: 1 sees patches of 16 pixels of its scale, 2 of 34, 3 of 70, 4 of 142."""

    norm: Norm = "instance"
    """Normalisation: instance (pix2pixHD), batch, none."""

    spectral_norm: bool = False
    """Divide every weight by its largest singular value (Miyato et al. 2018)."""

    def build(self, in_channels: int, size: tuple[int, int]) -> "nn.Module":
        """The network; `size` must leave at least one patch at the smallest scale."""
        from i2i.networks import multiscale, patchgan

        fits = (min(size) // (4 * 2**self.layers)).bit_length()
        if self.scales > fits:
            raise SettingsError(
                f"size {'x'.join(map(str, size))}: {self.scales} scales of PatchGANs of {self.layers} layers need "
                f"{4 * 2 ** (self.layers + self.scales - 1)} pixels or more, so that the smallest scores one patch. "
                f"Use --model.discriminator.scales {max(1, fits)}, fewer --model.discriminator.layers or a larger "
                f"--size."
            )
        return multiscale.MultiScale(
            [
                patchgan.PatchGAN(
                    in_channels, width=self.width, layers=self.layers, norm=self.norm, spectral_norm=self.spectral_norm
                )
                for _ in range(self.scales)
            ]
        )
