"""What a network is made of, without torch: the choices, their defaults from the papers, and `build()`."""

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from i2i.errors import SettingsError
from i2i.settings import Downsample, Norm, Upsample, settings

if TYPE_CHECKING:
    from torch import nn

Width = Annotated[int, Field(gt=0, le=4096)]
"""Channels: at 4096 the paper's U-Net has 200 billion weights, and what claims more is no network but an attack."""


@settings
class UNet:
    """U-Net generator (pix2pix, Sec. 6.1.1)."""

    kind: Literal["unet"] = "unet"
    """An encoder and a decoder with skip connections."""

    width: Width = 64
    """Channels of the first layer."""

    depth: Annotated[int, Field(ge=0, le=12)] = 0
    """Times the picture is halved; 0 follows from the size: 8 at 256 pixels, 7 at 128."""

    norm: Norm = "batch"
    """Normalisation: batch (the paper's), instance, none."""

    dropout: bool = True
    """Dropout of one half in the middle of the decoder while training."""

    upsample: Upsample = "transpose"
    """transpose (the paper's), resize (nearest) or bilinear, then a convolution: no checkerboard; or shuffle."""

    def build(self, in_channels: int, out_channels: int, size: tuple[int, int]) -> "nn.Module":
        """The network, its depth chosen for `size` (height, width) where it is not set."""
        from i2i.networks import unet

        depth = self.depth or unet_depth(size)
        check_unet_size(size, depth)
        return unet.UNet(
            in_channels,
            out_channels,
            width=self.width,
            depth=depth,
            norm=self.norm,
            dropout=self.dropout,
            upsample=self.upsample,
        )


def unet_depth(size: tuple[int, int]) -> int:
    """How often both sides can be halved, at most 8 times: 8 at 256, 7 at 128, 8 at 256 x 512."""
    depth = 0
    while depth < 8 and all(side % 2 ** (depth + 1) == 0 for side in size):
        depth += 1
    return depth


def check_unet_size(size: tuple[int, int], depth: int) -> None:
    """Refuse a size that the U-Net cannot halve `depth` times, or can halve too rarely to see a picture."""
    if depth < 4 or any(side % 2**depth for side in size):
        multiple = 2 ** max(depth, 5)
        near = "x".join(str(max(multiple, round(side / multiple) * multiple)) for side in size)
        found = "x".join(map(str, size))
        raise SettingsError(
            f"size {found}: a U-Net of depth {depth or 'auto'} halves the picture {max(depth, 4)} times or more, so "
            f"both sides must be multiples of {multiple}. The nearest is --size {near}; the generator 'resnet' takes "
            f"any multiple of 4."
        )


@settings
class ResNet:
    """Residual generator (CycleGAN, Sec. 7.2, after Johnson et al. 2016)."""

    kind: Literal["resnet"] = "resnet"
    """Two halvings, residual blocks, two doublings."""

    width: Width = 64
    """Channels of the first layer."""

    blocks: Annotated[int, Field(ge=0, le=256)] = 9
    """Residual blocks: 9 at 256 pixels, 6 at 128 in the paper."""

    norm: Norm = "instance"
    """Normalisation: instance (the paper's), batch, none."""

    dropout: bool = False
    """Dropout of one half inside the residual blocks while training."""

    downsample: Downsample = "stride"
    """stride (the paper's), blur (convolve at full size, blur, then halve: anti-aliased, as in CUT)."""

    upsample: Upsample = "transpose"
    """transpose (the paper's), resize (nearest) or bilinear, then a convolution: no checkerboard; or shuffle."""

    checkpoint: bool = False
    """Compute activations again for the gradient instead of keeping them: a third of the memory, a third more time."""

    def build(self, in_channels: int, out_channels: int, size: tuple[int, int]) -> "nn.Module":
        """The network; both sides of `size` must be multiples of 4."""
        from i2i.networks import resnet

        if any(side % 4 or side < 8 for side in size):
            near = "x".join(str(max(8, round(side / 4) * 4)) for side in size)
            raise SettingsError(
                f"size {'x'.join(map(str, size))}: a ResNet generator needs sides that are multiples of 4 and at least "
                f"8. The nearest is --size {near}."
            )
        return resnet.ResNet(
            in_channels,
            out_channels,
            width=self.width,
            blocks=self.blocks,
            norm=self.norm,
            dropout=self.dropout,
            downsample=self.downsample,
            upsample=self.upsample,
            checkpoint=self.checkpoint,
        )


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


Generator = Annotated[UNet | ResNet, Field(discriminator="kind")]
Discriminator = Annotated[PatchGAN | PixelGAN | MultiScale, Field(discriminator="kind")]


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

    def build(self, out_channels: int, size: tuple[int, int]) -> "nn.Module":
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

    def build(self, in_channels: int, size: tuple[int, int]) -> "nn.Module":
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
        )


def dcgan_plan(size: tuple[int, int]) -> tuple[int, int]:
    """(side of the smallest map, number of doublings): 28 is 7 doubled twice, 32, 64 and 128 are 4 doubled."""
    height, width = size
    first, doublings = height, 0
    while first % 2 == 0 and first > 7:
        first, doublings = first // 2, doublings + 1
    if height != width or not 4 <= first <= 7 or not 2 <= doublings <= 8:
        raise SettingsError(
            f"size {height}x{width}: DCGAN grows a square of 4 to 7 pixels by doubling, so the size is a square of "
            f"28, 32, 64, 96 or 128 pixels (4, 5, 6 or 7 times a power of two). Set it with --size."
        )
    return first, doublings
