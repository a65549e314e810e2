"""A generator that enlarges."""

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from i2i.errors import SettingsError
from i2i.settings import Norm, Width, settings

if TYPE_CHECKING:
    from torch import nn


@settings
class SRResNet:
    """Residual generator of super-resolution (SRGAN, Ledig et al. 2017)."""

    kind: Literal["srresnet"] = "srresnet"
    """Residual blocks on the small picture, which grows at the end."""

    width: Width = 64
    """Channels of every layer."""

    blocks: Annotated[int, Field(ge=0, le=256)] = 16
    """Residual blocks."""

    norm: Norm = "batch"
    """Normalisation: batch (the paper's), instance, none (EDSR, Lim et al. 2017: no change of contrast)."""

    residual: bool = False
    """Add the source, enlarged bilinearly, to what is made: the difference is learnt (VDSR, Kim et al. 2016)."""

    scale: Literal[0, 1, 2, 4] = 0
    """Times that both sides grow; 0 follows from the task."""

    def build(self, in_channels: int, out_channels: int, size: tuple[int, int]) -> "nn.Module":
        """The network, whose results have `size` (height, width) while it is trained."""
        from i2i.networks import super_resolution

        scale = self.scale or 1
        if any(side % scale or side < 8 * scale for side in size):
            found, near = (
                "x".join(dict.fromkeys(map(str, sides)))
                for sides in (size, [max(8 * scale, round(side / scale) * scale) for side in size])
            )
            raise SettingsError(
                f"size {found}: results of x{scale} have sides that are multiples of {scale} and at least {8 * scale}. "
                f"The nearest is --size {near}."
            )
        if self.residual and in_channels != out_channels:
            raise SettingsError(
                f"model.generator.residual: adds the source to the result, but they have {in_channels} and "
                f"{out_channels} channels. Leave it out."
            )
        return super_resolution.SRResNet(
            in_channels,
            out_channels,
            width=self.width,
            blocks=self.blocks,
            norm=self.norm,
            scale=scale,
            residual=self.residual,
        )
