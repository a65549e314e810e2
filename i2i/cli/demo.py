"""`i2i demo`: the whole way on a drawn set, without a download or a GPU."""

import dataclasses
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import tyro

from i2i.cli.parsing import Switch, Where, flag, no_words, parse
from i2i.errors import TrainingError
from i2i.experiment import change, set_width
from i2i.recipes import recipe

DEMO = set_width(
    change(
        recipe("pix2pix"),
        {
            "model": {"generator": {"upsample": "resize"}},  # no checkerboard in so short a run
            "data": {"size": "128", "resize": "none"},
            "training": {"steps": 1200, "ema": 0.99},
        },
    ),
    32,
)
"""What the demo trains: minutes on two cores."""
PICTURES = {"train": 200, "val": 8, "test": 20}
MARGIN = {"psnr": 3.0, "ssim": 0.1}
"""By how much the translator has to beat the best answer that needs no learning."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Demo:
    """The flags of the demo."""

    out: Annotated[Path, tyro.conf.arg(metavar="DIR")] = Path("runs/demo")
    """Folder for everything."""
    size: Annotated[int, tyro.conf.arg()] = DEMO.data.crop[0]
    """Side of the drawn pictures, in pixels."""
    steps: Annotated[int, tyro.conf.arg()] = DEMO.training.steps
    """Training steps."""
    device: Annotated[str, flag(metavar=Where)] = "auto"
    """Where to compute; auto takes the GPU where there is one."""
    overwrite: Switch = False
    """Throw away an earlier demo in that folder."""


def main(args: Sequence[str]) -> int:
    """Draw, train, convert, measure; returns 1 where the result is not clearly better than no learning."""
    asked, words = parse(
        Demo(),
        args,
        "i2i demo",
        "The whole way, without a download or a GPU: draws streets by day and by night, trains, converts held-out "
        "pictures, measures, and writes a page.\n\nExample: i2i demo --out runs/demo",
    )
    no_words(words, "the folder is named by --out.")
    experiment = change(DEMO, {"data": {"size": str(asked.size)}, "training": {"steps": asked.steps}}, "--")
    out, run = asked.out, asked.out / "run"
    if (run / "checkpoint.pt").exists() and not asked.overwrite:
        raise TrainingError(
            f"{out}: holds a demo already (its page: {out / 'report.html'}). Choose another folder with --out, or "
            f"throw this one away with --overwrite."
        )
    started = time.monotonic()

    from i2i import conversion, evaluation, training
    from i2i.cli.evaluate import show
    from i2i.cli.progress import Bar, Stage
    from i2i.cli.watching import listening
    from i2i.data import day2night
    from i2i.networks.shapes import only_shapes
    from i2i.translator import Translator

    with only_shapes():
        experiment.build(3, 3)  # a size that the network cannot take is refused before anything is drawn

    data = out / f"day2night-{asked.size}"
    with Bar("1/4 drawing streets by day and by night: picture", "images") as bar:
        day2night.write(data, **PICTURES, size=experiment.data.crop, progress=Stage(bar))
    with listening("2/4 training: step") as listener:
        training.train(
            experiment,
            data=data,
            out=run,
            device=asked.device,
            existing="overwrite" if asked.overwrite else "refuse",
            listener=listener,
        )
    translator = Translator.load(run, device=asked.device)
    with Bar("3/4 converting held-out streets: picture", "images") as bar:
        stage = Stage(bar)
        conversion.translate(
            translator,
            [data / "test" / "A"],
            out / "night",
            existing="overwrite",
            on_progress=lambda at: stage(at.done, at.total),
        )
    with Bar("4/4 measuring: picture", "images") as bar:
        found = evaluation.measure(translator, data, split="test", out=out, on_progress=Stage(bar), model=run)
    show(found)
    best = found.best_floor
    short = [
        f"{name} {found.metrics[name]:.2f} is not {margin:g} above {best[name]:.2f}"
        for name, margin in MARGIN.items()
        if found.metrics[name] < best[name] + margin
    ]
    print(f"Done in {time.monotonic() - started:.0f} s. Before, after and truth: {out / 'report.html'}")
    print(f"Use it: i2i translate {run} {data / 'test' / 'A'} OUTPUT     Your own pictures: i2i train --help")
    if short:
        print(f"The demo fell short of what it should reach: {'; '.join(short)}.")
        return 1
    return 0
