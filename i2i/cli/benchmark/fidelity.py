"""`i2i benchmark fidelity`: does fast training learn what fp32 learns."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import tyro

from i2i.cli.benchmark.flags import OfExperiment, read_experiment
from i2i.cli.benchmark.tables import console, leave, number, share, table, tell
from i2i.cli.parsing import flag, given
from i2i.errors import SettingsError


@dataclasses.dataclass(frozen=True, kw_only=True)
class FidelityPart(OfExperiment):
    """The flags of comparing what is learnt."""

    data_dir: Annotated[Path | None, flag(name="data", metavar="DIR")] = None
    """The folder to train on; 32 drawn pairs where nothing is said."""
    seeds: Annotated[int, tyro.conf.arg()] = 3
    """Runs of each arm."""


def main(args: Sequence[str]) -> int:
    """Train, compare, and print."""
    asked, experiment = read_experiment(
        FidelityPart(),
        args,
        "fidelity",
        "Train in fp32, op by op, and as fast as the device gives (bf16, CUDA graph, what the flags say), several "
        "seeds each, and compare the loss curves. --steps is 2000 where nothing is said.\n\n"
        "Example: i2i benchmark fidelity pix2pix --data facades --steps 2000 --seeds 3",
    )
    from i2i.benchmark.fidelity import measure_fidelity
    from i2i.benchmark.scratch import given_or_drawn
    from i2i.benchmark.variants import arms

    if given(args, "--epochs", "--training.epochs"):
        raise SettingsError("--epochs: runs of two arms are as long as each other in steps. Give --steps.")
    steps = experiment.training.steps or 2000

    def measure(data: Path) -> int:
        found = measure_fidelity(
            arms(experiment),
            data,
            steps=steps,
            seeds=asked.seeds,
            device=asked.device,
            workers=asked.workers,
            tell=tell,
        )
        leave(asked.json, "fidelity", found)
        rows = [
            (
                one.term,
                number(one.first),
                number(one.last),
                share(one.difference),
                share(one.noise),
                number(one.ratio),
            )
            for one in found.terms
        ]
        head = ("loss", f"{found.arms[0]}, end", f"{found.arms[1]}, end", "difference", "noise of seeds", "ratio")
        table(f"{found.recipe}, {found.steps} steps, {len(found.seeds)} seeds, {data}", head, rows)
        console().print(
            "Difference: between the arms' mean curves. Ratio: of the difference to what the noise alone makes of so "
            "many seeds; 1 or less where the arms learn the same."
        )
        took = ", ".join(f"{name} {seconds:.0f} s" for name, seconds in found.seconds.items())
        console().print(f"Time of all runs: {took}.")
        return 0

    with given_or_drawn(asked.data_dir, experiment.data.crop, tell) as data:
        return measure(data)
