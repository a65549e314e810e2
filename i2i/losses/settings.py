"""The objectives by name, without torch."""

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from i2i.settings import Weight, settings

if TYPE_CHECKING:
    from i2i.losses import adversarial


@settings
class Vanilla:
    """Binary cross-entropy (Goodfellow et al. 2014)."""

    kind: Literal["vanilla"] = "vanilla"
    """pix2pix's objective."""

    def build(self) -> "adversarial.Objective":
        """The objective."""
        from i2i.losses import adversarial

        return adversarial.Vanilla()


@settings
class LeastSquares:
    """Least squares (LSGAN, Mao et al. 2017)."""

    kind: Literal["least-squares"] = "least-squares"
    """CycleGAN's objective."""

    def build(self) -> "adversarial.Objective":
        """The objective."""
        from i2i.losses import adversarial

        return adversarial.LeastSquares()


@settings
class Hinge:
    """Hinge loss (SAGAN, BigGAN)."""

    kind: Literal["hinge"] = "hinge"
    """D stops caring beyond a margin of 1."""

    def build(self) -> "adversarial.Objective":
        """The objective."""
        from i2i.losses import adversarial

        return adversarial.Hinge()


@settings
class WGANGP:
    """Wasserstein distance with gradient penalty (Gulrajani et al. 2017)."""

    kind: Literal["wgan-gp"] = "wgan-gp"
    """Wants a discriminator without batch norm, because the penalty is of single pictures."""

    lambda_penalty: Weight = 10.0
    """Weight of the gradient penalty."""

    def build(self) -> "adversarial.Objective":
        """The objective."""
        from i2i.losses import adversarial

        return adversarial.WGANGP(self.lambda_penalty)


Objective = Annotated[Vanilla | LeastSquares | Hinge | WGANGP, Field(discriminator="kind")]
