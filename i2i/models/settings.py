"""The models by name, without torch: networks, objective and weights of the terms; `build()` makes the model."""

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from i2i.losses import settings as losses
from i2i.networks import settings as networks
from i2i.settings import Count, Direction, Positive, Weight, settings

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
class CUT:
    """CUT (Park et al. 2020): a translator of one direction, taught by two unpaired collections."""

    kind: Literal["cut"] = "cut"
    """Two folders without pairs."""

    generator: networks.ResNet = networks.ResNet(downsample="blur", upsample="bilinear")
    """Source to target; its first half is the encoder whose features are compared."""

    discriminator: networks.Discriminator = networks.PatchGAN(norm="instance")
    """Judges what is made by the target domain."""

    objective: losses.Objective = losses.LeastSquares()
    """What the two players make small."""

    lambda_nce: Weight = 1.0
    """Weight of PatchNCE (Eq. 5): of its mean over both domains, or of the source's where there is no identity."""

    identity: bool = True
    """PatchNCE of pictures of the target domain too, which keeps G from changing them: CUT does, FastCUT does not."""

    flip_equivariance: bool = False
    """Mirror half of the inputs of G and mirror the features of what it makes back (App. C.1): FastCUT does."""

    patches: Positive = 256
    """Positions of a feature map that are compared with each other."""

    head_width: networks.Width = 256
    """Length of the vectors that are compared."""

    temperature: Annotated[float, Field(gt=0)] = 0.07
    """What similarities are divided by; the lower, the more the most similar patches count."""

    def build(self, in_channels: int, out_channels: int, size: tuple[int, int]) -> "Model":
        """The model for domains of these channels, trained at `size` (height, width)."""
        from i2i.errors import SettingsError
        from i2i.models import cut
        from i2i.networks.patch_sampler import PatchSampler
        from i2i.networks.resnet import ResNet

        if in_channels != out_channels:
            raise SettingsError(
                f"CUT shows its generator's encoder what the generator made, but the source has {in_channels} channels "
                f"and the target {out_channels}. Use --data.channels rgb, or the recipe cyclegan with "
                f"--model.lambda-identity 0."
            )
        generator = self.generator.build(in_channels, out_channels, size)
        assert isinstance(generator, ResNet)
        return cut.CUT(
            G=generator,
            H=PatchSampler(generator.feature_channels, width=self.head_width, patches=self.patches),
            D=self.discriminator.build(out_channels, size),
            objective=self.objective.build(),
            lambda_nce=self.lambda_nce,
            identity=self.identity,
            flip_equivariance=self.flip_equivariance,
            temperature=self.temperature,
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


@settings
class Teacher:
    """A trained generator that a small one learns from; all but the file is read from it."""

    file: str = ""
    """The model to learn from: a run, a translator, or a .pth of the reference. The run keeps a copy of it."""

    sha256: str = ""
    """Of its weights."""

    direction: Direction = "AtoB"
    """Which way it translates."""

    architecture: networks.Generator = networks.ResNet()
    """What it is."""


@settings
class Distill:
    """GAN Compression (Li et al. 2020): a small translator learns from a trained one, with pairs or without."""

    kind: Literal["distill"] = "distill"
    """Sources of the teacher: pairs, two domains, or one folder."""

    teacher: Teacher = Teacher()
    """Whom to learn from."""

    sources: Literal["auto"] | DataKind = "auto"
    """The form of the data, where the folder leaves it open."""

    generator: networks.Generator = networks.ResNet(width=24, blocks=6)
    """The small one: a ninth of the arithmetic of the papers' ResNet."""

    discriminator: networks.Discriminator = networks.PatchGAN(norm="instance")
    """Sees the source beside what the teacher made of it."""

    objective: losses.Objective = losses.LeastSquares()
    """What the two players make small."""

    lambda_teacher: Weight = 100.0
    """Weight of the distance to what the teacher makes."""

    lambda_truth: Weight = 0.0
    """Weight of the distance to the target, where the data has pairs."""

    lambda_gan: Weight = 1.0
    """Weight of looking like the teacher's pictures to a discriminator; 0 leaves that out."""

    def build(self, in_channels: int, out_channels: int, size: tuple[int, int]) -> "Model":
        """The model, its teacher with weights that are yet to be given."""
        from i2i.models import distill

        # A paired source is always the first of its batch; of two domains it may be the second.
        back = self.sources == "domains" and self.teacher.direction == "BtoA"
        if back:
            in_channels, out_channels = out_channels, in_channels
        return distill.Distill(
            self.generator.build(in_channels, out_channels, size),
            self.discriminator.build(in_channels + out_channels, size) if self.lambda_gan else None,
            self.teacher.architecture.build(in_channels, out_channels, size),
            self.objective.build(),
            way="BtoA" if back else "AtoB",
            lambda_teacher=self.lambda_teacher,
            lambda_truth=self.lambda_truth,
            lambda_gan=self.lambda_gan,
        )


AnyModel = Pix2Pix | CycleGAN | CUT | Distill | DCGAN

DATA: dict[str, DataKind] = {
    "pix2pix": "pairs",
    "cyclegan": "domains",
    "cut": "domains",
    "distill": "pairs",
    "dcgan": "pictures",
}
"""The data that each kind of model needs."""
