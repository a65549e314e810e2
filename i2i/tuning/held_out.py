"""What trials are scored on: held-out pictures, by the error that a run chooses its best checkpoint by."""

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from i2i.data.folders import splits
from i2i.data.opening import open_dataset
from i2i.errors import DatasetError, SettingsError
from i2i.experiment import Experiment
from i2i.training.best import Validation

Measure = Literal["l1", "error"]


@dataclass(frozen=True, slots=True)
class HeldOut:
    """The pictures that choose."""

    measure: Measure
    """L1 of pairs in [0, 1], or the error of two domains."""
    pictures: int
    """How many of them, or of the larger domain."""
    split: str
    """The split they are from; train where they were held out of it."""
    untouched: bool
    """Whether there is a test split that neither training nor choosing sees."""


def held_out(experiment: Experiment, data: Path) -> HeldOut:
    """What trials of this experiment are compared on. Raises SettingsError and DatasetError where there is nothing."""
    if experiment.needs not in ("pairs", "domains"):
        raise SettingsError(
            f"{experiment.recipe}: cannot be tuned: pictures from one folder have no score on held-out pictures to "
            f"compare trials by. Recipes of pairs and of two domains can be: i2i recipes lists them."
        )
    opened = open_dataset(experiment.needs, data, experiment.data, seed=experiment.training.seed)
    # What a look may cost depends on what is trained between two; here only whether there is one is asked.
    validation = Validation(experiment, opened, 10**9)
    if not validation.pictures:
        why = validation.note or "no pictures are held out (a val or test split, or --holdout 16)"
        raise DatasetError(f"{data}: nothing to compare trials by: {why}.")
    used = next(
        (found[1] for note in opened.notes if (found := re.match(r"validation on the (\w+) split", note))), "train"
    )
    measure: Measure = "l1" if experiment.needs == "pairs" else "error"
    return HeldOut(measure, validation.pictures, used, "test" in splits(data) and used != "test")


def errors_of(look: Mapping[str, Any]) -> dict[str, float]:
    """A look of a run's log by direction: {"": L1} of pairs, {"AtoB": error, "BtoA": error} of two domains."""
    found = {}
    for name, value in look.items():
        direction, _, measure = name.rpartition("/")
        if measure in ("l1", "error"):
            found[direction] = float(value)
    return found


def mean_error(look: Mapping[str, Any]) -> float | None:
    """The error of a look, the mean of both directions; None where the look has none."""
    errors = errors_of(look).values()
    return sum(errors) / len(errors) if errors else None


def best_error(records: Iterable[Mapping[str, Any]]) -> float | None:
    """The error of the best translators of a run, as its log tells: of each direction the lowest, and their mean.

    None where no look gave a number.
    """
    lowest: dict[str, float] = {}
    for record in records:
        for direction, error in errors_of(record.get("validation", {})).items():
            if math.isfinite(error):
                lowest[direction] = min(error, lowest.get(direction, math.inf))
    return sum(lowest.values()) / len(lowest) if lowest else None
