"""Train a recipe on a folder, or go on with a run."""

import dataclasses
import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, Literal, get_args

import torch

from i2i import __version__
from i2i.data.feeding import Feeding, feed
from i2i.data.opening import Opened, open_dataset
from i2i.data.sampler import EpochSampler
from i2i.data.settings import Cache
from i2i.engine import checkpoint
from i2i.engine.device import choose_precision, describe, deterministically
from i2i.engine.distributed import World, joined
from i2i.engine.ranks import take_own
from i2i.engine.schedule import Schedule
from i2i.engine.settings import TrainingSettings
from i2i.engine.trainer import Trainer
from i2i.errors import DatasetError, ModelFileError, PictureError, SettingsError
from i2i.experiment import Experiment, InitWhat, Tree, change, parse_yaml, set_width
from i2i.game import Progress
from i2i.models.settings import Distill
from i2i.networks.shapes import only_shapes
from i2i.recipes import recipe
from i2i.settings import Direction, Resize, as_dict
from i2i.training.batch_size import choose_batch_size
from i2i.training.captions import with_captions
from i2i.training.classes import refuse_empty_classes, refuse_other_classes, with_classes
from i2i.training.folder import Existing, clear, prepared, writing
from i2i.training.follower import Follower
from i2i.training.listener import Listener
from i2i.training.lock import alone
from i2i.training.memory import knobs_named, out_of_memory, release
from i2i.training.recorder import Recorder
from i2i.training.rollback import roll_back
from i2i.training.skipped import Skipped
from i2i.training.stages import with_stages
from i2i.training.starting import Start
from i2i.training.stopping import Signals
from i2i.training.teaching import Teaching, ready, taught_by

