"""Training: our figure, the hardware's limit and the ratio; beside the reference where a checkout is given."""

import itertools
import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch

from i2i.benchmark.against import check_checkout, reference_flags
from i2i.benchmark.arms import Arm, Played, environment, python
from i2i.benchmark.flops import count_round
from i2i.benchmark.hardware import Rates, measure_rates
from i2i.benchmark.spread import Spread
from i2i.benchmark.timing import calls_in
from i2i.engine.device import choose_device, choose_precision, describe
from i2i.experiment import Experiment, to_yaml
from i2i.networks.shapes import only_shapes

REPEAT_S = 2.0
"""Seconds that one repeat lasts at least, where the number of rounds is not given."""
LEAST_ROUNDS = 3
"""Rounds of a repeat at least, likewise."""
WARM_UP = {"cuda": 60, "cpu": 2}
"""Rounds before the first that counts: on CUDA until CycleGAN's history of 50 is full and the graph captured."""
READY_BATCHES = 40
"""Batches that a loader may have ready after a pause; an end to end repeat begins when as many are used up."""

Tell = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class ArmFigures:
    """How fast one implementation trains."""

    name: str
    seconds: Spread
    """Of a round."""
    images_per_second: Spread
    rounds: int
    """Rounds of each repeat."""
    peak_bytes: int | None
    """Peak memory; see `memory.Peak`."""
    waiting: float | None = None
    """Share of the time that rounds waited for data; None where none is loaded."""
    replayed: float = 0.0
    """Share of rounds that were replayed from a CUDA graph."""
    fallback: str | None = None
    """Why not all were, where the trainer says so."""


@dataclass(frozen=True, kw_only=True)
class TrainingFigures:
    """Ours, the hardware's limit, and the ratio."""

    recipe: str
    size: str
    batch_size: int
    parameters: int
    device: str
    """Device and precision, in words."""
    data: str | None
    """The folder that was trained on; None: random pictures that were on the device already."""
    flops: int
    """Counted operations of a round; see `flops.count_game`."""
    achieved: float
    """FLOP/s of ours."""
    hardware: Rates
    of_convolution: float | None
    """Achieved, of the convolution rate measured in the same precision."""
    of_matrix: float | None
    """Achieved, of the matrix rate measured in the same precision."""
    ours: ArmFigures
    reference: ArmFigures | None = None
    ratios: Spread | None = None
    """How many times faster ours is than the reference: of pairs of repeats, one right after the other."""
    pairs: tuple[float, ...] = ()
    """Every such ratio, in their order."""

    def without_graph(self) -> str | None:
        """Why not every round was replayed from a CUDA graph; None where every one was."""
        if not self.device.startswith("cuda"):
            return f"there are CUDA graphs on CUDA alone, and this was measured on {self.device}"
        if self.ours.replayed >= 1:
            return None
        return f"{self.ours.replayed:.0%} of the rounds were replayed: {self.ours.fallback or 'no reason is known'}"


