"""The recipes: one entry a published setting."""

from i2i.data.settings import DataSettings
from i2i.data.tasks import settings as tasks
from i2i.engine.settings import TrainingSettings
from i2i.errors import SettingsError
from i2i.experiment import Experiment
from i2i.models import settings as models
from i2i.networks import settings as networks
from i2i.settings import did_you_mean

_NOISE = DataSettings(size="64", resize="short", load=64)
_DCGAN = TrainingSettings(batch_size=128, schedule="constant", epochs=25)

RECIPES: dict[str, Experiment] = {
    # Isola et al. 2017, as the reference implementation runs it.
    "pix2pix": Experiment(recipe="pix2pix", model=models.Pix2Pix()),
    # Zhu et al. 2017, as the reference implementation runs it.
    "cyclegan": Experiment(recipe="cyclegan", model=models.CycleGAN()),
    # Park et al. 2020, App. C.1, as the authors' code runs it: it takes the mean of both domains where Eq. 5 adds.
    "cut": Experiment(recipe="cut", model=models.CUT(), training=TrainingSettings(epochs=400)),
    # The same with lambda_X = 10 and lambda_Y = 0, half as long.
    "fastcut": Experiment(recipe="fastcut", model=models.CUT(lambda_nce=10.0, identity=False, flip_equivariance=True)),
    # Ledig et al. 2017, Sec. 3.2: batches of 16 crops of 96 pixels, at the pictures' own scale; the terms are pix2pix's.
    "super-resolution": Experiment(
        recipe="super-resolution",
        model=models.Pix2Pix(generator=networks.SRResNet()),
        data=DataSettings(size="96", resize="none", task=tasks.SuperResolution()),
        training=TrainingSettings(batch_size=16),
    ),
    # Pix2pix where a task makes the sources; photos keep their aspect.
    "colorize": Experiment(recipe="colorize", data=DataSettings(resize="short", task=tasks.Colorize())),
    "inpaint": Experiment(recipe="inpaint", data=DataSettings(resize="short", task=tasks.Inpaint())),
    "sketch": Experiment(recipe="sketch", data=DataSettings(resize="short", task=tasks.Sketch())),
    "next-frame": Experiment(recipe="next-frame", data=DataSettings(resize="short", task=tasks.NextFrame())),
    # Li et al. 2020, Sec. 3.1 and 4.1; the weights are pix2pix's. The teacher's file says size and direction.
    "distill": Experiment(recipe="distill", model=models.Distill()),
    # Radford et al. 2016, Sec. 4: batches of 128, no decay of the rate.
    "dcgan": Experiment(recipe="dcgan", model=models.GAN(), data=_NOISE, training=_DCGAN),
    # Mirza & Osindero 2014, on DCGAN's networks: the label reaches both.
    "cgan": Experiment(recipe="cgan", model=models.GAN(conditional=True), data=_NOISE, training=_DCGAN),
}


def recipe(name: str) -> Experiment:
    """The recipe of that name. Raises SettingsError, which suggests the likely one."""
    if name not in RECIPES:
        raise SettingsError(f"{name!r} is no recipe; {did_you_mean(name, RECIPES)}")
    return RECIPES[name]
