"""What a pixel costs at several sizes: flat where nothing grows faster than the picture."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from i2i.benchmark.batches import random_batch
from i2i.benchmark.convert import random_translator
from i2i.benchmark.ours import make_trainer
from i2i.benchmark.spread import Spread
from i2i.benchmark.timing import seconds_a_call
from i2i.benchmark.train import WARM_UP
from i2i.engine.device import choose_device, choose_precision, describe
from i2i.experiment import Experiment, change
from i2i.networks.settings import ResNet, UNet


@dataclass(frozen=True, kw_only=True)
class SizeFigures:
    """One size. ns a pixel of the batch: a round of training, and the generator's way from picture to picture."""

    size: int
    step_ns: Spread
    convert_ns: Spread | None
    """None where a generator makes pictures from noise."""


@dataclass(frozen=True, kw_only=True)
class ScaleFigures:
    """Every size, from small to large."""

    recipe: str
    device: str
    sizes: tuple[SizeFigures, ...]
    step_growth: float
    """What a pixel of the largest size costs, of one of the smallest: 1 is flat."""
    convert_growth: float | None


def measure_scale(
    experiment: Experiment, sizes: Sequence[int] = (256, 512, 1024), *, device: str = "auto", repeats: int = 3
) -> ScaleFigures:
    """Time a round and a conversion at each size. Raises SettingsError where the networks cannot take one."""
    where = choose_device(device)
    precision = choose_precision(experiment.training.precision, where)
    found = [
        SizeFigures(
            size=size,
            step_ns=_step(change(experiment, {"data": {"size": str(size)}}), where, precision, repeats),
            convert_ns=_convert(experiment, size, where, precision, repeats),
        )
        for size in sorted(sizes)
    ]
    first, last = found[0], found[-1]
    return ScaleFigures(
        recipe=experiment.recipe,
        device=describe(where, precision),
        sizes=tuple(found),
        step_growth=last.step_ns.median / first.step_ns.median,
        convert_growth=last.convert_ns.median / first.convert_ns.median
        if last.convert_ns is not None and first.convert_ns is not None
        else None,
    )


def _step(experiment: Experiment, device: torch.device, precision: torch.dtype, repeats: int) -> Spread:
    trainer = make_trainer(experiment, device, precision)
    batches = [trainer.move(random_batch(experiment)) for _ in range(experiment.training.accumulate)]
    height, width = experiment.data.crop
    warm_up = WARM_UP["cuda"] if device.type == "cuda" else 1
    seconds = seconds_a_call(lambda: trainer.round(batches), device, repeats=repeats, warm_up=warm_up)
    return _ns(seconds, sum(len(batch[0]) for batch in batches) * height * width)


def _convert(
    experiment: Experiment, size: int, device: torch.device, precision: torch.dtype, repeats: int
) -> Spread | None:
    generator = experiment.model.generator
    if not isinstance(generator, (UNet, ResNet)):  # from noise, or to another size
        return None
    translator = random_translator(
        "unet" if isinstance(generator, UNet) else "resnet",
        size,
        width=generator.width,
        device=str(device),
        precision="bf16" if precision == torch.bfloat16 else "fp32",
        batch_size=1,
    )
    picture = np.zeros((size, size, 3), np.uint8)
    return _ns(seconds_a_call(lambda: translator.arrays([picture]), device, repeats=repeats), size**2)


def _ns(seconds: Spread, pixels: int) -> Spread:
    return Spread(*(1e9 * value / pixels for value in (seconds.median, seconds.lowest, seconds.highest)))