def measure_training(
    experiment: Experiment,
    *,
    device: str = "auto",
    data: Path | None = None,
    against: Path | None = None,
    rounds: int | None = None,
    repeats: int = 5,
    workers: int | Literal["auto"] = "auto",
    rates: Rates | None = None,
    tell: Tell = lambda text: None,
) -> TrainingFigures:
    """Time rounds of an experiment, in a process of its own.

    With `data` a whole run is timed, from the folder to log and checkpoints. With `against`, a checkout of the
    reference, its training is timed in the same minutes: A B A B, both alive, one waiting for the other. `rounds` is
    the length of a repeat; None plays for REPEAT_S. `rates` are measured unless they are given.
    Raises UserError for whatever a user can cause.
    """
    batch_size = experiment.training.batch  # said now, if there is no number
    where = choose_device(device)
    precision = choose_precision(experiment.training.precision, where)
    if against is not None:
        # Said before minutes are spent on measuring.
        against = check_checkout(against)
        reference_flags(experiment, data=data, scratch=Path())
    with only_shapes():
        parameters = sum(weight.numel() for weight in experiment.build(3, 3).parameters())
    rates = rates or measure_rates(where, [precision])
    tell(f"measured the hardware: {describe(where, precision)}")
    with ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="i2i-benchmark-")))
        arms = [stack.enter_context(_ours(experiment, str(where), data, workers))]
        if against is not None:
            arms.append(stack.enter_context(_reference(experiment, str(where), data, against, scratch)))
        flops = count_round(experiment)
        for arm in arms:
            arm.ready()
        played = alternate(arms, rounds=rounds, repeats=repeats, device=where, loading=data is not None, tell=tell)
    figures = [summarize(arm.name, turns, loading=data is not None) for arm, turns in zip(arms, played, strict=True)]
    pairs = paired_ratios(*played) if against is not None else ()
    achieved = flops / figures[0].seconds.median
    convolution, matrix = rates.convolution(precision), rates.matrix(precision)
    return TrainingFigures(
        recipe=experiment.recipe,
        size=experiment.data.size,
        batch_size=batch_size,
        parameters=parameters,
        device=describe(where, precision),
        data=str(data) if data is not None else None,
        flops=flops,
        achieved=achieved,
        hardware=rates,
        of_convolution=achieved / convolution if convolution else None,
        of_matrix=achieved / matrix if matrix else None,
        ours=figures[0],
        reference=figures[1] if against is not None else None,
        ratios=Spread.of(pairs) if pairs else None,
        pairs=pairs,
    )


def alternate(
    arms: Sequence[Any],
    *,
    rounds: int | None,
    repeats: int,
    device: torch.device,
    loading: bool,
    tell: Tell = lambda text: None,
) -> list[list[Played]]:
    """Warm every arm up, then let them play in turns: A B A B. What each played, in order."""
    lengths = []
    for arm in arms:
        arm.play(WARM_UP.get(device.type, 5))
        trial = arm.play(1 if rounds is None else min(rounds, 3))
        lengths.append(rounds or max(LEAST_ROUNDS, calls_in(REPEAT_S, trial.seconds / trial.rounds)))
    played: list[list[Played]] = [[] for _ in arms]
    for repeat, (index, arm) in itertools.product(range(repeats), enumerate(arms)):
        if loading:
            arm.play(min(READY_BATCHES, lengths[index]))
        played[index].append(arm.play(lengths[index]))
        one = played[index][-1]
        tell(f"{repeat + 1}/{repeats} {arm.name}: {1000 * one.seconds / one.rounds:.4g} ms a step")
    return played


def paired_ratios(ours: Sequence[Played], theirs: Sequence[Played]) -> tuple[float, ...]:
    """How many times faster ours is, repeat by repeat: ratios of images a second."""
    return tuple((a.images / a.seconds) / (b.images / b.seconds) for a, b in zip(ours, theirs, strict=True))


def summarize(name: str, played: Sequence[Played], *, loading: bool) -> ArmFigures:
    """One implementation's repeats as figures."""
    rounds = sum(one.rounds for one in played)
    peaks = [one.peak_bytes for one in played if one.peak_bytes is not None]
    return ArmFigures(
        name=name,
        seconds=Spread.of(one.seconds / one.rounds for one in played),
        images_per_second=Spread.of(one.images / one.seconds for one in played),
        rounds=played[0].rounds,
        peak_bytes=max(peaks) if peaks else None,
        waiting=sum(one.waited for one in played) / sum(one.seconds for one in played) if loading else None,
        replayed=sum(one.replayed for one in played) / rounds,
        fallback=played[-1].fallback,
    )


def _ours(experiment: Experiment, device: str, data: Path | None, workers: int | Literal["auto"]) -> Arm:
    task = {
        "experiment": to_yaml(experiment),
        "device": device,
        "data": str(data.resolve()) if data is not None else None,
        "workers": workers,
    }
    return Arm("i2i", python("i2i.benchmark.ours"), task, environment=environment(ours=True))


def _reference(experiment: Experiment, device: str, data: Path | None, checkout: Path, scratch: Path) -> Arm:
    height, width = experiment.data.crop
    task = {
        "flags": reference_flags(experiment, data=data, scratch=scratch),
        "device": device,
        "shape": [experiment.training.batch, 3, height, width] if data is None else None,
    }
    command = python("i2i.benchmark.reference")
    return Arm("reference", command, task, cwd=checkout, environment=environment(ours=False))
