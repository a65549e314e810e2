"""One trial: a run of a few steps, whose looks at held-out pictures are told to the study, which may end it."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from i2i.engine import log
from i2i.engine.log import Record
from i2i.errors import TrainingError
from i2i.experiment import Experiment, change, to_yaml
from i2i.files import write_text
from i2i.training.listener import Listener
from i2i.training.run import train
from i2i.tuning.held_out import best_error, mean_error
from i2i.tuning.results import Outcome

if TYPE_CHECKING:
    import optuna

LOOKS = 10
"""At held-out pictures, in a trial."""


def look_every(steps: int) -> int:
    """Steps between two looks."""
    return max(1, steps // LOOKS)


def of_trial(experiment: Experiment, steps: int) -> Experiment:
    """An experiment of a trial's length: the schedule is laid over it, and held-out pictures are looked at often."""
    own = {"steps": steps, "sample_every": look_every(steps), "log_every": 0, "keep": 1}
    return change(experiment, {"training": own})


class Reporting(Listener):
    """Tells the study what a run's looks found, and ends the run where the study says so."""

    def __init__(self, trial: "optuna.Trial", steps: int, outer: Listener, notes: bool) -> None:
        """`outer` hears everything, but what is said before the first step only where `notes` are wanted."""
        self.pruned = False
        self._trial, self._steps, self._outer, self._notes = trial, steps, outer, notes
        self._reported = set(trial.study.get_trials(deepcopy=False)[trial.number].intermediate_values)
        self._earlier = float(trial.user_attrs.get("seconds", 0.0))
        self._began = time.monotonic()

    def note(self, text: str) -> None:
        """What a run says later is of going on with it, and of its game, which its page shows."""
        if self._notes:
            self._outer.note(text)

    def decoded(self, done: int, total: int) -> None:
        if self._notes:
            self._outer.decoded(done, total)

    def started(self, step: int, steps: int) -> None:
        self._notes = False
        self._outer.started(step, steps)

    def stepped(self, step: int) -> None:
        self._outer.stepped(step)

    def logged(self, record: Record) -> None:
        self._outer.logged(record)
        look: Mapping[str, Any] = record.get("validation", {})
        error = mean_error(look)
        if error is None:
            return
        step = int(look["step"])
        if step not in self._reported:  # a trial that goes on from its checkpoint comes by again
            self._reported.add(step)
            self._trial.report(error, step)
        self.count_time()
        if step < self._steps and self._trial.should_prune():
            self.pruned = True

    def enough(self) -> bool:
        return self.pruned

    def count_time(self) -> None:
        """Keep how long the trial has trained, so that a killed one has spent it too."""
        self._trial.set_user_attr("seconds", self._earlier + time.monotonic() - self._began)


def play(
    trial: "optuna.Trial",
    experiment: Experiment,
    run: Path,
    data: Path,
    outer: Listener,
    *,
    notes: bool,
    seconds: float,
    where: Mapping[str, Any],
) -> Outcome:
    """Train a trial, or go on with it, for at most so many seconds; `where` says on what device and so on.

    Leaves "outcome", "score", "steps" and "seconds" with the trial. Raises UserError for what is no fault of its
    settings.
    """
    # A run that goes on says how to go on with it.
    fresh = not (run / "checkpoint.pt").exists()
    listener = Reporting(trial, experiment.training.steps, outer, notes and fresh)
    try:
        run.mkdir(parents=True, exist_ok=True)
        if not (run / "experiment.yaml").exists():  # a folder that is killed early is known for a run
            write_text(run / "experiment.yaml", to_yaml(experiment))
        ended = train(
            experiment, data=data, out=run, existing="continue", max_seconds=seconds, listener=listener, **where
        )
    except TrainingError as error:
        if not _own_fault(error, run):
            raise
        trial.set_user_attr("note", str(error).partition(". ")[0])
        return _left(trial, run, "broke")
    finally:
        listener.count_time()
    if listener.pruned:
        return _left(trial, run, "pruned")
    return _left(trial, run, "done" if ended.steps >= experiment.training.steps else "cut short")


def _own_fault(error: TrainingError, run: Path) -> bool:
    """Whether a trial's own settings did it: a full disk is no fault of theirs."""
    records = log.read(run / "log.jsonl")
    broken = bool(records) and "not a number" in records[-1].get("health", {})
    return broken or str(error).startswith("out of memory")


def _left(trial: "optuna.Trial", run: Path, outcome: Outcome) -> Outcome:
    """Keep with the trial how it ended."""
    records = log.read(run / "log.jsonl")
    score = best_error(records)
    if outcome == "done" and score is None:
        outcome = "broke"  # scores that are no numbers
    trial.set_user_attr("outcome", outcome)
    trial.set_user_attr("score", score)
    trial.set_user_attr("steps", records[-1]["step"] if records else 0)
    return outcome
