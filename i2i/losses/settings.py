"""The objectives by name, without torch."""

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from i2i.settings import Weight, settings

if TYPE_CHECKING:
    from i2i.losses import adversarial

Smoothing = Annotated[float, Field(ge=0, lt=0.5)]


@settings
class Vanilla:
    """Binary cross-entropy (Goodfellow et al. 2014)."""

    kind: Literal["vanilla"] = "vanilla"
    """pix2pix's objective."""

    saturating: bool = False
    """G lowers log(1 - D), the minimax form of Eq. 1, where it raises log D otherwise."""

    smoothing: Smoothing = 0.0
    """D is to say so much less than 1 of what is real (one-sided label smoothing, Salimans et al. 2016: 0.1)."""

    def build(self) -> "adversarial.Objective":
        """The objective."""
        from i2i.losses import adversarial

        return adversarial.Vanilla(saturating=self.saturating, smoothing=self.smoothing)


@settings
class LeastSquares:
    """Least squares (LSGAN, Mao et al. 2017)."""

    kind: Literal["least-squares"] = "least-squares"
    """CycleGAN's objective."""

    smoothing: Smoothing = 0.0
    """D is to score so much less than 1 for what is real (one-sided label smoothing, Salimans et al. 2016: 0.1)."""

    def build(self) -> "adversarial.Objective":
        """The objective."""
        from i2i.losses import adversarial

        return adversarial.LeastSquares(smoothing=self.smoothing)


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
class WGAN:
    """Wasserstein distance by clipped weights (Arjovsky et al. 2017)."""

    kind: Literal["wgan"] = "wgan"
    """Wants several moves of D for each of G; slower than wgan-gp and less exact."""

    clip: Annotated[float, Field(gt=0)] = 0.01
    """No weight of D is farther from 0 than this."""

    def build(self) -> "adversarial.Objective":
        """The objective."""
        from i2i.losses import adversarial

        return adversarial.WGAN(self.clip)


@settings
class WGANGP:
    """Wasserstein distance with gradient penalty (Gulrajani et al. 2017)."""

    kind: Literal["wgan-gp"] = "wgan-gp"
    """Wants a discriminator without batch norm, because the penalty is of single pictures."""

    lambda_penalty: Weight = 10.0
    """Weight of the gradient penalty."""

    lambda_drift: Weight = 0.0
    """Weight of D's squared scores of real pictures, which then stay near 0: 0.001 in ProGAN."""

    def build(self) -> "adversarial.Objective":
        """The objective."""
        from i2i.losses import adversarial

        return adversarial.WGANGP(self.lambda_penalty, self.lambda_drift)


@settings
class Relativistic:
    """Which of two is the more real (Jolicoeur-Martineau 2018; R3GAN, Huang et al. 2024)."""

    kind: Literal["relativistic"] = "relativistic"
    """D and G both look at real and fake."""

    form: Literal["vanilla", "least-squares"] = "vanilla"
    """vanilla: cross-entropy of which lies higher. least-squares: what is real is to lie higher by 1."""

    against: Literal["average", "pair"] = "average"
    """average: with the other side's mean (RaGAN). pair: with one picture of the other side (RpGAN, as in R3GAN)."""

    def build(self) -> "adversarial.Objective":
        """The objective."""
        from i2i.losses import adversarial

        return adversarial.Relativistic(self.form, self.against)


Objective = Annotated[Vanilla | LeastSquares | Hinge | WGAN | WGANGP | Relativistic, Field(discriminator="kind")]


@settings
class EBGAN:
    """Energy-based GAN (Zhao et al. 2017): wants an autoencoder for a discriminator."""

    kind: Literal["ebgan"] = "ebgan"
    """D puts real pictures together again, and fakes no better than a margin."""

    margin: Annotated[float, Field(gt=0)] = 0.3
    """Mean squared error of a reconstruction beyond which D stops caring: about the variance of pictures in [-1, 1]."""

    lambda_pt: Weight = 0.1
    """Weight of the pulling-away term, which keeps the codes of fakes apart (EBGAN-PT); 0 leaves it out."""

    def build(self) -> "adversarial.Objective":
        """The objective."""
        from i2i.losses import energy

        return energy.EBGAN(self.margin, self.lambda_pt)


@settings
class BEGAN:
    """Boundary equilibrium GAN (Berthelot et al. 2017): wants an autoencoder for a discriminator."""

    kind: Literal["began"] = "began"
    """D weighs fakes so that their error stays a given share of that of real pictures."""

    gamma: Annotated[float, Field(gt=0, le=1)] = 0.5
    """That share: the lower, the cleaner and the more alike the pictures (0.3 to 0.7 in the paper)."""

    lambda_k: Weight = 0.001
    """How fast the weight of fakes follows."""

    def build(self) -> "adversarial.Objective":
        """The objective."""
        from i2i.losses import energy

        return energy.BEGAN(self.gamma, self.lambda_k)


Energy = EBGAN | BEGAN
"""Objectives whose discriminator is an autoencoder."""
AnyObjective = Annotated[Objective | Energy, Field(discriminator="kind")]
"""Of a game from noise, whose discriminator may be one."""
