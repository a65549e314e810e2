"""CUT and FastCUT, in settings."""

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from i2i.losses import settings as losses
from i2i.models.settings.judged import Judged
from i2i.networks import settings as networks
from i2i.settings import Positive, Weight, Width, settings

if TYPE_CHECKING:
    from i2i.game import Model


@settings
class CUT(Judged):
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

    head_width: Width = 256
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
        objective = self.objective.build()
        return cut.CUT(
            G=generator,
            H=PatchSampler(generator.feature_channels, width=self.head_width, patches=self.patches),
            D=self.discriminator.build(out_channels, size),
            objective=objective,
            lambda_nce=self.lambda_nce,
            identity=self.identity,
            flip_equivariance=self.flip_equivariance,
            temperature=self.temperature,
            r1=self.penalty,
            sight=self.sight.build(objective),
        )
