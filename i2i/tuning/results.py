"""What a search found: a row a trial, the best experiment, and the folder that holds them."""

import csv
import io
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from i2i.experiment import Experiment, to_yaml
from i2i.files import write_text
from i2i.tuning.held_out import HeldOut
from i2i.tuning.leaves import Plain

if TYPE_CHECKING:
    import optuna

Outcome = Literal["done", "pruned", "broke", "impossible", "cut short"]
"""done: all its steps. pruned: ended early by its scores. broke: no numbers any more, or out of memory. impossible: its
settings cannot stand together. cut short: by the time or a signal; it goes on."""
BEST = "experiment.yaml"
TABLE = "trials.csv"


@dataclass(frozen=True, slots=True)
class Row:
    """One trial."""

    number: int
    outcome: Outcome
    score: float | None
    """The error of its best translators, lower is better; None before its first look."""
    steps: int
    seconds: float
    values: Mapping[str, Plain]
    """What was drawn for it, by name."""
    run: Path
    note: str = ""
    """Why it broke."""


@dataclass(frozen=True, slots=True)
class Tuned:
    """What a search has found so far."""

    out: Path
    rows: Sequence[Row]
    best: Row | None
    """Of the trials that went all their steps; None where there is none."""
    start: Row | None
    """The trial of the base itself, where it went all its steps and its values are among those that are searched."""
    experiment: Experiment | None
    """The base with the best one's settings, of the base's own length: OUT/experiment.yaml."""
    held_out: HeldOut
    trial_steps: int
    seed: int

    @property
    def ordered(self) -> list[Row]:
        """Whole trials first, the best one before the others; then the rest as they came."""
        return sorted(
            self.rows, key=lambda row: (row.outcome != "done", row.score or 0.0 if row.outcome == "done" else 0)
        )


def run_of(out: Path, number: int) -> Path:
    """The run folder of a trial."""
    return out / f"trial-{number:03d}"


def rows(study: "optuna.Study", out: Path) -> list[Row]:
    """A row for each trial that has begun."""
    from optuna.trial import TrialState

    found = []
    for trial in study.get_trials(deepcopy=False):
        kept = trial.user_attrs
        if "values" not in kept and trial.state in (TrialState.RUNNING, TrialState.WAITING):
            continue
        outcome: Outcome = "cut short" if trial.state == TrialState.RUNNING else kept["outcome"]
        numbers = kept.get("score"), kept.get("steps", 0), kept.get("seconds", 0.0)
        values = kept.get("values", {})
        found.append(Row(trial.number, outcome, *numbers, values, run_of(out, trial.number), kept.get("note", "")))
    return found


def best_of(found: Sequence[Row]) -> Row | None:
    """The lowest score of the trials that went all their steps; the first of equals."""
    done = [row for row in found if row.outcome == "done" and row.score is not None]
    return min(done, key=lambda row: row.score or 0.0, default=None)


def leave(out: Path, found: Sequence[Row], names: Sequence[str], experiment: Experiment | None) -> None:
    """Write the table, and the best experiment where there is one. Raises OSError."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(["trial", "outcome", "score", "steps", "seconds", *names, "note"])
    for row in found:
        score = "" if row.score is None else row.score
        values = [row.values.get(name, "") for name in names]
        table.writerow([row.number, row.outcome, score, row.steps, round(row.seconds, 1), *values, row.note])
    write_text(out / TABLE, text.getvalue())
    if experiment is not None:
        write_text(out / BEST, to_yaml(experiment))


def drop_weights(run: Path) -> None:
    """Take a trial's checkpoints and translators away; its page, log, samples and settings stay."""
    for pattern in ("checkpoint*.pt*", "*.safetensors*"):
        for file in run.glob(pattern):
            file.unlink()
    shutil.rmtree(run / "tensorboard", ignore_errors=True)  # the log has its curves
