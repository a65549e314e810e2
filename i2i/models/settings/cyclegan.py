"""CycleGAN, in settings."""

from typing import TYPE_CHECKING, Literal

from i2i.losses import settings as losses
from i2i.models.settings.judged import Judged
from i2i.networks import settings as networks
from i2i.settings import Count, Weight, settings

if TYPE_CHECKING:
    from i2i.game import Model


@settings
class CycleGAN(Judged):
    """CycleGAN (Zhu et al. 2017): two translators taught by two unpaired collections."""

    kind: Literal["cyclegan"] = "cyclegan"
    """Two folders without pairs."""

    generator: networks.Generator = networks.ResNet()
    """Both directions have one of these."""

    discriminator: networks.Discriminator = networks.PatchGAN(norm="instance")
    """Both domains have one of these."""

    objective: losses.Objective = losses.LeastSquares()
    """What the two players make small."""

    lambda_cycle: Weight = 10.0
    """Weight of the way there and back (Eq. 2)."""

    lambda_identity: Weight = 0.5
    """Share of lambda_cycle for leaving a picture of the right domain alone (Sec. 5.2); 0 saves a third of the step."""

    identity_until: Count = 0
    """Images over which that term fades to nothing, linearly: from then on saved as well. 0 keeps it, as the paper."""

    history: Count = 50
    """Past fakes kept for each discriminator (Sec. 4)."""

    def build(self, in_channels: int, out_channels: int, size: tuple[int, int]) -> "Model":
        """The model for domains of these channels, trained at `size` (height, width)."""
        from i2i.errors import SettingsError
        from i2i.models import cyclegan
        from i2i.models.history import History

        if self.lambda_identity and in_channels != out_channels:
            raise SettingsError(
                f"the identity term shows a generator pictures of its own target domain, but A has {in_channels} "
                f"channels and B {out_channels}. Use --data.channels rgb, or --model.lambda-identity 0."
            )
        objective = self.objective.build()
        return cyclegan.CycleGAN(
            G=self.generator.build(in_channels, out_channels, size),
            F=self.generator.build(out_channels, in_channels, size),
            D_X=self.discriminator.build(in_channels, size),
            D_Y=self.discriminator.build(out_channels, size),
            objective=objective,
            history_X=History(self.history, (in_channels, *size)),
            history_Y=History(self.history, (out_channels, *size)),
            lambda_cycle=self.lambda_cycle,
            lambda_identity=self.lambda_identity,
            identity_until=self.identity_until,
            r1=self.penalty,
            sight_X=self.sight.build(objective),
            sight_Y=self.sight.build(objective),
        )
