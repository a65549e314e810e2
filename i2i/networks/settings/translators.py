"""Generators that translate: a U-Net and a ResNet."""

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from i2i.errors import SettingsError
from i2i.settings import Downsample, Norm, Upsample, Width, settings

if TYPE_CHECKING:
    from torch import nn


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

    mask: bool = False
    """Make a mask as well, and leave the source where it is 0 (AttentionGAN, Tang et al. 2019): keeps what is there."""

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
        if self.mask and in_channels != out_channels:
            raise SettingsError(
                f"model.generator.mask: leaves the source where it is 0, but source and result have {in_channels} and "
                f"{out_channels} channels. Leave it out."
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
            mask=self.mask,
            checkpoint=self.checkpoint,
        )
