"""CAN, in settings: every field is a flag, and its docstring the flag's help."""

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from i2i.settings import Width, settings

if TYPE_CHECKING:
    from torch import nn


@settings
class CAN:
    """Context aggregation network (Chen et al. 2017)."""

    kind: Literal["can"] = "can"
    """Full size throughout, each layer sees twice as far."""

    width: Width = 24
    """Channels of every layer."""

    layers: Annotated[int, Field(ge=1, le=10)] = 7
    """Layers: 7 see 255 pixels."""

    def build(self, in_channels: int, out_channels: int, size: tuple[int, int]) -> "nn.Module":
        """The network. What it imports is imported here: `i2i --help` loads no torch."""
        from i2i.networks import can

        return can.CAN(in_channels, out_channels, width=self.width, layers=self.layers)
