"""The traces of a run: log, samples, checkpoints, translator files, report."""

import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import torch

from i2i import images, report
from i2i.data.opening import Opened
from i2i.engine import checkpoint, monitor
from i2i.engine.log import Log, Record
from i2i.engine.log import read as read_log
from i2i.engine.ranks import gather_own
from i2i.engine.series import MEMORY
from i2i.engine.settings import TrainingSettings
from i2i.engine.trainer import Trainer
from i2i.errors import TrainingError
from i2i.experiment import Experiment, to_yaml
from i2i.files import write_safetensors, write_text
from i2i.training.best import PAIRS, Best, Validation
from i2i.training.expected import announce
from i2i.training.folder import writing
from i2i.training.listener import Listener
from i2i.training.probing import Probe
from i2i.training.rollback import told
from i2i.training.shipping import choose_norm_mode, evaluating, ship
from i2i.translator import NormMode

SHOWN = 6
"""Held-out pictures in a sample grid."""
GRADIENTS = 20
"""Steps between two measurements of the gradients, at least: reading all of them is a fiftieth of a small step."""


class Recorder:
    """Leaves a run's traces: log, samples, checkpoints, translator files, report."""

    def __init__(
        self,
        experiment: Experiment,
        run: Path,
        data: Path,
        opened: Opened,
        trainer: Trainer,
        images_per_epoch: int,
        tell: Listener,
        skipped: Callable[[str], None],
        state: Mapping[str, Any] | None = None,
    ) -> None:
        """`skipped` is told of pictures that cannot be read; `state` is the checkpoint that the run goes on from."""
        self.experiment, self.run, self.data, self.opened, self.trainer = experiment, run, data, opened, trainer
        self.images_per_epoch, self.tell, self.skipped = images_per_epoch, tell, skipped
        s = experiment.training
        self.log_every = log_interval(s, trainer.steps)
        self.sample_every = s.sample_every or max(1, trainer.steps // 20)
        self.losses: dict[str, float] = {}
        self.log = Log(run, trainer.progress.rounds)
        self._validated = opened.validation is not None
        self._seen = opened.validation if opened.validation is not None else opened.train
        self._seen_count = opened.counts["validation" if self._validated else "train"]
        self._start = time.monotonic()
        records = read_log(run / "log.jsonl")
        self._earlier = float(records[-1].get("seconds", 0.0)) if records else 0.0
        self._logged_step = records[-1]["step"] if records else 0
        self._logged_at, self._logged_images, self._logged_wait = self._start, trainer.progress.images, 0.0
        self._saved_at, self._saved_step = self._start, -1
        self._due = trainer.world.agreement()
        self._rollbacks: list[dict[str, Any]] = list(state["rollbacks"]) if state else []
        self._best = Best(state["best"] if state else {})
        self._validation = Validation(experiment, opened, self.sample_every * s.batch * trainer.world.size)
        self._norm_mode: NormMode = choose_norm_mode(experiment, trainer, [])
        self._measured_step = -1
        self._fallback: str | None = None
        # What batch norm is shipped as may change at a save, and saves come by the clock: looks keep to one mode.
        held_out = partial(self._batch, self._seen), self._seen_count
        trained_on = (partial(self._batch, opened.train), opened.counts["train"]) if self._validated else None
        self._probe = Probe(trainer, self._norm_mode, held_out, trained_on, self.log_every)
        self._lines: list[Record] = read_log(run / "log.jsonl")[-MEMORY:]
        looks = [index for index, record in enumerate(self._lines) if self._probe.due(record["step"])]
        self._verdict = monitor.verdict_of(self._lines[: looks[-1] + 1] if looks else [])

    def begin(self, where: str, fresh: bool) -> None:
        """Before the first step: settings on disk, and what the run will cost."""
        notes = [*self.opened.notes, *map(told, self._rollbacks)]
        with writing(self.run):
            (self.run / "samples").mkdir(parents=True, exist_ok=True)
            write_text(self.run / "experiment.yaml", to_yaml(self.experiment))
            write_text(self.run / "notes.txt", "".join(f"{note}\n" for note in notes))
        trainer = self.trainer
        if trainer.progress.rounds >= trainer.steps:
            return
        batch = trainer.move(self._batch(self.opened.train, range(self.experiment.training.batch)))
        pictures = 3 * SHOWN * max(1, trainer.steps // self.sample_every)
        self.tell.note(announce(trainer, batch, self.run, where, pictures))
        if self._validation.note:
            self.tell.note(f"{self._validation.note[0].upper()}{self._validation.note[1:]}.")
        if fresh:
            self.sample()

    def after_round(self, trainer: Trainer) -> None:
        """Log, sample and save when it is time."""
        step = trainer.progress.rounds
        self.tell.stepped(step)
        last = step >= trainer.steps
        if step % self.sample_every == 0 or last:
            self.validate()
        if step % self.log_every == 0 or last:
            self.add_to_log()
        if step % self.sample_every == 0 and not last:
            self.sample()
        s = self.experiment.training
        due = bool(s.checkpoint_every) and step % s.checkpoint_every == 0
        timely = self._due(int(time.monotonic() - self._saved_at > 60 * s.checkpoint_minutes))
        if (due or timely) and not last:
            self.save()

    def finish(self) -> None:
        """The last state is always saved, however short the run was.

        A run that was stopped between two lines of its log adds none: sums are saved, and the line comes when its step
        does.
        """
        if self._saved_step != self.trainer.progress.rounds:
            # The state first: the pictures that samples show may be gone.
            self._save_state()
            self._measure_norm_mode()
            self.sample()
            self._publish()

    def close(self) -> None:
        """Finish the log's files."""
        self.log.close()

    def add_to_log(self) -> None:
        """One line of the log: the means since the last one."""
        trainer = self.trainer
        try:
            losses = trainer.fetch_losses()
        except TrainingError as error:
            raise TrainingError(f"{error}{self._keep_broken()}") from None
        if not losses:
            return
        self.losses = losses
        health = self._signs()
        now = time.monotonic()
        passed = max(now - self._logged_at, 1e-9)
        record: Record = {
            "step": trainer.progress.rounds,
            "images": trainer.progress.images,
            "epoch": round(trainer.progress.images / self.images_per_epoch, 3),
            "seconds": round(self._earlier + now - self._start, 3),
            "images_per_second": round((trainer.progress.images - self._logged_images) / passed, 3),
            "data_wait": round(min(1.0, (trainer.waited - self._logged_wait) / passed), 4),
            "replayed": trainer.replayed,
            "learning_rate": trainer.learning_rate(),
            "losses": losses,
            "health": health,
        }
        self._judge(record)
        self._tell_fallback()
        if rolled := [one for one in self._rollbacks if self._logged_step <= one["step"] < record["step"]]:
            record["rollbacks"] = rolled
        if validation := self._best.since_last_line():
            record["validation"] = validation
        self._logged_step = record["step"]
        self._logged_at, self._logged_images, self._logged_wait = now, trainer.progress.images, trainer.waited
        with writing(self.run):
            self.log.add(record)
        self.tell.logged(record)

    def _tell_fallback(self) -> None:
        """Why a GPU plays without a graph, once."""
        reason = self.trainer.fallback
        if self.trainer.device.type == "cuda" and reason not in (None, self._fallback):
            self._fallback = reason
            self.tell.note(f"Rounds are played kernel by kernel, not as one CUDA graph: {reason}.")

    def _signs(self) -> dict[str, Any]:
        """What the monitor reads: D's scores over the rounds, gradients, and now and then a look at pictures."""
        step = self.trainer.progress.rounds
        signs: dict[str, Any] = dict(self.trainer.signals)
        if step // GRADIENTS != (step - self.log_every) // GRADIENTS:
            signs |= {f"{name}/gradient": norm for name, norm in self.trainer.gradient_norms().items()}
        if self._probe.due(step):
            signs |= self._probe.look(step)
        return {name: float(f"{value:.6g}") for name, value in signs.items() if math.isfinite(value)}

    def _judge(self, record: Record) -> None:
        """Put the verdict into a line of the log, and say it where it has changed."""
        self._lines = [*self._lines[1 - MEMORY :], record]
        before = self._verdict
        # A verdict looks back on many lines: it is as old as the last look, which cost more.
        if self._probe.due(record["step"]) or not record["losses"]:
            self._verdict = monitor.verdict_of(self._lines)
        record["health"]["verdict"] = self._verdict.name
        if self._verdict.name != before.name and not (self._verdict.healthy and before.healthy):
            self.tell.note(monitor.told(self._verdict, record["step"]))

    def _keep_broken(self) -> str:
        """Leave the batch of the first round that was no number, and say where."""
        trainer, broken = self.trainer, self.trainer.broken()
        record: Record = {"step": trainer.progress.rounds, "images": trainer.progress.images, "losses": {}}
        record["health"] = {"not a number": ["loss"], "broken step": broken[0] if broken else trainer.progress.rounds}
        self._judge(record)
        self.log.add(record)
        if broken is None:
            return " Another process had the batch that did it." if trainer.world.size > 1 else ""
        step, batch = broken
        path = self.run / "broken.safetensors"
        write_safetensors(batch, {"step": str(step)}, path)
        pictures = {name: part for name, part in batch.items() if part.ndim == 4}
        columns = {name: list(images.from_network(part.nan_to_num())) for name, part in pictures.items()}
        images.write(path.with_suffix(".png"), report.sheet(columns))
        return f" The batch of step {step}, the first to do it, is kept: {path.with_suffix('.png')} and {path}."

    def sample(self) -> None:
        """Show what the translators make of the same held-out pictures."""
        count = 8 if self.experiment.needs == "pictures" else min(SHOWN, self._seen_count)
        batch = self.trainer.move(self._batch(self._seen, range(count)))
        with evaluating(self.trainer, self._norm_mode), torch.inference_mode():
            shown = self.trainer.model.show(batch, self.trainer.translators())
            columns = {name: list(images.from_network(pictures)) for name, pictures in shown.items()}
        path = self.run / "samples" / f"{self.trainer.progress.rounds:08d}.png"
        with writing(self.run):
            images.write(path, report.sheet(columns))

    def validate(self) -> None:
        """Measure the translators on held-out pictures, and ship those as the best that are the best so far."""
        found = self._validation(self.trainer, self._measured(self._validation.pictures))
        for name in self._best.look(self.trainer.progress.rounds, found):
            mode = found[name].norm_mode
            with writing(self.run):
                ship(self.experiment, self.opened.channels, self.trainer, mode, self.run, "best", only=name)

    def _measured(self, most: int = PAIRS) -> Iterator[Any]:
        """Held-out batches on which is measured: always the same, of at most so many items."""
        measured = min(most, self._seen_count) if self._validated else 0
        indices = [range(start, min(start + SHOWN, measured)) for start in range(0, measured, SHOWN)]
        return (self.trainer.move(self._batch(self._seen, chosen)) for chosen in indices)

    def save(self) -> None:
        """Checkpoint, translator files, report."""
        self._save_state()
        self._publish()

    def _save_state(self) -> None:
        """The checkpoint. Raises TrainingError rather than keep weights that are no numbers."""
        for name, value in self.trainer.model.state_dict().items():
            if value.is_floating_point() and not torch.isfinite(value).all():
                raise TrainingError(
                    f"step {self.trainer.progress.rounds}: the weights ({name}) are no numbers any more, so training "
                    f"was stopped; the checkpoint before it is kept. Start again with a lower --training.lr or "
                    f"--precision fp32.{self._keep_broken()}"
                )
        own = {"ranks": gather_own(self.trainer)} if self.trainer.world.size > 1 else {}
        state = {
            **self.trainer.state_dict(),
            **own,
            "experiment": to_yaml(self.experiment),
            "data": str(self.data.resolve()),
            "channels": list(self.opened.channels),
            "rollbacks": self._rollbacks,
            "best": self._best.state(),
        }
        path = self.run / "checkpoint.pt"
        checkpoint.save(state, path)
        checkpoint.keep(path, self.trainer.progress.rounds, self.experiment.training.keep)
        self._saved_at, self._saved_step = time.monotonic(), self.trainer.progress.rounds

    def _publish(self) -> None:
        """Translator files and report."""
        self._measure_norm_mode()
        with writing(self.run):
            captions = self.opened.captions
            ship(self.experiment, self.opened.channels, self.trainer, self._norm_mode, self.run, captions=captions)
            report.run_report(self.run)

    def _measure_norm_mode(self) -> None:
        """Once a saved state: how batch norm does better on held-out pictures."""
        if self._measured_step != self.trainer.progress.rounds:
            self._measured_step = self.trainer.progress.rounds
            self._norm_mode = choose_norm_mode(self.experiment, self.trainer, self._measured())

    def _batch(self, dataset: Any, indices: Iterable[int]) -> Any:
        length = self._seen_count if dataset is self._seen else self.opened.counts["train"]
        batch = stacked(dataset, (index % length for index in indices))
        for reason in dataset.new_failures().values():
            self.skipped(reason)
        return batch


def log_interval(settings: TrainingSettings, steps: int) -> int:
    """Steps between two lines of the log."""
    return settings.log_every or max(1, min(100, steps // 200))


def stacked(dataset: Any, indices: Iterable[int]) -> Any:
    """Items of a dataset as one batch."""
    items = [dataset[(0, index)] for index in indices]
    return type(items[0])(
        *(torch.stack([torch.as_tensor(part) for part in parts]) for parts in zip(*items, strict=True))
    )
