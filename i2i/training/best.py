"""The step that did best on held-out pictures, whose translators lie beside the latest."""

import math
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from i2i.data.opening import Opened
from i2i.engine.trainer import Trainer
from i2i.experiment import Experiment
from i2i.training.shipping import choose_norm_mode, held_out_errors
from i2i.training.unpaired import LEAST, Judge, held_out_counts
from i2i.translator import NormMode

PAIRS = 48
"""Held-out pairs, at most, on which translators and modes of batch norm are compared."""


class Found(NamedTuple):
    """What a look at held-out pictures says of a translator."""

    error: float
    """What is to be small."""
    norm_mode: NormMode
    """The mode of batch norm that reaches it."""
    measures: Mapping[str, float]
    """What it is made of, for the log."""


class Best:
    """Remembers the steps with the lowest errors; its state is a part of the checkpoint, so going on changes nothing.

    Translators are known by their direction, where each has a best step of its own, or by "" where they have one.
    """

    def __init__(self, state: Mapping[str, Any]) -> None:
        self._kept = {name: value for name, value in state.items() if name != "new"}
        self._new: dict[str, float] = dict(state.get("new", {}))

    def state(self) -> dict[str, Any]:
        """Numbers only, "step" and "error" or "AtoB/step" and so on; nothing before the first look."""
        return {**self._kept, "new": self._new} if self._kept else {}

    def look(self, step: int, found: Mapping[str, Found]) -> list[str]:
        """Those whose error at this step is the lowest so far; the first of equals stays."""
        self._new = {"step": step} if found else {}
        better = []
        for name, one in found.items():
            if one.error < self._kept.get(_key(name, "error"), math.inf):
                self._kept |= {_key(name, "step"): step, _key(name, "error"): one.error}
                better.append(name)
            self._new |= {_key(name, measure): value for measure, value in one.measures.items()}
        return better

    def since_last_line(self) -> dict[str, float]:
        """For the log: the last look, {"step", "l1", "best_step"}, where there was one since the line before."""
        new, self._new = self._new, {}
        steps = {name.replace("step", "best_step"): at for name, at in self._kept.items() if name.endswith("step")}
        return {**new, **steps} if new else {}


def _key(name: str, measure: str) -> str:
    return f"{name}/{measure}" if name else measure


class Validation:
    """Compares translators on held-out pictures: pairs by their L1, two domains as `Judge` does, noise not at all."""

    def __init__(self, experiment: Experiment, opened: Opened, trained: int) -> None:
        """`trained` is the number of pictures trained on between two looks, which limits what a look may cost."""
        self._pairs = experiment.needs == "pairs" and opened.validation is not None
        counts = held_out_counts(opened)
        self._judge: Judge | None = None
        self._experiment = experiment
        self.pictures = min(PAIRS, opened.counts["validation"]) if self._pairs else 0
        """Held-out items, the first ones of their set, on which is measured; 0 where nothing is."""
        self.note = ""
        """What the user should know."""
        if counts and min(counts) >= LEAST:
            self._judge = Judge(counts, trained)
            self.pictures = self._judge.pictures
        elif counts:
            self.note = (
                f"no translators are kept as the best: {counts[0]} and {counts[1]} held-out pictures are too few to "
                f"compare distributions, {LEAST} of each would do (a test split, or --holdout {LEAST})"
            )

    def __call__(self, trainer: Trainer, held_out: Iterable[Any]) -> dict[str, Found]:
        """By translator, as `Best` knows them; {} where nothing can be compared. `held_out` are batches of them."""
        if self._judge is not None:
            mode = choose_norm_mode(self._experiment, trainer, [])
            scores = self._judge(trainer, held_out, mode)
            return {name: Found(one["error"], mode, one) for name, one in scores.items()}
        if not self._pairs:
            return {}
        errors = held_out_errors(trainer, held_out)
        mode = min(errors, key=lambda one: errors[one])
        return {"": Found(errors[mode] / 2, mode, {"l1": errors[mode] / 2})}
