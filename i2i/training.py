"""An experiment into a run folder: wires the engine to data, log, samples, checkpoints, translators and report."""

import dataclasses
import shutil
import signal
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Any, Literal

import torch
from torch import nn

from i2i import images, report
from i2i.data.loading import make_loader
from i2i.data.opening import Opened, open_dataset
from i2i.data.sampler import EpochSampler
from i2i.engine import checkpoint
from i2i.engine.device import choose_device, choose_precision, describe
from i2i.engine.log import Log, Record
from i2i.engine.log import read as read_log
from i2i.engine.schedule import Schedule
from i2i.engine.trainer import Trainer
from i2i.errors import DatasetError, ModelFileError, SettingsError, TrainingError
from i2i.experiment import Experiment, Tree, change, parse_yaml, set_width, to_yaml
from i2i.losses.reconstruction import l1
from i2i.networks.blocks import BatchNorm
from i2i.networks.settings import UNet, unet_depth
from i2i.recipes import recipe
from i2i.settings import Direction, Resize, as_dict
from i2i.translator import Card, NormMode, only_shapes, save_network

SHOWN = 6
"""Held-out pictures in a sample grid."""


class Listener:
    """What a run tells while it goes; the command line shows it, a library call stays silent."""

    def note(self, text: str) -> None:
        """A line that a person should read."""

    def started(self, step: int, steps: int) -> None:
        """Training begins after `step` of `steps`."""

    def stepped(self, step: int) -> None:
        """A step is done."""

    def logged(self, record: Record) -> None:
        """A line was added to the log."""


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
    existing: Literal["refuse", "continue", "overwrite"] = "refuse",
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
    with _prepared(run, existing):
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
        _clear(run)
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
        with _Signals() as signals:
            trainer.fit(
                loader,
                after_round=recorder.after_round,
                stop=lambda: signals.caught is not None or (deadline is not None and time.monotonic() > deadline),
            )
            recorder.finish()
    finally:
        recorder.close()
    if signals.caught is not None:
        tell.note(f"Stopped at step {trainer.progress.rounds} and saved. Go on with: i2i train --resume {run}")
        raise KeyboardInterrupt if signals.caught == signal.SIGINT else SystemExit(128 + signals.caught)
    if trainer.progress.rounds < steps:
        tell.note(f"Time is up at step {trainer.progress.rounds}; saved. Go on with: i2i train --resume {run}")
    return Run(run, trainer.progress.rounds, recorder.losses)


