"""Before anything is measured: every recipe plays a few tiny rounds here, and fast agrees with fp32."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch

from i2i.benchmark.batches import random_batch
from i2i.benchmark.ours import make_trainer
from i2i.benchmark.timing import synchronize
from i2i.benchmark.variants import arms
from i2i.engine.device import choose_device, choose_precision, describe
from i2i.errors import UserError
from i2i.experiment import Experiment, change, set_width
from i2i.recipes import RECIPES

TOLERANCE = 0.05
"""Relative difference of a loss in bf16 from fp32's in the first round: 8 bits of mantissa through a whole network."""
TINY = {"training": {"batch_size": 2}}


@dataclass(frozen=True, kw_only=True)
class Checked:
    """One recipe."""

    recipe: str
    device: str
    difference: float
    """The largest relative difference of a loss in the first round, fast from fp32 eager; infinite where it failed."""
    rounds: int
    """Rounds that were played, fast."""
    replayed: int
    """Rounds of these that were replayed from a CUDA graph."""
    problem: str | None
    """What is wrong; None where all is well."""


def check_recipes(
    recipes: Mapping[str, Experiment] = RECIPES, *, device: str = "auto", rounds: int = 8
) -> tuple[Checked, ...]:
    """Play every recipe at width 8 and 64 pixels. What fails is told, and the others go on."""
    return tuple(_check(tiny(experiment), device, rounds) for experiment in recipes.values())


def tiny(experiment: Experiment) -> Experiment:
    """The same game with small networks and pictures."""
    size: dict[str, object] = {"size": "64", "load": 0}
    return set_width(change(experiment, {"data": size, **TINY}), 8)


def _check(experiment: Experiment, device: str, rounds: int) -> Checked:
    where = choose_device(device)
    first: dict[str, dict[str, float]] = {}
    replayed, problem, difference = 0, None, math.inf
    try:
        for name, arm in arms(experiment).items():
            first[name], replayed = _play(arm, where, rounds if name == "fast" else 1)
        difference = _difference(*first.values())
        if difference > TOLERANCE:
            problem = f"its losses differ by {difference:.1%} from those of fp32 eager, wanted {TOLERANCE:.0%} or less"
    except (UserError, RuntimeError, AssertionError, TypeError, ValueError) as error:
        # One broken recipe, whatever broke it, is a finding and hides no other.
        problem = f"{type(error).__name__}: {(str(error).splitlines() or ['without a word'])[0]}"
    precision = choose_precision(experiment.training.precision, where)
    return Checked(
        recipe=experiment.recipe,
        device=describe(where, precision),
        difference=difference,
        rounds=rounds,
        replayed=replayed,
        problem=problem,
    )


def _play(experiment: Experiment, device: torch.device, rounds: int) -> tuple[dict[str, float], int]:
    """The losses of the first round, and how many rounds were replayed. Raises where a loss is no number."""
    trainer = make_trainer(experiment, device, choose_precision(experiment.training.precision, device))
    torch.manual_seed(0)  # the same dropout and noise for every arm
    batches = [trainer.move(random_batch(experiment))]
    trainer.round(batches)
    losses = trainer.fetch_losses()
    for _ in range(rounds - 1):
        trainer.round(batches)
    trainer.fetch_losses()
    synchronize(device)
    return losses, getattr(trainer, "replayed", 0)


def _difference(one: Mapping[str, float], other: Mapping[str, float]) -> float:
    """The largest difference of two sets of losses, relative to the larger of the two and to 0.1 at least."""
    return max(
        (abs(value - other[name]) / max(abs(value), abs(other[name]), 0.1) for name, value in one.items()), default=0.0
    )
