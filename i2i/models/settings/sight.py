"""What discriminators see, in settings."""

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from i2i.errors import SettingsError
from i2i.settings import Count, Positive, Weight, settings

if TYPE_CHECKING:
    from i2i.losses.adversarial import Objective
    from i2i.models import sight

Operation = Literal["colour", "flip", "rotation", "translation", "cutout"]
"""colour: brightness, saturation and contrast. flip: left to right. rotation: by quarters. translation: by up to an
eighth. cutout: a hole of half the side."""

PAPERS: dict[str, tuple[Operation, ...]] = {
    "none": (),
    "always": ("colour", "translation", "cutout"),
    "adaptive": ("flip", "rotation", "translation", "colour"),
}
"""Zhao et al. 2020 always have theirs; of Karras et al. 2020a, those that blur nothing."""


@settings
class Sight:
    """What D sees of pictures, real and fake alike: D cannot learn by heart what it never sees twice."""

    augment: Literal["none", "always", "adaptive"] = "none"
    """always: DiffAugment (Zhao et al. 2020). adaptive: the more often, the more D overfits (ADA, Karras et al. 2020a).
    For fewer than some thousand pictures."""

    operations: tuple[Operation, ...] = ()
    """What is done; empty: colour translation cutout if always, flip rotation translation colour if adaptive."""

    target: Annotated[float, Field(gt=-1, lt=1)] = 0.6
    """ADA augments more while the mean sign of D's scores of real pictures is above this."""

    reach: Positive = 500_000
    """Images over which ADA goes from never to always at the fastest; less for a short run."""

    noise: Weight = 0.0
    """Deviation of noise that D sees on pictures in [-1, 1] (instance noise, Sonderby et al. 2017): 0.1 is a start."""

    noise_until: Count = 0
    """Images over which that noise fades to nothing; 0 keeps it."""

    def build(self, objective: "Objective") -> "sight.Sight":
        """The part of a model, for a discriminator that plays `objective`."""
        from i2i.models import sight
        from i2i.models.decay import Decay

        operations = self.operations or PAPERS[self.augment]
        if self.operations and self.augment == "none":
            raise SettingsError(
                f"model.sight.operations {' '.join(self.operations)}: nothing is augmented. Say how often with "
                f"--model.sight.augment always or adaptive, or leave the operations out."
            )
        adaptive = None
        if self.augment == "adaptive":
            if objective.undecided is None:
                raise SettingsError(
                    "model.sight.augment adaptive: asks whether D takes real pictures for real, and the score of this "
                    "objective has no middle that would say so. Use --model.sight.augment always, or the objective "
                    "vanilla, least-squares or hinge."
                )
            adaptive = sight.Adaptive(target=self.target, reach=self.reach)
        return sight.Sight(operations, adaptive=adaptive, noise=Decay(self.noise, self.noise_until))
