"""Search for the settings of a recipe that do best on held-out pictures, in a budget of minutes."""

import gc
import math
import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import torch

from i2i.data.settings import Cache
from i2i.errors import SettingsError, TrainingError
from i2i.experiment import Experiment
from i2i.files import make_writable
from i2i.networks.shapes import only_shapes
from i2i.recipes import recipe
from i2i.training.lock import NAME as LOCK
from i2i.training.lock import alone
from i2i.training.teaching import ready
from i2i.tuning.held_out import HeldOut, held_out
from i2i.tuning.leaves import leaves
from i2i.tuning.results import Row, Tuned, best_of, drop_weights, leave, rows, run_of
from i2i.tuning.space import Space, drawn, space_of, start_of, values_in, written
from i2i.tuning.study import JOURNAL, Pruner, next_trial, open_study, require_optuna
from i2i.tuning.trial import look_every, of_trial, play
from i2i.tuning.watching import Watcher

if TYPE_CHECKING:
    import optuna

Keep = Literal["best", "all"]
"""Whose weights are kept; pages, logs and samples of all trials are."""
TRIAL_STEPS = 1000
LEAST_S = 1.0
"""Time left, below which nothing is begun."""
IN_A_ROW = 8
"""Trials that could not begin, one after the other, after which the search is given up."""


def tune(
    recipe_or_experiment: str | Experiment,
    *,
    data: str | Path,
    out: str | Path | None = None,
    minutes: float = 60.0,
    trials: int | None = None,
    trial_steps: int = TRIAL_STEPS,
    search: Sequence[str] = (),
    fixed: Sequence[str] = (),
    only: bool = False,
    pruner: Pruner = "median",
    keep: Keep = "best",
    device: str = "auto",
    workers: int | Literal["auto"] = "auto",
    cache: Cache = "auto",
    cache_dir: str | Path | None = None,
    watcher: Watcher | None = None,
) -> Tuned:
    """Train trials of `trial_steps` each around a recipe or an experiment, the first as it is, and keep the best.

    `minutes` and `trials` are those of the whole search: where it was stopped or killed, the same call goes on with
    what is left of them, and with the trial that was under way. `search`, `fixed` and `only` say what is searched, as
    `space.space_of` has it. Every trial is a run folder in `out` (runs/tune-<recipe>-<data> if not said).

    Scores are those by which a run chooses its best checkpoint. Ctrl-C and SIGTERM save the trial and then raise
    KeyboardInterrupt or SystemExit. Raises UserError for whatever a user can cause.
    """
    require_optuna()
    _check(minutes, trials, trial_steps)
    base = recipe(recipe_or_experiment) if isinstance(recipe_or_experiment, str) else recipe_or_experiment
    if base.training.batch_size == "auto":
        raise SettingsError("batch size auto goes by the clock, and trials are to be alike. Give a number.")
    data = Path(data)
    space = space_of(base, search, fixed=fixed, only=only)
    base = ready(base, data)
    _build(base)
    scored_on = held_out(base, data)
    folder = Path(out) if out is not None else Path("runs") / f"tune-{base.recipe}-{data.resolve().name}"
    _prepare(folder)
    where = {"device": device, "workers": workers, "cache": cache, "cache_dir": cache_dir}
    with alone(folder):
        about = _about(base, space, data, trial_steps, pruner)
        study = open_study(folder, about, pruner, trial_steps, look_every(trial_steps))
        found = _Search(base, space, data, folder, study, trial_steps, keep, where, scored_on, watcher or Watcher())
        return found.go_on(60 * minutes, trials)


