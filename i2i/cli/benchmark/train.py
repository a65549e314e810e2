"""`i2i benchmark train`: a training step, or a whole run, beside the hardware's limit and the reference."""

import dataclasses
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from i2i.cli.benchmark.flags import OfExperiment, read_experiment
from i2i.cli.benchmark.tables import (
    console,
    flops,
    leave,
    milliseconds,
    number,
    share,
    size,
    spread,
    table,
    tell,
)
from i2i.cli.parsing import Switch, flag, positive

if TYPE_CHECKING:
    from i2i.benchmark.train import TrainingFigures


@dataclasses.dataclass(frozen=True, kw_only=True)
class TrainPart(OfExperiment):
    """The flags of measuring training."""

    data_dir: Annotated[Path | None, flag(name="data", metavar="DIR")] = None
    """Measure whole runs on this folder: loader, log, samples, checkpoints; otherwise steps on random pictures."""
    rounds: Annotated[int | None, flag(metavar="INT")] = None
    """Steps of a repeat; as many as take 2 seconds where nothing is said."""
    against: Annotated[Path | None, flag(metavar="DIR")] = None
    """A checkout of the reference, PyTorch CycleGAN and pix2pix, to measure in the same minutes."""
    require_graph: Switch = False
    """End with 1 where not every step was replayed from a CUDA graph."""


def main(args: Sequence[str]) -> int:
    """Measure, and print; returns 1 where a graph was required and was not there."""
    asked, experiment = read_experiment(
        TrainPart(),
        args,
        "train",
        "Time training: our figure, the hardware's limit and the ratio.\n\n"
        "Example: i2i benchmark train pix2pix --size 128 --width 32 --data facades --against reference-checkout",
    )
    if asked.rounds is not None:
        positive("--rounds", asked.rounds)

    from i2i.benchmark.train import measure_training

    figures = measure_training(
        experiment,
        device=asked.device,
        data=asked.data_dir,
        against=asked.against,
        rounds=asked.rounds,
        repeats=asked.repeats,
        workers=asked.workers,
        tell=tell,
    )
    leave(asked.json, "train", figures)
    show(figures)
    missing = figures.without_graph()
    if asked.require_graph and missing is not None:
        print(f"i2i: no CUDA graph: {missing}.", file=sys.stderr)
        return 1
    return 0


def show(found: "TrainingFigures") -> None:
    """The figures as a table, the ratios below it."""
    arms = [found.ours] + ([found.reference] if found.reference is not None else [])
    rows = [
        ("ms a step", *(spread(arm.seconds, milliseconds) for arm in arms)),
        ("images/s", *(spread(arm.images_per_second, number) for arm in arms)),
        ("peak memory", *(size(arm.peak_bytes) for arm in arms)),
    ]
    if found.data is not None:
        rows.append(("waiting for data", *(share(arm.waiting) for arm in arms)))
    if found.device.startswith("cuda"):
        rows.append(("replayed from a graph", share(found.ours.replayed), *("-" for _ in arms[1:])))
    what = f"on {found.data}" if found.data is not None else "steps alone"
    title = f"{found.recipe}, {found.size} px, batch {found.batch_size}, {what}, {found.device}"
    table(title, ("", *(arm.name for arm in arms)), rows)
    precision = found.device.rpartition(", ")[2]
    rates = found.hardware
    convolution = rates.convolution_bf16 if precision == "bf16" else rates.convolution_fp32
    matrix = rates.matrix_bf16 if precision == "bf16" else rates.matrix_fp32
    lines = [
        f"Counted: {number(found.flops / 1e9)} GFLOP a step, so {flops(found.achieved)}.",
        f"Limits measured here, {precision}: convolution {flops(convolution)}, matrix {flops(matrix)}, copy "
        f"{number(rates.copy / 1e9)} GB/s.",
        f"Ratio: {share(found.of_convolution)} of the convolution rate, {share(found.of_matrix)} of the matrix rate.",
    ]
    if found.ratios is not None:
        lines.append(
            f"Beside the reference: {spread(found.ratios, number)} times as fast, of {len(found.pairs)} pairs."
        )
    if found.device.startswith("cuda") and (missing := found.without_graph()) is not None:
        lines.append(f"CUDA graph: {missing}.")
    for line in lines:
        console().print(line)
