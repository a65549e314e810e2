"""A run that goes on: that it is there, that it is nobody else's now, and that it keeps its settings."""

from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from i2i.engine import checkpoint
from i2i.engine.settings import CHANGEABLE, MAY_CHANGE
from i2i.errors import ModelFileError, SettingsError
from i2i.experiment import Experiment, parse_yaml
from i2i.settings import leaves
from i2i.training.lock import alone


def enter(folder: ExitStack, run: Path) -> None:
    """Be the only one that goes on with a run, until `folder` is closed. Raises ModelFileError where there is none."""
    if not run.is_dir():
        raise ModelFileError(f"{run}: no such run folder, so there is nothing to go on from.")
    if not (run / "checkpoint.pt").exists():
        raise ModelFileError(f"{run / 'checkpoint.pt'}: no such file, so there is nothing to go on from.")
    folder.enter_context(alone(run))


def refuse_changes(run: Path, asked: Experiment) -> None:
    """A run that goes on keeps its settings, save those that it may change: others would be ignored in silence."""
    state = checkpoint.load(run / "checkpoint.pt")
    before = experiment_of(run / "checkpoint.pt", state)
    free = {f"training.{name}" for name in MAY_CHANGE}
    # The command line that began the run goes on with it after a rollback, too.
    begun = [
        (f"training.{name}", rolled[f"{name}_before"])
        for rolled in state["rollbacks"][:1]
        for name in ("lr", "lr_discriminator")
        if f"{name}_before" in rolled
    ]
    ours, theirs = leaves(before), leaves(asked)
    changed = [
        f"{name} from {value!r} to {theirs[name]!r}"
        for name, value in ours.items()
        if name in theirs and theirs[name] != value and name not in free
        # Thousands of words would drown the message; a run keeps those that it began with.
        if name != "data.vocabulary"
        # Left to the run, which has chosen: the same command line goes on.
        if (name, theirs[name]) not in (("training.batch_size", "auto"), ("model.stage_images", 0))
        if (name, theirs[name]) not in begun
    ]
    if changed:
        raise SettingsError(
            f"{run}: a run that goes on keeps its settings; this would change {', '.join(changed)}. {CHANGEABLE} "
            f"Choose another folder with --out, or throw the run away with --overwrite."
        )


def experiment_of(path: Path, state: Mapping[str, Any]) -> Experiment:
    """What a checkpoint was trained as. Raises ModelFileError, also for settings that are none."""
    if not {"experiment", "data", "channels", "model"} <= state.keys():
        raise ModelFileError(f"{path}: not a checkpoint of i2i (no experiment in it).")
    return parse_yaml(state["experiment"], str(path))
