"""`i2i benchmark scale`: what a pixel costs at several sizes."""

import dataclasses
from collections.abc import Sequence
from typing import Annotated

from i2i.cli.benchmark.flags import OfExperiment, read_experiment
from i2i.cli.benchmark.tables import console, leave, number, spread, table
from i2i.cli.parsing import flag, positive


@dataclasses.dataclass(frozen=True, kw_only=True)
class ScalePart(OfExperiment):
    """The flags of measuring sizes."""

    sizes: Annotated[tuple[int, ...], flag(metavar="INT...")] = (256, 512, 1024)
    """Sides of the pictures."""


def main(args: Sequence[str]) -> int:
    """Measure, and print."""
    asked, experiment = read_experiment(
        ScalePart(),
        args,
        "scale",
        "What a pixel costs, training and converting, at several sizes: flat where nothing grows faster than the "
        "picture.\n\nExample: i2i benchmark scale pix2pix --sizes 256 512 1024",
    )
    for side in asked.sizes:
        positive("--sizes", side)
    from i2i.benchmark.scale import measure_scale

    found = measure_scale(experiment, asked.sizes, device=asked.device, repeats=asked.repeats)
    leave(asked.json, "scale", found)
    rows = [
        (
            str(one.size),
            spread(one.step_ns, number),
            spread(one.convert_ns, number) if one.convert_ns is not None else "-",
        )
        for one in found.sizes
    ]
    table(f"{found.recipe}, {found.device}: ns a pixel", ("size", "training step", "conversion"), rows)
    growth = f"{number(found.step_growth)} times in training"
    if found.convert_growth is not None:
        growth += f", {number(found.convert_growth)} times in conversion"
    console().print(f"A pixel of the largest size costs that of the smallest {growth}; 1 is flat.")
    return 0
