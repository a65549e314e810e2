"""Train a recipe on a folder, or go on with a run."""

import dataclasses
import os
import signal
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

import torch

from i2i.data.loading import make_loader
from i2i.data.opening import open_dataset
from i2i.data.sampler import EpochSampler
from i2i.engine import checkpoint
from i2i.engine.device import choose_device, choose_precision, describe
from i2i.engine.schedule import Schedule
from i2i.engine.trainer import Trainer
from i2i.errors import DatasetError, ModelFileError, PictureError, SettingsError
from i2i.experiment import Experiment, Tree, change, parse_yaml, set_width
from i2i.recipes import recipe
from i2i.settings import Direction, Resize, as_dict
from i2i.training.folder import Existing, clear, prepared
from i2i.training.listener import Listener
from i2i.training.recorder import Recorder
from i2i.training.stopping import Signals
from i2i.translator import only_shapes


@dataclasses.dataclass(frozen=True, slots=True)
class Run:
    """What training left: its folder, how many steps it has behind it, its last logged losses."""

    path: Path
    steps: int
    losses: Mapping[str, float]


def train(
    recipe_or_experiment: str | Experiment | None = None,
    *,
    data: str | Path | None = None,
    out: str | Path | None = None,
    steps: int | None = None,
    epochs: int | None = None,
    batch_size: int | None = None,
    size: int | str | None = None,
    width: int | None = None,
    direction: Direction | None = None,
    resize: Resize | None = None,
    seed: int | None = None,
    checkpoint_every: int | None = None,
    precision: Literal["auto", "fp32", "bf16"] | None = None,
    device: str = "auto",
    workers: int | Literal["auto"] = "auto",
    resume: str | Path | None = None,
    existing: Existing = "refuse",
    max_seconds: float | None = None,
    listener: Listener | None = None,
) -> Run:
    """Train a recipe (a name, or an Experiment) on a folder, or go on with a run.

    Ctrl-C, SIGTERM and SIGUSR1 save the run and then raise KeyboardInterrupt or SystemExit(128 + signal).
    Raises UserError for whatever a user can cause.
    """
    tell = listener or Listener()
    if steps is not None and epochs is not None:
        raise SettingsError(f"steps {steps} and epochs {epochs}: two lengths for one run. Give one of them.")
    if steps is not None and steps < 1:
        raise SettingsError(f"steps {steps}: a run has 1 step or more.")
    if workers != "auto" and workers < 0:
        raise SettingsError(f"workers {workers}: wanted 0 (load in this process) or more.")
    length: Tree = {}
    if steps is not None:
        length["steps"] = steps
    if epochs is not None:
        length |= {"epochs": epochs, "steps": 0}
    given: Tree = {"batch_size": batch_size, "seed": seed, "checkpoint_every": checkpoint_every, "precision": precision}
    shape: Tree = {"size": size if size is None else str(size), "direction": direction, "resize": resize}
    changes: Tree = {
        "training": {key: value for key, value in given.items() if value is not None},
        "data": {key: value for key, value in shape.items() if value is not None},
    }

    if resume is not None:
        asked = [*changes["training"], *changes["data"], *(["width"] if width is not None else [])]
        if recipe_or_experiment is not None or asked:
            named = ", ".join(asked) or "recipe"
            raise SettingsError(
                f"{resume}: a resumed run keeps its {named}; only its length, device and workers can change. Start "
                f"another run for other settings."
            )
        return _go_on(Path(resume), length, data, device, workers, max_seconds, tell)

    if data is None:
        raise SettingsError("no data: give the folder of pictures with --data DIR.")
    experiment = recipe(recipe_or_experiment) if isinstance(recipe_or_experiment, str) else recipe_or_experiment
    experiment = change(experiment or recipe("pix2pix"), changes | {"training": changes["training"] | length})
    if width is not None:
        experiment = set_width(experiment, width)
    run = Path(out) if out is not None else Path("runs") / f"{experiment.recipe}-{Path(data).resolve().name}"
    if (run / "checkpoint.pt").exists() and existing == "continue":
        _refuse_changes(run, experiment)
        if isinstance(recipe_or_experiment, Experiment):
            length = {"steps": experiment.training.steps, "epochs": experiment.training.epochs}
        return _go_on(run, length, data, device, workers, max_seconds, tell)
    with prepared(run, existing):
        return _play(experiment, run, Path(data), device, workers, max_seconds, tell, None)


def _refuse_changes(run: Path, asked: Experiment) -> None:
    """A run that goes on keeps its settings, its length apart: others would be ignored in silence."""
    before = _experiment(run / "checkpoint.pt", checkpoint.load(run / "checkpoint.pt"))
    ours, theirs = dict(_leaves(as_dict(before))), dict(_leaves(as_dict(asked)))
    changed = [
        f"{name} from {value!r} to {theirs[name]!r}"
        for name, value in ours.items()
        if name in theirs and theirs[name] != value and name not in ("training.steps", "training.epochs")
    ]
    if changed:
        raise SettingsError(
            f"{run}: a run that goes on keeps its settings; this would change {', '.join(changed)}. Choose another "
            f"folder with --out, or throw the run away with --overwrite."
        )


