"""One run from its first step here to its last: what is opened, built, fed, recorded and saved."""

import dataclasses
import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import torch

from i2i import __version__
from i2i.data.feeding import Feeding, feed
from i2i.data.opening import Opened, open_dataset
from i2i.data.sampler import EpochSampler
from i2i.engine.device import choose_precision, describe, deterministically
from i2i.engine.distributed import World
from i2i.engine.ranks import take_own
from i2i.engine.schedule import Schedule
from i2i.engine.settings import TrainingSettings
from i2i.engine.trainer import Trainer
from i2i.errors import DatasetError, PictureError, SettingsError
from i2i.experiment import Experiment, change
from i2i.game import Progress
from i2i.models.settings import Distill
from i2i.networks.shapes import only_shapes
from i2i.settings import leaves
from i2i.training.batch_size import choose_batch_size
from i2i.training.classes import refuse_empty_classes, refuse_other_classes
from i2i.training.folder import clear, writing
from i2i.training.follower import Follower
from i2i.training.listener import Listener
from i2i.training.memory import out_of_memory, release
from i2i.training.recorder import Recorder
from i2i.training.skipped import Skipped
from i2i.training.stages import with_stages
from i2i.training.starting import Start
from i2i.training.stopping import Signals
from i2i.training.teaching import Teaching


@dataclasses.dataclass(frozen=True, slots=True)
class Run:
    """What training left: its folder, how many steps it has behind it, its last logged losses."""

    path: Path
    steps: int
    losses: Mapping[str, float]


def play(
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
    """Play from `state`, or from the first step where there is none, until the last step, the time or a signal.

    Raises what `train` does.
    """
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
        leaves(experiment)
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


@contextmanager
def placed(experiment: Experiment, name: str, world: World) -> Iterator[torch.device]:
    """The device to train on; within, it computes deterministically where the experiment says so."""
    device = world.device(name)
    if not experiment.training.deterministic:
        yield device
        return
    if experiment.training.batch_size == "auto":
        raise SettingsError("deterministic: batch size auto goes by the clock. Give a number, such as --batch-size 4.")
    with deterministically(device):
        yield device
