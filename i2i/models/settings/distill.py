"""Distillation, in settings."""

from typing import TYPE_CHECKING, Literal

from i2i.losses import settings as losses
from i2i.models.settings.kinds import DataKind
from i2i.networks import settings as networks
from i2i.settings import Direction, Weight, settings

if TYPE_CHECKING:
    from i2i.game import Model


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
