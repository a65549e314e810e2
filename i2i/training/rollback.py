"""Return a run to its last healthy checkpoint, to go on from there with a lower learning rate."""

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from torch import Tensor

from i2i.engine import checkpoint
from i2i.engine.log import Record
from i2i.engine.log import read as read_log
from i2i.engine.monitor import Verdict, verdict_of
from i2i.errors import ModelFileError, TrainingError
from i2i.experiment import change, parse_yaml, to_yaml

FACTOR = 0.5
"""What the learning rate is multiplied with at each rollback."""


def roll_back(run: Path) -> str:
    """Make the last healthy of the kept checkpoints the run's own, with a lower learning rate; what was done, in words.

    Healthy is what was saved before the ailment began that the log ends with, has numbers alone, and was no sicker by
    what the log said then. The checkpoint remembers the rollback, and newer ones are taken away. Raises TrainingError
    where none is healthy.
    """
    path = run / "checkpoint.pt"
    records = read_log(run / "log.jsonl")
    latest = verdict_of(records)
    sick: dict[int, str] = {}
    best: Mapping[str, Any] = {}
    for file in (path, *(file for _, file in checkpoint.kept(path))):
        try:
            state = checkpoint.load(file)
        except ModelFileError as error:
            sick[-1 - len(sick)] = str(error)
            continue
        step = state["progress"]["rounds"]
        best = best or state["best"]  # the files of the best step stay, whatever is returned to
        if step in sick:
            continue
        seen = [record for record in records if record["step"] <= step]
        # An ailment is told once it has lasted: what was saved since it began has it, whatever was said at the time.
        verdict = latest if _had(latest, step) else verdict_of(seen)
        latest = verdict if _had(verdict, step) else latest
        reason = f"{verdict.name} since step {verdict.step}" if _had(verdict, step) else broken(state, seen)
        if reason is None:
            return _return_to(path, state, records, best or state["best"])
        sick[step] = f"step {step}: {reason}"
    raise TrainingError(
        f"{run}: no healthy checkpoint to return to ({'; '.join(sick.values())}). See what i2i doctor {run} says to "
        f"try, or start again with a lower --training.lr, and with --keep 5 to have more to return to."
    )


def _had(verdict: Verdict, step: int) -> bool:
    """Whether the game had this ailment at a step."""
    return not verdict.healthy and verdict.step <= step


def broken(state: Mapping[str, Any], records: Sequence[Record]) -> str | None:
    """What of a checkpoint is no number, or was none in the lines of the log up to it; None if nothing is."""
    for name, value in _tensors(state["model"] | {"averages": state["average"], "sums": state["sums"]["losses"]}):
        if value.is_floating_point() and not value.isfinite().all():
            return f"{name} is not a number"
    for record in records:
        for name, value in record["losses"].items():
            if not math.isfinite(value):
                return f"{name} was not a number at step {record['step']}"
    return None


def _return_to(path: Path, state: dict[str, Any], records: Sequence[Record], best: Mapping[str, Any]) -> str:
    experiment = parse_yaml(state["experiment"], str(path))
    before, of_d = experiment.training.lr, experiment.training.lr_discriminator
    lowered = change(experiment, {"training": {"lr": before * FACTOR, "lr_discriminator": of_d * FACTOR}})
    step = state["progress"]["rounds"]
    reached = max([step, *(record["step"] for record in records)])
    rolled = {"step": step, "from": reached, "lr_before": before, "lr": lowered.training.lr}
    rolled |= {"lr_discriminator_before": of_d} if of_d else {}
    state |= {"experiment": to_yaml(lowered), "rollbacks": [*state["rollbacks"], rolled], "best": best}
    checkpoint.save(state, path)
    checkpoint.keep(path, step, lowered.training.keep)
    return told(rolled)


def told(rolled: Mapping[str, Any]) -> str:
    """A rollback in words."""
    return (
        f"Returned to the checkpoint of step {rolled['step']} from step {rolled['from']}; learning rate "
        f"{rolled['lr_before']:g} lowered to {rolled['lr']:g}."
    )


def _tensors(tree: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Tensor]]:
    for name, value in tree.items():
        if isinstance(value, Mapping):
            yield from _tensors(value, f"{prefix}{name}.")
        elif isinstance(value, Tensor):
            yield prefix + name, value