MAY_CHANGE = ("steps", "epochs", "checkpoint_every", "keep")
"""Settings of training that a run may change when it goes on: nothing that was learnt depends on them."""
CHANGEABLE = (
    "What may change: its length (--steps, --epochs), --checkpoint-every, --keep, and what is no setting of it (data, "
    "device, workers, cache, time)."
)


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
    batch_size: int | Literal["auto"] | None = None,
    size: int | str | None = None,
    width: int | None = None,
    direction: Direction | None = None,
    resize: Resize | None = None,
    teacher: str | Path | None = None,
    init_from: str | Path | None = None,
    init_what: InitWhat | None = None,
    seed: int | None = None,
    checkpoint_every: int | None = None,
    keep: int | None = None,
    precision: Literal["auto", "fp32", "bf16"] | None = None,
    deterministic: bool | None = None,
    device: str = "auto",
    workers: int | Literal["auto"] = "auto",
    cache: Cache = "auto",
    cache_dir: str | Path | None = None,
    resume: str | Path | None = None,
    rollback: bool = False,
    existing: Existing = "refuse",
    max_seconds: float | None = None,
    listener: Listener | None = None,
) -> Run:
    """Train a recipe (a name, or an Experiment) on a folder, or go on with a run.

    `cache` keeps pictures decoded: in memory, on disk in `cache_dir` for the next run too, by what fits (auto), or not
    at all (none). Neither it nor `workers` changes a run's numbers.

    `batch_size` auto takes the power of two that is fastest here and fits, by trying; the run keeps the number.
    `deterministic` gives the same bits again on the same machine, also on CUDA, where it is slower.
    `init_from` another model's weights instead of random ones: a run, a translator file, or the reference's .pth files.
    `teacher` is the model that the recipe distill learns from; size and direction are its own where none are given.
    `keep` so many of the last checkpoints. With `rollback` a resumed run first returns to the last healthy one of them,
    and its learning rate is halved.
    Where torchrun started several processes they train as one: `batch_size` is each one's, the first alone writes and
    tells, and an error on one ends all.

    Ctrl-C, SIGTERM and SIGUSR1 save the run and then raise KeyboardInterrupt or SystemExit(128 + signal).
    Raises UserError for whatever a user can cause.
    """
    if steps is not None and epochs is not None:
        raise SettingsError(f"steps {steps} and epochs {epochs}: two lengths for one run. Give one of them.")
    if steps is not None and steps < 1:
        raise SettingsError(f"steps {steps}: a run has 1 step or more.")
    if workers != "auto" and workers < 0:
        raise SettingsError(f"workers {workers}: wanted 0 (load in this process) or more.")
    if cache not in get_args(Cache):
        raise SettingsError(f"cache {cache!r}: wanted one of {', '.join(get_args(Cache))}.")
    feeding = Feeding(workers=workers, cache=cache, cache_dir=Path(cache_dir) if cache_dir is not None else None)
    length: Tree = {}
    if steps is not None:
        length["steps"] = steps
    if epochs is not None:
        length |= {"epochs": epochs, "steps": 0}
    given: Tree = {
        **{"batch_size": batch_size, "seed": seed, "precision": precision, "deterministic": deterministic},
        **{"checkpoint_every": checkpoint_every, "keep": keep},
    }
    shape: Tree = {"size": size if size is None else str(size), "direction": direction, "resize": resize}
    changes: Tree = {
        "training": {key: value for key, value in given.items() if value is not None},
        "data": {key: value for key, value in shape.items() if value is not None},
    }
    if init_from is not None:
        changes["init_from"] = str(init_from)
    if init_what is not None:
        changes["init_what"] = init_what
    if teacher is not None and resume is not None:
        changes["teacher"] = str(teacher)

    if resume is not None:
        asked = [*changes.pop("training"), *changes.pop("data"), *changes, *(["width"] if width is not None else [])]
        asked = [name for name in asked if name not in MAY_CHANGE]
        if recipe_or_experiment is not None or asked:
            named = ", ".join(asked) or "recipe"
            raise SettingsError(
                f"{resume}: a resumed run keeps its {named}. {CHANGEABLE} Start another run for other settings."
            )
        free: Tree = {"checkpoint_every": checkpoint_every, "keep": keep}
        changed = length | {name: value for name, value in free.items() if value is not None}
        run = Path(resume)
        with joined() as world, ExitStack() as folder:
            tell = _listener(world, listener)
            world.on_first(lambda: _enter(folder, run))
            return _go_on(run, changed, rollback, data, device, feeding, max_seconds, tell, world)

    if rollback:
        raise SettingsError("rollback: there is only something to return to in a run that is gone on with (resume).")
    if data is None:
        raise SettingsError("no data: give the folder of pictures with --data DIR.")
    experiment = recipe(recipe_or_experiment) if isinstance(recipe_or_experiment, str) else recipe_or_experiment
    experiment = experiment or recipe("pix2pix")
    if teacher is not None:
        experiment = taught_by(experiment, teacher, direction)
    experiment = change(experiment, changes | {"training": changes["training"] | length})
    if width is not None:
        experiment = set_width(experiment, width)
    if experiment.init_what != "both" and not experiment.init_from:
        raise SettingsError(f"init_what {experiment.init_what}: of which model? Name it: --init-from MODEL.")
    run = Path(out) if out is not None else Path("runs") / f"{experiment.recipe}-{Path(data).resolve().name}"
    changed = length
    experiment = with_captions(with_classes(ready(experiment, Path(data)), Path(data)), Path(data))
    with joined() as world, ExitStack() as folder:
        tell = _listener(world, listener)
        if existing == "continue" and world.on_first((run / "checkpoint.pt").exists):
            world.on_first(lambda: _enter(folder, run))
            world.on_first(lambda: _refuse_changes(run, experiment))
            if isinstance(recipe_or_experiment, Experiment):
                changed = {name: getattr(experiment.training, name) for name in MAY_CHANGE}
            return _go_on(run, changed, False, data, device, feeding, max_seconds, tell, world)
        world.on_first(lambda: folder.enter_context(prepared(run, existing)))
        with knobs_named(experiment, run), _placed(experiment, device, world) as place:
            return _play(experiment, run, Path(data), place, feeding, max_seconds, tell, None, world)


def _enter(folder: ExitStack, run: Path) -> None:
    """Be the only one that goes on with a run, until `folder` is closed."""
    if not run.is_dir():
        raise ModelFileError(f"{run}: no such run folder, so there is nothing to go on from.")
    if not (run / "checkpoint.pt").exists():
        raise ModelFileError(f"{run / 'checkpoint.pt'}: no such file, so there is nothing to go on from.")
    folder.enter_context(alone(run))


def _listener(world: World, asked: Listener | None) -> Listener:
    """Who listens: of several processes the first one speaks."""
    return asked if asked and world.first else Listener()