class Recorder:
    """Leaves a run's traces: log, samples, checkpoints, translator files, report."""

    def __init__(
        self,
        experiment: Experiment,
        run: Path,
        data: Path,
        opened: Opened,
        trainer: Trainer,
        rounds_per_epoch: int,
        tell: Listener,
    ) -> None:
        self.experiment, self.run, self.data, self.opened, self.trainer = experiment, run, data, opened, trainer
        self.rounds_per_epoch, self.tell = rounds_per_epoch, tell
        s = experiment.training
        self.log_every = s.log_every or max(1, min(100, trainer.steps // 200))
        self.sample_every = s.sample_every or max(1, trainer.steps // 20)
        self.losses: dict[str, float] = {}
        self.log = Log(run, trainer.progress.rounds)
        self._validated = opened.validation is not None
        self._seen = opened.validation if opened.validation is not None else opened.train
        self._seen_count = opened.counts["validation" if self._validated else "train"]
        self._first_step, self._start = trainer.progress.rounds, time.monotonic()
        self._earlier = _seconds_so_far(run)
        self._logged_at, self._logged_images, self._logged_wait = self._start, trainer.progress.images, 0.0
        self._saved_at, self._saved_step = self._start, -1

    def begin(self, where: str, fresh: bool) -> None:
        """Before the first step: settings on disk, and what the run will cost."""
        (self.run / "samples").mkdir(parents=True, exist_ok=True)
        (self.run / "experiment.yaml").write_text(to_yaml(self.experiment), encoding="utf-8")
        (self.run / "notes.txt").write_text("".join(f"{note}\n" for note in self.opened.notes), encoding="utf-8")
        trainer = self.trainer
        left = trainer.steps - trainer.progress.rounds
        if left <= 0:
            return
        batch = trainer.move(
            self._batch(self.opened.train, self.opened.counts["train"], self.experiment.training.batch_size)
        )
        seconds = trainer.rehearse(batch) * self.experiment.training.accumulate
        disk = self._disk()
        free = shutil.disk_usage(self.run).free
        self.tell.note(
            f"{left} steps on {where}; expected: {_span(seconds * left)}, {_memory(trainer)} of memory, "
            f"{_bytes(disk)} of disk in {self.run} ({_bytes(free)} free)."
        )
        if free < disk:
            raise TrainingError(
                f"{self.run}: {_bytes(free)} are free, but the run needs about {_bytes(disk)}. Make room, or choose "
                f"another place with --out."
            )
        if fresh:
            self.sample()

    def after_round(self, trainer: Trainer) -> None:
        """Log, sample and save when it is time."""
        step = trainer.progress.rounds
        self.tell.stepped(step)
        last = step >= trainer.steps
        if step % self.log_every == 0 or last:
            self.add_to_log()
        if step % self.sample_every == 0 and not last:
            self.sample()
        s = self.experiment.training
        due = bool(s.checkpoint_every) and step % s.checkpoint_every == 0
        if (due or time.monotonic() - self._saved_at > 60 * s.checkpoint_minutes) and not last:
            self.save()

    def finish(self) -> None:
        """The last state is always saved, however short the run was."""
        self.add_to_log()
        if self._saved_step != self.trainer.progress.rounds:
            self.sample()
            self.save()

    def close(self) -> None:
        """Finish the log's files."""
        self.log.close()

    def add_to_log(self) -> None:
        """One line of the log: the means since the last one."""
        trainer = self.trainer
        losses = trainer.fetch_losses()
        if not losses:
            return
        self.losses = losses
        now = time.monotonic()
        passed = max(now - self._logged_at, 1e-9)
        record: Record = {
            "step": trainer.progress.rounds,
            "images": trainer.progress.images,
            "epoch": round(trainer.progress.rounds / self.rounds_per_epoch, 3),
            "seconds": round(self._earlier + now - self._start, 3),
            "images_per_second": round((trainer.progress.images - self._logged_images) / passed, 3),
            "data_wait": round(min(1.0, (trainer.waited - self._logged_wait) / passed), 4),
            "learning_rate": trainer.learning_rate(),
            "losses": losses,
        }
        self._logged_at, self._logged_images, self._logged_wait = now, trainer.progress.images, trainer.waited
        self.log.add(record)
        self.tell.logged(record)

    def sample(self) -> None:
        """Show what the translators make of the same held-out pictures."""
        count = min(SHOWN, self._seen_count) if self.experiment.needs != "pictures" else 8
        batch = self.trainer.move(self._batch(self._seen, self._seen_count, count))
        with self._evaluating(self._norm_mode()), torch.inference_mode():
            shown = self.trainer.model.show(batch, self.trainer.translators())
            columns = {name: list(images.from_network(pictures)) for name, pictures in shown.items()}
        path = self.run / "samples" / f"{self.trainer.progress.rounds:08d}.png"
        images.write(path, report.sheet(columns))

    def save(self) -> None:
        """Checkpoint, translator files, report. Raises TrainingError rather than keep weights that are no numbers."""
        for name, value in self.trainer.model.state_dict().items():
            if value.is_floating_point() and not torch.isfinite(value).all():
                raise TrainingError(
                    f"step {self.trainer.progress.rounds}: the weights ({name}) are no numbers any more, so training "
                    f"was stopped; the checkpoint before it is kept. Start again with a lower --training.lr or "
                    f"--precision fp32."
                )
        state = self.trainer.state_dict() | {
            "experiment": to_yaml(self.experiment),
            "data": str(self.data.resolve()),
            "channels": list(self.opened.channels),
        }
        checkpoint.save(state, self.run / "checkpoint.pt")
        self._saved_at, self._saved_step = time.monotonic(), self.trainer.progress.rounds
        for direction, network in self.trainer.translators().items():
            self._save_translator(direction, network)
        report.run_report(self.run)

    def _save_translator(self, direction: str, network: nn.Module) -> None:
        source, target = self.opened.channels
        if direction == "sample":
            from safetensors.torch import save_file

            weights = {name: value.detach().cpu().contiguous() for name, value in network.state_dict().items()}
            save_file(weights, self.run / "sampler.safetensors")
            return
        two_sided = self.experiment.needs == "domains"
        data = self.experiment.data
        architecture = self.experiment.model.generator
        assert architecture.kind != "dcgan"
        if isinstance(architecture, UNet) and not architecture.depth:
            architecture = dataclasses.replace(architecture, depth=unet_depth(data.crop))
        card = Card(
            architecture=architecture,
            in_channels=source if direction == "AtoB" else target,
            out_channels=target if direction == "AtoB" else source,
            direction=("AtoB" if direction == "AtoB" else "BtoA") if two_sided else data.direction,
            resize=data.resize,
            size=data.size,
            labels=data.labels in ("both", "source" if direction == "AtoB" else "target"),
            norm_mode=self._norm_mode(),
            recipe=self.experiment.recipe,
            steps=self.trainer.progress.rounds,
        )
        name = f"translator_{direction}.safetensors" if two_sided else "translator.safetensors"
        save_network(network, card, self.run / name)

    def _norm_mode(self) -> NormMode:
        """How batch norm does better on held-out pairs; where that cannot be measured, as it was trained."""
        networks = list(self.trainer.translators().values())
        if not any(isinstance(layer, BatchNorm) for network in networks for layer in network.modules()):
            return "running"
        if self.experiment.needs != "pairs" or not self._validated:
            return "picture" if self.experiment.training.batch_size == 1 else "running"
        batch = self.trainer.move(self._batch(self._seen, self._seen_count, min(SHOWN, self._seen_count)))
        errors: dict[NormMode, float] = {}
        for mode in ("running", "picture"):
            with self._evaluating(mode), torch.inference_mode():
                shown = self.trainer.model.show(batch, self.trainer.translators())
                errors[mode] = float(l1(shown["translated"], shown["target"]))
        return min(errors, key=lambda mode: errors[mode])

    @contextmanager
    def _evaluating(self, mode: NormMode) -> Iterator[None]:
        """Dropout off, batch norm as it will be shipped; training's modes afterwards."""
        model = self.trainer.model
        # Averaged networks are no part of the model.
        networks = (model, *self.trainer.translators().values())
        layers = [layer for network in networks for layer in network.modules() if isinstance(layer, BatchNorm)]
        model.eval()
        for layer in layers:
            layer.own_statistics = mode == "picture"
        try:
            yield
        finally:
            model.train()
            for layer in layers:
                layer.own_statistics = False

    def _batch(self, dataset: Any, length: int, count: int) -> Any:
        items = [dataset[(0, index % length)] for index in range(count)]
        return type(items[0])(
            *(torch.stack([torch.as_tensor(part) for part in parts]) for parts in zip(*items, strict=True))
        )

    def _disk(self) -> int:
        model = sum(value.numel() * value.element_size() for value in self.trainer.model.state_dict().values())
        moments = sum(2 * 4 * weight.numel() for player in self.trainer.players.values() for weight in player.weights)
        shipped = sum(
            4 * weight.numel() for network in self.trainer.translators().values() for weight in network.parameters()
        )
        height, width = self.experiment.data.crop
        samples = 20 * 3 * SHOWN * 3 * height * width
        # Twice, because a checkpoint is written beside the one before it.
        return 2 * (model + moments) + shipped + samples


@contextmanager
def _prepared(run: Path, existing: Literal["refuse", "continue", "overwrite"]) -> Iterator[None]:
    """A folder for a new run; what was made for a run that never began is taken away again."""
    try:
        if run.exists() and not run.is_dir():
            raise TrainingError(f"{run}: is a file, wanted a folder for the run. Choose another with --out.")
        filled = run.exists() and any(run.iterdir())
        made = [folder for folder in (run, *run.parents) if not folder.exists()]
    except OSError as error:
        raise TrainingError(f"{run}: cannot be read ({error.strerror}). Choose another with --out.") from None
    if filled and existing != "continue" and not (run / "experiment.yaml").exists():
        raise TrainingError(f"{run}: holds something that is no run. Choose another folder with --out.")
    if filled and existing == "refuse":
        go_on = f"Go on with it (i2i train --resume {run})" if (run / "checkpoint.pt").exists() else "Use --continue"
        raise TrainingError(
            f"{run}: holds a run already. {go_on}, choose another folder with --out, or throw it away with --overwrite."
        )
    try:
        run.mkdir(parents=True, exist_ok=True)
        (run / ".writable").touch()
        (run / ".writable").unlink()
    except OSError as error:
        raise TrainingError(f"{run}: cannot be written to ({error.strerror}). Choose another with --out.") from None
    try:
        yield
    except BaseException:
        if not filled and not (run / "checkpoint.pt").exists() and not read_log(run / "log.jsonl"):
            _clear(run)
            for folder in made:
                with suppress(OSError):  # another run may have been started in there
                    folder.rmdir()
        raise


def _clear(run: Path) -> None:
    """Take away what a run leaves, and nothing else."""
    if not (run / "experiment.yaml").exists() and not (run / "log.jsonl").exists():
        return
    for name in ("samples", "tensorboard"):
        shutil.rmtree(run / name, ignore_errors=True)
    for pattern in ("*.safetensors*", "checkpoint.pt*", "log.jsonl*", "report.html", "notes.txt", "experiment.yaml"):
        for file in run.glob(pattern):
            file.unlink()


class _Signals:
    """Remembers that the process was asked to stop, so that a round is finished and the run saved first."""

    caught: signal.Signals | None = None

    def __enter__(self) -> "_Signals":
        names = ("SIGINT", "SIGTERM", "SIGUSR1")  # Windows has no SIGUSR1
        self._before: dict[int, Any] = {}
        if threading.current_thread() is threading.main_thread():
            for name in names:
                if hasattr(signal, name):
                    number = getattr(signal, name)
                    self._before[number] = signal.signal(number, self._catch)
        return self

    def _catch(self, number: int, frame: FrameType | None) -> None:
        self.caught = signal.Signals(number)

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)


def _workers(asked: int | Literal["auto"]) -> int:
    """Loader processes: as asked, or one core less than there are, at most 8."""
    import os

    if asked != "auto":
        return asked
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(8, cores - 1))


def _seconds_so_far(run: Path) -> float:
    records = read_log(run / "log.jsonl")
    return float(records[-1].get("seconds", 0.0)) if records else 0.0


def _memory(trainer: Trainer) -> str:
    """Peak memory of the rehearsal, and the optimizers' moments that it did not need."""
    moments = sum(2 * 4 * weight.numel() for player in trainer.players.values() for weight in player.weights)
    if trainer.device.type == "cuda":
        return _bytes(torch.cuda.max_memory_allocated(trainer.device) + moments)
    try:
        import resource
    except ImportError:  # Windows
        return "an unknown amount"
    import sys

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    return _bytes(peak + moments)


def _bytes(count: float) -> str:
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:.3g} TB"


def _span(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = seconds / 60
    return f"{minutes:.0f} min" if minutes < 90 else f"{minutes / 60:.1f} h"
