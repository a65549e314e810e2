"""The models by name, without torch: networks, objective and weights of the terms; `build()` makes the model."""

from i2i.models.settings.cut import CUT
from i2i.models.settings.cyclegan import CycleGAN
from i2i.models.settings.distill import Distill, Teacher
from i2i.models.settings.gan import GAN
from i2i.models.settings.kinds import DataKind
from i2i.models.settings.pix2pix import Pix2Pix

AnyModel = Pix2Pix | CycleGAN | CUT | Distill | GAN

DATA: dict[str, DataKind] = {
    "pix2pix": "pairs",
    "cyclegan": "domains",
    "cut": "domains",
    "distill": "pairs",
    "gan": "pictures",
}
"""The data that each kind of model needs."""

__all__ = ["CUT", "DATA", "GAN", "AnyModel", "CycleGAN", "DataKind", "Distill", "Pix2Pix", "Teacher"]