def _refuse_changes(run: Path, asked: Experiment) -> None:
    """A run that goes on keeps its settings, save those that it may change: others would be ignored in silence."""
    state = checkpoint.load(run / "checkpoint.pt")
    before = _experiment(run / "checkpoint.pt", state)
    free = {f"training.{name}" for name in MAY_CHANGE}
    # The command line that began the run goes on with it after a rollback, too.
    begun = [
        (f"training.{name}", rolled[f"{name}_before"])
        for rolled in state["rollbacks"][:1]
        for name in ("lr", "lr_discriminator")
        if f"{name}_before" in rolled
    ]
    ours, theirs = dict(_leaves(as_dict(before))), dict(_leaves(as_dict(asked)))
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
    changed: Tree,
    rollback: bool,
    data: str | Path | None,
    device: str,
    feeding: Feeding,
    max_seconds: float | None,
    tell: Listener,
    world: World,
) -> Run:
    """Continue a run where its checkpoint stands."""
    if rollback:
        tell.note(world.on_first(lambda: roll_back(run)))
    state = world.on_first(lambda: checkpoint.load(run / "checkpoint.pt"))
    before = _experiment(run / "checkpoint.pt", state)
    experiment = change(before, {"training": changed}) if changed else before
    lengths = [(one.training.steps, one.training.epochs) for one in (before, experiment)]
    if lengths[0] != lengths[1]:
        tell.note("The schedule is laid over the new length: its first half constant, its second falling to zero.")
    with knobs_named(experiment, run), _placed(experiment, device, world) as place:
        return _play(experiment, run, Path(data or state["data"]), place, feeding, max_seconds, tell, state, world)


@contextmanager
def _placed(experiment: Experiment, name: str, world: World) -> Iterator[torch.device]:
    """The device to train on; within, it computes deterministically where the experiment says so."""
    device = world.device(name)
    if not experiment.training.deterministic:
        yield device
        return
    if experiment.training.batch_size == "auto":
        raise SettingsError("deterministic: batch size auto goes by the clock. Give a number, such as --batch-size 4.")
    with deterministically(device):
        yield device


