"""What every game with a discriminator can have, in settings."""

from typing import TYPE_CHECKING

from i2i.models.settings.sight import Sight
from i2i.settings import Positive, Weight, settings

if TYPE_CHECKING:
    from i2i.losses.penalties import LazyR1


@settings
class Judged:
    """What D sees, and what its slope costs it. A game says more of the first four, which stand here for the order."""

    kind: str = ""
    """Which game it is."""

    generator: object = None
    """Makes pictures."""

    discriminator: object = None
    """Judges them."""

    objective: object = None
    """What the two players make small."""

    sight: Sight = Sight()
    """What D sees of pictures."""

    lambda_r1: Weight = 0.0
    """Weight of D's squared gradient on real pictures (R1, Mescheder et al. 2018); wants a D without batch norm."""

    lambda_r2: Weight = 0.0
    """Weight of D's squared gradient on fakes (R2); R3GAN has both alike, in every round."""

    r1_every: Positive = 16
    """Rounds from one R1 and R2 to the next; they are so many times as strong."""

    @property
    def penalty(self) -> "LazyR1":
        """R1 and R2."""
        from i2i.losses.penalties import LazyR1

        return LazyR1(weight=self.lambda_r1, weight_fake=self.lambda_r2, every=self.r1_every)
