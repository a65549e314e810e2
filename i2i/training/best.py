"""The step that did best on held-out pictures, whose translators lie beside the latest."""

import math
from collections.abc import Iterable, Mapping
from typing import Any

from i2i.engine.trainer import Trainer
from i2i.experiment import Experiment
from i2i.training.shipping import held_out_errors
from i2i.translator import NormMode


class Best:
    """Remembers the step with the lowest error; its state is a part of the checkpoint, so going on changes nothing."""

    def __init__(self, state: Mapping[str, Any]) -> None:
        self.step: int = state.get("step", 0)
        self.error: float = state.get("error", math.inf)
        self._new: dict[str, float] = dict(state.get("new", {}))

    def state(self) -> dict[str, Any]:
        """Numbers only; nothing before the first look."""
        return {"step": self.step, "error": self.error, "new": self._new} if self.step else {}

    def look(self, step: int, error: float) -> bool:
        """Whether a step's error is the lowest so far; the first of equals stays."""
        self._new = {"step": step, "l1": error}
        if error < self.error:
            self.step, self.error = step, error
            return True
        return False

    def since_last_line(self) -> dict[str, float]:
        """For the log: the last look, {"step", "l1", "best_step"}, where there was one since the line before."""
        new, self._new = self._new, {}
        return {**new, "best_step": self.step} if new else {}


def validated(experiment: Experiment, trainer: Trainer, held_out: Iterable[Any]) -> tuple[float, NormMode] | None:
    """Mean L1 on held-out pairs, in [0, 1], and the mode of batch norm that reaches it.

    None where there is no target to compare with: two domains without pairs, or pictures from noise.
    """
    if experiment.needs != "pairs":
        return None
    errors = held_out_errors(trainer, held_out)
    mode = min(errors, key=lambda one: errors[one])
    return errors[mode] / 2, mode