def _play(
    experiment: Experiment,
    run: Path,
    data: Path,
    device: torch.device,
    feeding: Feeding,
    max_seconds: float | None,
    tell: Listener,
    state: Mapping[str, Any] | None,
    world: World,
) -> Run:
    started = time.monotonic()
    settings = experiment.training
    precision = choose_precision(settings.precision, device)
    # Sizes that the networks cannot take are said before a folder of a million pictures is read.
    with only_shapes():
        experiment.build(3, 3)
    start = Start(experiment) if state is None and experiment.init_from else None
    distillation = experiment.model
    teaching = Teaching(distillation, run, state is not None) if isinstance(distillation, Distill) else None
    opened = open_dataset(experiment.needs, data, experiment.data, seed=settings.seed)
    refuse_other_classes(experiment, opened.classes, data)
    refuse_empty_classes(experiment, opened, data)
    if teaching:
        teaching.check(opened.channels)
    for note in opened.notes:
        tell.note(note)

    if state is not None and list(opened.channels) != list(state["channels"]):
        before, now = (" to ".join(map(str, channels)) for channels in (state["channels"], opened.channels))
        raise DatasetError(
            f"{data}: its pictures have {now} channels, but {run} was trained on {before}. Go on with the data of "
            f"before, {state['data']}."
        )

    world.same(
        dict(_leaves(as_dict(experiment)))
        | {"pictures to train on": opened.counts["train"], "channels": opened.channels}
        | {"device": device.type, "precision": str(precision), "i2i": __version__, "torch": torch.__version__}
    )
    if settings.batch_size == "auto":
        experiment = _with_batch_size(experiment, opened, device, precision, tell, world)
        settings = experiment.training
    if state is None:
        experiment, growing = with_stages(experiment, opened.counts["train"], world.size)
        for note in growing:
            tell.note(note)
    torch.manual_seed(settings.seed)
    model = experiment.build(*opened.channels)
    if teaching:
        teaching.teach(model)
    begun_with = start.put_into(model, experiment) if start else []
    for note in begun_with:
        tell.note(f"{note}.")
    opened.notes.extend(begun_with)
    if state is not None and experiment.init_from:
        opened.notes.append(f"began with weights of {experiment.init_from}")
    if world.size > 1:
        from i2i.engine.synchronised import synchronise

        world.share(model)
        synchronise(model)
    sampler = EpochSampler(
        opened.counts["train"],
        settings.batch,
        settings.seed,
        rank=world.rank,
        world=world.size,
        labels=opened.labels if experiment.data.balance == "classes" else None,
    )
    batch = sampler.batch_size * world.size
    rounds = max(1, sampler.batches_per_epoch // settings.accumulate)
    schedule = _schedule(settings, rounds, batch * settings.accumulate, Progress(**state["progress"] if state else {}))
    steps = settings.steps or settings.epochs * rounds - schedule.shift
    trainer = Trainer(model, settings, steps=steps, schedule=schedule, device=device, precision=precision, world=world)
    if state is not None:
        trainer.load_state_dict(state)
        take_own(trainer, state.get("ranks", []))
        if (saved := len(state.get("ranks", [state]))) != world.size:
            tell.note(
                f"Saved by {saved} process{'es' * (saved > 1)}, going on with {world.size}: a step takes "
                f"{batch * settings.accumulate} pictures now, and some random numbers are others."
            )
    else:
        take_own(trainer, [])
    if trainer.progress.rounds >= steps:
        tell.note(
            f"{run}: already trained for {trainer.progress.rounds} steps. To train it further: "
            f"i2i train --resume {run} --steps {2 * trainer.progress.rounds}"
        )
    if state is None and world.first:
        clear(run)
    skipped = Skipped(run, tell) if world.first else lambda reason: None
    sampler.start(trainer.progress.images // batch)
    # Before the run says what it needs: kept pictures are a part of it.
    batches = feed(
        opened.train,
        sampler,
        feeding,
        device=device,
        passes=max(0, steps - trainer.progress.rounds) * settings.accumulate / sampler.batches_per_epoch,
        note=tell.note,
        progress=tell.decoded,
        skipped=skipped,
    )
    recorder: Recorder | Follower = Follower(trainer, opened)
    if world.first:
        images = rounds * settings.accumulate * batch
        recorder = Recorder(experiment, run, data, opened, trainer, images, tell, skipped, state)
    try:
        recorder.begin(describe(device, precision), fresh=state is None)
        if teaching and state is None and world.first:
            with writing(run):
                teaching.keep(run)
        tell.started(trainer.progress.rounds, steps)
        deadline = started + max_seconds if max_seconds is not None else None
        stop = world.agreement()

        def asked_to_stop() -> bool:
            late = deadline is not None and time.monotonic() > deadline
            return bool(stop(int(late or signals.caught is not None or tell.enough())))

        begun = trainer.progress.rounds
        with Signals() as signals:
            try:
                trainer.fit(batches, after_round=recorder.after_round, stop=asked_to_stop)
            except (DatasetError, PictureError):
                if world.size == 1:
                    recorder.finish()  # a picture that is gone costs no step that was made before it
                raise
            except (RuntimeError, MemoryError) as error:
                if out_of_memory(error) and world.size == 1 and trainer.progress.rounds > begun:
                    release(error)
                    with suppress(RuntimeError, MemoryError):  # the state is saved before what may need more
                        recorder.finish()
                raise
            recorder.finish()
            caught = world.largest(signals.caught or 0)
    finally:
        recorder.close()
    if caught:
        tell.note(f"Stopped at step {trainer.progress.rounds} and saved. Go on with: i2i train --resume {run}")
        raise KeyboardInterrupt if caught == signal.SIGINT else SystemExit(128 + caught)
    if trainer.progress.rounds < steps:
        why = "Ended" if tell.enough() else "Time is up"
        tell.note(f"{why} at step {trainer.progress.rounds}; saved. Go on with: i2i train --resume {run}")
    return Run(run, trainer.progress.rounds, recorder.losses)


def _with_batch_size(
    experiment: Experiment, opened: Opened, device: torch.device, precision: torch.dtype, tell: Listener, world: World
) -> Experiment:
    """The experiment with the batch size that is best here: what the first process finds, for all."""
    training = experiment.training
    pictures = opened.counts["train"] // (world.size * training.accumulate)
    found = world.on_first(lambda: choose_batch_size(experiment, opened, device, precision, pictures))
    tell.note(f"{found}.")
    if found.size > 1:
        tell.note(
            f"A batch of {found.size} changes what is learnt: an epoch has {max(1, pictures // found.size)} steps "
            f"instead of {max(1, pictures)}. Another run has the same with --batch-size {found.size}."
        )
    return change(experiment, {"training": {"batch_size": found.size}})


def _schedule(settings: TrainingSettings, rounds: int, images: int, before: Progress) -> Schedule:
    """The rate over a run with so many rounds an epoch and images a round.

    To a run of epochs an epoch is one of pictures, whatever number of processes saw them; to a run of steps a step is a
    step.
    """
    if settings.steps:
        return Schedule(settings.schedule, settings.steps, 1)
    return Schedule(settings.schedule, settings.epochs, rounds, before.images // images - before.rounds)
