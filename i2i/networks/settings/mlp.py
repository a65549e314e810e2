"""Fully connected networks: the first GAN's generator of pictures from noise, and its discriminator."""

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from i2i.settings import Width, settings

if TYPE_CHECKING:
    from torch import nn

    from i2i.networks.sampler import Sampler

Layers = Annotated[int, Field(ge=1, le=16)]


@settings
class MLPGenerator:
    """Fully connected generator of pictures from noise (Goodfellow et al. 2014, Sec. 5)."""

    kind: Literal["mlp"] = "mlp"
    """Hidden layers of ReLU: for pictures of some 28 or 32 pixels."""

    width: Width = 1200
    """Units of a hidden layer."""

    layers: Layers = 2
    """Hidden layers."""

    latent: Width = 100
    """Length of the noise vector z."""

    def build(self, out_channels: int, size: tuple[int, int], classes: int = 0) -> "Sampler":
        """The network for pictures of `size` (height, width)."""
        from i2i.networks import mlp

        return mlp.Generator(
            (out_channels, *size), width=self.width, layers=self.layers, latent=self.latent, classes=classes
        )


@settings
class MLPDiscriminator:
    """Fully connected discriminator of whole pictures (Goodfellow et al. 2014, Sec. 5)."""

    kind: Literal["mlp"] = "mlp"
    """Hidden layers of LeakyReLU to one score; the paper's are maxout."""

    width: Width = 512
    """Units of a hidden layer."""

    layers: Layers = 2
    """Hidden layers."""

    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.5
    """Share of hidden units that are left out while training (the paper's D has it, too)."""

    def build(self, in_channels: int, size: tuple[int, int], classes: int = 0) -> "nn.Module":
        """The network for pictures of `size` (height, width)."""
        from i2i.networks import mlp

        return mlp.Discriminator(
            (in_channels, *size), width=self.width, layers=self.layers, dropout=self.dropout, classes=classes
        )
