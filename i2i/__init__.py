"""i2i: train a translator on your own folders of pictures, paired or not, and convert whole collections with it.

night = i2i.Translator.load("runs/day2night")
picture = night("street.jpg")
i2i.translate(night, "photos/", "night/")

cats = i2i.PictureSampler.load("runs/cats")
pictures = cats.sample(16, seed=0)
"""

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"
__all__ = ["RECIPES", "Experiment", "PictureSampler", "Translator", "UserError", "evaluate", "train", "translate"]

if TYPE_CHECKING:
    from i2i.conversion import translate
    from i2i.errors import UserError
    from i2i.evaluation import evaluate
    from i2i.experiment import Experiment
    from i2i.recipes import RECIPES
    from i2i.sampler import PictureSampler
    from i2i.training import train
    from i2i.translator import Translator

_PLACES = {
    "RECIPES": "recipes",
    "Experiment": "experiment",
    "PictureSampler": "sampler",
    "Translator": "translator",
    "UserError": "errors",
    "evaluate": "evaluation",
    "train": "training",
    "translate": "conversion",
}


def __getattr__(name: str) -> Any:
    # Looked up when asked for (PEP 562): `import i2i` costs milliseconds, torch seconds.
    if name in _PLACES:
        import importlib

        return getattr(importlib.import_module(f"i2i.{_PLACES[name]}"), name)
    raise AttributeError(f"module 'i2i' has no attribute {name!r}")
