"""The models by name, without torch: networks, objective and weights of the terms; `build()` makes the model."""

from i2i.models.settings.cut import CUT
from i2i.models.settings.cyclegan import CycleGAN
from i2i.models.settings.distill import Distill, Teacher
from i2i.models.settings.gan import GAN
from i2i.models.settings.kinds import DataKind
from i2i.models.settings.pix2pix import Pix2Pix
from i2i.models.settings.progan import ProGAN
from i2i.models.settings.sight import Sight
from i2i.models.settings.stylegan import StyleGAN
from i2i.models.settings.text_to_image import TextToImage

FromNoise = GAN | ProGAN | StyleGAN
"""Makes pictures from noise, of a class where it is conditional."""
AnyModel = Pix2Pix | CycleGAN | CUT | Distill | FromNoise | TextToImage

DATA: dict[str, DataKind] = {
    "pix2pix": "pairs",
    "cyclegan": "domains",
    "cut": "domains",
    "distill": "pairs",
    "gan": "pictures",
    "progan": "pictures",
    "stylegan": "pictures",
    "text-to-image": "captions",
}
"""The data that each kind of model needs."""

__all__ = [
    "CUT",
    "DATA",
    "GAN",
    "AnyModel",
    "CycleGAN",
    "DataKind",
    "Distill",
    "FromNoise",
    "Pix2Pix",
    "ProGAN",
    "Sight",
    "StyleGAN",
    "Teacher",
    "TextToImage",
]
