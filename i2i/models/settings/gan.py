"""Pictures from noise, in settings."""

from typing import TYPE_CHECKING, Literal

from i2i.errors import SettingsError
from i2i.losses import settings as losses
from i2i.models.settings.judged import Judged
from i2i.networks import settings as networks
from i2i.settings import Positive, Weight, settings

if TYPE_CHECKING:
    from i2i.game import Model


@settings
class GAN(Judged):
    """GAN (Goodfellow et al. 2014): pictures from noise, learnt from one folder."""

    kind: Literal["gan"] = "gan"
    """One folder of pictures."""

    generator: networks.Sampler = networks.DCGANGenerator()
    """Noise to picture."""

    discriminator: networks.Judge = networks.DCGANDiscriminator()
    """Picture to score."""

    objective: losses.AnyObjective = losses.Vanilla()
    """What the two players make small."""

    conditional: bool = False
    """Tell G and D which class folder a picture lies in (conditional GAN, Mirza & Osindero 2014)."""

    classes: tuple[str, ...] = ()
    """Names of the classes where it is conditional: those of the class folders, sorted; a run reads them there."""

    critic_steps: Positive = 1
    """Moves of D for each of G: 5 in WGAN. A step is a move of D."""

    lambda_orthogonal: Weight = 0.0
    """Weight of the overlaps between the filters of G's layers (BigGAN, Brock et al. 2019, Eq. 3: 1e-4)."""

    def build(self, in_channels: int, out_channels: int, size: tuple[int, int]) -> "Model":
        """The model for pictures of `out_channels`, trained at `size` (height, width)."""
        from i2i.models import gan

        self._refuse_unfit_objective()
        classes = max(1, len(self.classes)) if self.conditional else 0
        objective = self.objective.build()
        return gan.GAN(
            self.generator.build(out_channels, size, classes),
            self.discriminator.build(out_channels, size, classes),
            objective,
            critic_steps=self.critic_steps,
            r1=self.penalty,
            lambda_orthogonal=self.lambda_orthogonal,
            sight=self.sight.build(objective),
        )

    def _refuse_unfit_objective(self) -> None:
        """Raise SettingsError where the objective reads an energy, which the discriminator does not have."""
        energetic = isinstance(self.objective, losses.Energy)
        if energetic and not isinstance(self.discriminator, networks.StridedAutoencoder | networks.DenseAutoencoder):
            raise SettingsError(
                f"model.objective {self.objective.kind}: reads how well a discriminator puts a picture together again, "
                f"and {self.discriminator.kind} gives scores. Use --model.discriminator.kind strided-autoencoder or "
                f"dense-autoencoder, or another objective."
            )