def _leaves(tree: Tree, prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in tree.items():
        if isinstance(value, dict):
            yield from _leaves(value, f"{prefix}{name}.")
        else:
            yield prefix + name, value


def _experiment(path: Path, state: Mapping[str, Any]) -> Experiment:
    if not {"experiment", "data", "channels", "model"} <= state.keys():
        raise ModelFileError(f"{path}: not a checkpoint of i2i (no experiment in it).")
    return parse_yaml(state["experiment"], str(path))


def _go_on(
    run: Path,
    length: Tree,
    data: str | Path | None,
    device: str,
    workers: int | Literal["auto"],
    max_seconds: float | None,
    tell: Listener,
) -> Run:
    """Continue a run where its checkpoint stands."""
    if not run.is_dir():
        raise ModelFileError(f"{run}: no such run folder, so there is nothing to go on from.")
    state = checkpoint.load(run / "checkpoint.pt")
    before = _experiment(run / "checkpoint.pt", state)
    experiment = change(before, {"training": length}) if length else before
    if experiment != before:
        tell.note("The schedule is laid over the new length: its first half constant, its second falling to zero.")
    return _play(experiment, run, Path(data or state["data"]), device, workers, max_seconds, tell, state)


def _play(
    experiment: Experiment,
    run: Path,
    data: Path,
    device_name: str,
    workers: int | Literal["auto"],
    max_seconds: float | None,
    tell: Listener,
    state: Mapping[str, Any] | None,
) -> Run:
    started = time.monotonic()
    settings = experiment.training
    device = choose_device(device_name)
    precision = choose_precision(settings.precision, device)
    # Sizes that the networks cannot take are said before a folder of a million pictures is read.
    with only_shapes():
        experiment.build(3, 3)
    opened = open_dataset(experiment.needs, data, experiment.data, seed=settings.seed)
    for note in opened.notes:
        tell.note(note)

    if state is not None and list(opened.channels) != list(state["channels"]):
        before, now = (" to ".join(map(str, channels)) for channels in (state["channels"], opened.channels))
        raise DatasetError(
            f"{data}: its pictures have {now} channels, but {run} was trained on {before}. Go on with the data of "
            f"before, {state['data']}."
        )

    torch.manual_seed(settings.seed)
    model = experiment.build(*opened.channels)
    per_epoch = max(1, EpochSampler(opened.counts["train"], settings.batch_size, settings.seed).batches_per_epoch)
    rounds = max(1, per_epoch // settings.accumulate)
    steps = settings.steps or settings.epochs * rounds
    by_steps = bool(settings.steps)
    schedule = Schedule(settings.schedule, steps if by_steps else settings.epochs, 1 if by_steps else rounds)
    trainer = Trainer(model, settings, steps=steps, schedule=schedule, device=device, precision=precision)
    if state is not None:
        trainer.load_state_dict(state)
    position = trainer.progress.rounds * settings.accumulate
    if trainer.progress.rounds >= steps:
        tell.note(
            f"{run}: already trained for {trainer.progress.rounds} steps. To train it further: "
            f"i2i train --resume {run} --steps {2 * trainer.progress.rounds}"
        )
    if state is None:
        clear(run)
    recorder = Recorder(experiment, run, data, opened, trainer, rounds, tell)
    try:
        recorder.begin(describe(device, precision), fresh=state is None)
        sampler = EpochSampler(
            opened.counts["train"],
            settings.batch_size,
            settings.seed,
            start_epoch=position // per_epoch,
            start_batch=position % per_epoch,
        )
        loader = make_loader(opened.train, sampler, _workers(workers), pin=device.type == "cuda")
        tell.started(trainer.progress.rounds, steps)
        deadline = started + max_seconds if max_seconds is not None else None
        with Signals() as signals:
            try:
                trainer.fit(
                    loader,
                    after_round=recorder.after_round,
                    stop=lambda: signals.caught is not None or (deadline is not None and time.monotonic() > deadline),
                )
            except (DatasetError, PictureError):
                recorder.finish()  # a picture that is gone costs no step that was made before it
                raise
            recorder.finish()
    finally:
        recorder.close()
    if signals.caught is not None:
        tell.note(f"Stopped at step {trainer.progress.rounds} and saved. Go on with: i2i train --resume {run}")
        raise KeyboardInterrupt if signals.caught == signal.SIGINT else SystemExit(128 + signals.caught)
    if trainer.progress.rounds < steps:
        tell.note(f"Time is up at step {trainer.progress.rounds}; saved. Go on with: i2i train --resume {run}")
    return Run(run, trainer.progress.rounds, recorder.losses)


def _workers(asked: int | Literal["auto"]) -> int:
    """Loader processes: as asked, or one core less than there are, at most 8."""
    if asked != "auto":
        return asked
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(8, cores - 1))
