"""The models by name, without torch: networks, objective and weights of the terms; `build()` makes the model."""

from typing import TYPE_CHECKING, Literal

from i2i.losses import settings as losses
from i2i.networks import settings as networks
from i2i.settings import Count, Positive, Weight, settings

if TYPE_CHECKING:
    from i2i.game import Model

DataKind = Literal["pairs", "domains", "pictures"]
"""What a model trains on."""


@settings
class Pix2Pix:
    """Pix2Pix (Isola et al. 2017): a translator taught by pairs."""

    kind: Literal["pix2pix"] = "pix2pix"
    """Pairs: each source picture has its target."""

    generator: networks.Generator = networks.UNet()
    """Source to target."""

    discriminator: networks.Discriminator = networks.PatchGAN()
    """Sees the source beside its target."""

    objective: losses.Objective = losses.Vanilla()
    """What the two players make small."""

    lambda_l1: Weight = 100.0
    """Weight of the distance to the target (Eq. 4)."""

    lambda_features: Weight = 0.0
    """Weight of the distance between what D's layers make of fake and target (pix2pixHD: 10); the paper has none."""

    lambda_r1: Weight = 0.0
    """Weight of D's squared gradient on real pictures (R1, Mescheder et al. 2018); wants a D without batch norm."""

    r1_every: Positive = 16
    """Rounds from one R1 penalty to the next; it is so many times as strong."""

    def build(self, in_channels: int, out_channels: int, size: tuple[int, int]) -> "Model":
        """The model for pictures of these channels, trained at `size` (height, width)."""
        from i2i.losses.penalties import LazyR1
        from i2i.models import pix2pix

        return pix2pix.Pix2Pix(
            self.generator.build(in_channels, out_channels, size),
            self.discriminator.build(in_channels + out_channels, size),
            self.objective.build(),
            self.lambda_l1,
            self.lambda_features,
            LazyR1(weight=self.lambda_r1, every=self.r1_every),
        )


@settings
class CycleGAN:
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
        return cyclegan.CycleGAN(
            G=self.generator.build(in_channels, out_channels, size),
            F=self.generator.build(out_channels, in_channels, size),
            D_X=self.discriminator.build(in_channels, size),
            D_Y=self.discriminator.build(out_channels, size),
            objective=self.objective.build(),
            history_X=History(self.history, (in_channels, *size)),
            history_Y=History(self.history, (out_channels, *size)),
            lambda_cycle=self.lambda_cycle,
            lambda_identity=self.lambda_identity,
        )


@settings
class DCGAN:
    """DCGAN (Radford et al. 2016): pictures from noise, learnt from one folder."""

    kind: Literal["dcgan"] = "dcgan"
    """One folder of pictures."""

    generator: networks.DCGANGenerator = networks.DCGANGenerator()
    """Noise to picture."""

    discriminator: networks.DCGANDiscriminator = networks.DCGANDiscriminator()
    """Picture to score."""

    objective: losses.Objective = losses.Vanilla()
    """What the two players make small."""

    def build(self, in_channels: int, out_channels: int, size: tuple[int, int]) -> "Model":
        """The model for pictures of `out_channels`, trained at `size` (height, width)."""
        from i2i.models import dcgan
        from i2i.networks.dcgan import Generator

        generator = self.generator.build(out_channels, size)
        assert isinstance(generator, Generator)
        return dcgan.DCGAN(generator, self.discriminator.build(out_channels, size), self.objective.build())


AnyModel = Pix2Pix | CycleGAN | DCGAN

DATA: dict[str, DataKind] = {"pix2pix": "pairs", "cyclegan": "domains", "dcgan": "pictures"}
"""The data that each kind of model needs."""