class _Search:
    """A search that is under way."""

    def __init__(
        self,
        base: Experiment,
        space: Space,
        data: Path,
        out: Path,
        study: "optuna.Study",
        steps: int,
        keep: Keep,
        where: Mapping[str, Any],
        scored_on: HeldOut,
        watcher: Watcher,
    ) -> None:
        self.base, self.space, self.data, self.out, self.study = base, space, data, out, study
        self.steps, self.keep, self.where, self.scored_on, self.watcher = steps, keep, where, scored_on, watcher

    def go_on(self, seconds: float, trials: int | None) -> Tuned:
        """Play trials until the time or their number is spent, those of earlier calls included."""
        before = rows(self.study, self.out)
        deadline = time.monotonic() + seconds - sum(row.seconds for row in before)
        impossible, notes = 0, True
        while (left := deadline - time.monotonic()) > LEAST_S:
            over = [row for row in rows(self.study, self.out) if row.outcome != "cut short"]
            if trials is not None and len(over) >= trials:
                break
            row = self._trial(left, notes)
            notes = False
            self.watcher.ended(row)
            self._leave()
            if row.outcome == "cut short":
                break
            impossible = impossible + 1 if row.outcome == "impossible" else 0
            if impossible == IN_A_ROW:
                raise SettingsError(f"{impossible} trials in a row could not begin; the last: {row.note}.")
        return self._leave()

    def _trial(self, seconds: float, notes: bool) -> Row:
        from optuna.trial import TrialState

        trial = next_trial(self.study, self.base.training.seed, start_of(self.base, self.space))
        run = run_of(self.out, trial.number)
        try:
            experiment, values = drawn(self.base, self.space, trial)
            _build(experiment)
        except SettingsError as error:
            trial.set_user_attr("values", trial.params)
            trial.set_user_attr("outcome", "impossible")
            trial.set_user_attr("note", str(error))
            self.study.tell(trial, state=TrialState.PRUNED)
            return self._row(trial.number)
        trial.set_user_attr("values", values)
        experiment = of_trial(experiment, self.steps)
        try:
            with self.watcher.trial(trial.number, values) as listener:
                outcome = play(
                    trial, experiment, run, self.data, listener, notes=notes, seconds=seconds, where=self.where
                )
        except (KeyboardInterrupt, SystemExit):
            self._leave()
            self.watcher.note(f"Stopped in trial {trial.number} and saved. The same command goes on with it.")
            raise
        finally:
            _free()
        if outcome == "done":
            self.study.tell(trial, trial.user_attrs["score"])
        elif outcome != "cut short":
            # The sampler takes what ended early for worse than what did not, and what never began for the worst.
            self.study.tell(trial, state=TrialState.PRUNED)
        return self._row(trial.number)

    def _row(self, number: int) -> Row:
        return next(row for row in rows(self.study, self.out) if row.number == number)

    def _leave(self) -> Tuned:
        """Write what is known, and take the weights of those away that are not the best."""
        found = rows(self.study, self.out)
        best = best_of(found)
        experiment = None
        if best is not None:
            experiment, _ = drawn(self.base, self.space, _Again(best.values))
        leave(self.out, found, [one.name for one in self.space], experiment)
        if self.keep == "best":
            for row in found:
                if row != best and row.outcome != "cut short":
                    drop_weights(row.run)
        own = start_of(self.base, self.space)
        start = next((row for row in found if row.outcome == "done" and row.values == own), None)
        seed = self.base.training.seed
        return Tuned(self.out, found, best, start, experiment, self.scored_on, self.steps, seed)


class _Again:
    """Draws what was drawn before."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = values

    def suggest_float(self, name: str, low: float, high: float, *, log: bool = False) -> float:
        return self._values[name]

    def suggest_int(self, name: str, low: int, high: int, *, log: bool = False) -> int:
        return self._values[name]

    def suggest_categorical(self, name: str, choices: Sequence[Any]) -> Any:
        return self._values[name]


def _check(minutes: float, trials: int | None, trial_steps: int) -> None:
    if not (minutes > 0 and math.isfinite(minutes)):
        raise SettingsError(f"--minutes {minutes:g}: wanted more than 0.")
    if trials is not None and trials < 1:
        raise SettingsError(f"--trials {trials}: wanted 1 or more.")
    if trial_steps < 1:
        raise SettingsError(f"--trial-steps {trial_steps}: wanted 1 or more.")
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        raise SettingsError("trials train in one process: start i2i tune without torchrun.")


def _prepare(out: Path) -> None:
    """Make the folder, or see that it holds a search. Raises TrainingError."""
    if out.exists() and not out.is_dir():
        raise TrainingError(f"{out}: is a file, wanted a folder for the search. Choose another with --out.")
    if out.exists() and not (out / JOURNAL).exists() and any(file.name != LOCK for file in out.iterdir()):
        raise TrainingError(f"{out}: holds something that is no search. Choose another folder with --out.")
    try:
        make_writable(out)
    except OSError as error:
        raise TrainingError(f"{out}: cannot be written to ({error.strerror}). Choose another with --out.") from None


def _about(base: Experiment, space: Space, data: Path, steps: int, pruner: Pruner) -> dict[str, str]:
    """What the trials of a search have in common, by name, so that a call that would change it is refused."""
    found = {leaf.name: written(leaf.value) for leaf in leaves(base).values()}
    found |= {f"--search {name}": values for name, values in values_in(space).items()}
    return found | {"--data": str(data.resolve()), "--trial-steps": str(steps), "--pruner": pruner}


def _build(experiment: Experiment) -> None:
    """See that its parts fit together and its size, without weights. Raises SettingsError."""
    with only_shapes():
        experiment.build(3, 3)


def _free() -> None:
    """Give the memory of a trial back before the next one."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
