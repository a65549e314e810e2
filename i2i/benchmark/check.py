"""Before anything is measured: every recipe plays a few tiny rounds here, and fast agrees with fp32."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch

from i2i.benchmark.batches import random_batch
from i2i.benchmark.ours import make_trainer
from i2i.benchmark.variants import arms
from i2i.engine.device import choose_device, choose_precision, describe
from i2i.errors import UserError
from i2i.experiment import Experiment, change, set_width
from i2i.recipes import RECIPES

TOLERANCE = 0.05
"""Relative difference of a loss in bf16 from fp32's in the first round: 8 bits of mantissa through a whole network."""
LATER = 0.25
"""The same of the means over the other rounds, where dropout and noise may be drawn differently in a CUDA graph."""
TINY = {"training": {"batch_size": 2}}


@dataclass(frozen=True, kw_only=True)
class Checked:
    """One recipe."""

    recipe: str
    device: str
    difference: float
    """The largest relative difference of a loss in the first round, fast from fp32 eager; infinite where it failed."""
    later: float
    """The same of the means over the other rounds."""
    rounds: int
    """Rounds that were played, fast."""
    replayed: int
    """Rounds of these that were replayed from a CUDA graph."""
    problem: str | None
    """What is wrong; None where all is well."""


def check_recipes(
    recipes: Mapping[str, Experiment] = RECIPES, *, device: str = "auto", rounds: int = 12
) -> tuple[Checked, ...]:
    """Play every recipe at width 8 and 64 pixels. What fails is told, and the others go on."""
    return tuple(_check(tiny(experiment), device, rounds) for experiment in recipes.values())


def tiny(experiment: Experiment) -> Experiment:
    """The same game with small networks and pictures."""
    size: dict[str, object] = {"size": "64", "load": 0}
    return set_width(change(experiment, {"data": size, **TINY}), 8)


def _check(experiment: Experiment, device: str, rounds: int) -> Checked:
    where = choose_device(device)
    played: list[tuple[dict[str, float], dict[str, float]]] = []
    replayed, problem, difference, later = 0, None, math.inf, math.inf
    try:
        for arm in arms(experiment).values():
            *losses, replayed = _play(arm, where, rounds)
            played.append((losses[0], losses[1]))
        difference, later = (_difference(*both) for both in zip(*played, strict=True))
        if difference > TOLERANCE or later > LATER:
            problem = (
                f"its losses differ by {difference:.1%} from those of fp32 eager in the first round and by "
                f"{later:.1%} in the others, wanted {TOLERANCE:.0%} and {LATER:.0%} or less"
            )
    except (UserError, RuntimeError, AssertionError, TypeError, ValueError) as error:
        # One broken recipe, whatever broke it, is a finding and hides no other.
        problem = f"{type(error).__name__}: {(str(error).splitlines() or ['without a word'])[0]}"
    precision = choose_precision(experiment.training.precision, where)
    return Checked(
        recipe=experiment.recipe,
        device=describe(where, precision),
        difference=difference,
        later=later,
        rounds=rounds,
        replayed=replayed,
        problem=problem,
    )


def _play(experiment: Experiment, device: torch.device, rounds: int) -> tuple[dict[str, float], dict[str, float], int]:
    """Losses of the first round, of the others, and how many were replayed. Raises where a loss is no number."""
    trainer = make_trainer(experiment, device, choose_precision(experiment.training.precision, device))
    torch.manual_seed(0)  # the same dropout and noise for every arm
    batches = [trainer.move(random_batch(experiment))]
    trainer.round(batches)
    first = trainer.fetch_losses()
    for _ in range(rounds - 1):
        trainer.round(batches)
    return first, trainer.fetch_losses(), getattr(trainer, "replayed", 0)


def _difference(one: Mapping[str, float], other: Mapping[str, float]) -> float:
    """The largest difference of two sets of losses, relative to the larger of the two and to 0.1 at least."""
    return max(
        (abs(value - other[name]) / max(abs(value), abs(other[name]), 0.1) for name, value in one.items()), default=0.0
    )
