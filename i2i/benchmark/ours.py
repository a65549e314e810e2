"""The process of our training: rounds on tensors that are on the device already, or a whole run from a folder."""

import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any
from unittest import mock

import torch

from i2i.benchmark.batches import random_batch
from i2i.benchmark.channel import Channel
from i2i.benchmark.memory import Peak
from i2i.benchmark.timing import synchronize
from i2i.engine.device import choose_device, choose_precision
from i2i.engine.schedule import Schedule
from i2i.engine.trainer import Event, Trainer
from i2i.errors import UserError
from i2i.experiment import Experiment, parse_yaml
from i2i.training import Listener, playing, train

ENDLESS = 10**9
"""Steps of a run that is ended from outside."""


class Stopwatch:
    """Counts the rounds of a trainer from a start on."""

    def __init__(self, trainer: Trainer, peak: Peak) -> None:
        self.trainer, self.peak = trainer, peak
        self.start()

    def start(self) -> None:
        """Count from here."""
        synchronize(self.trainer.device)
        self._progress, self._waited, self._replayed = self.trainer.progress, self.trainer.waited, self._graph_rounds()
        self._started = time.perf_counter()

    def read(self) -> dict[str, Any]:
        """What was played since the start, as `arms.Played` takes it."""
        synchronize(self.trainer.device)
        now, trainer = time.perf_counter(), self.trainer
        return {
            "rounds": trainer.progress.rounds - self._progress.rounds,
            "images": trainer.progress.images - self._progress.images,
            "seconds": now - self._started,
            "waited": trainer.waited - self._waited,
            "peak_bytes": self.peak.bytes(),
            "replayed": self._graph_rounds() - self._replayed,
            "fallback": getattr(trainer, "fallback", None),
        }

    def _graph_rounds(self) -> int:
        return getattr(self.trainer, "replayed", 0)


def make_trainer(
    experiment: Experiment, device: torch.device, precision: torch.dtype, channels: tuple[int, int] = (3, 3)
) -> Trainer:
    """A trainer as a run makes it, for a run without end."""
    torch.manual_seed(experiment.training.seed)
    model = experiment.build(*channels)
    schedule = Schedule(experiment.training.schedule, ENDLESS, 1)
    return Trainer(model, experiment.training, steps=ENDLESS, schedule=schedule, device=device, precision=precision)


def step_only(experiment: Experiment, device: str, tell: Callable[[str, Any], None], rounds: Callable[[], Any]) -> None:
    """Play rounds on random pictures that stay on the device."""
    where = choose_device(device)
    peak = Peak(where)
    trainer = make_trainer(experiment, where, choose_precision(experiment.training.precision, where))
    batches = [trainer.move(random_batch(experiment)) for _ in range(experiment.training.accumulate)]
    watch = Stopwatch(trainer, peak)
    tell("ready", {"device": str(where)})
    while (count := rounds()) is not None:
        watch.start()
        for _ in range(count):
            trainer.round(batches)
        tell("played", watch.read())
        trainer.fetch_losses()  # their sums would grow for ever


class _Enough(BaseException):
    """Ends a run from inside: no error, and nothing that a run would handle as one."""


class Paced(Listener):
    """Lets a run go on for as many rounds as it is told, and holds it up in between."""

    def __init__(self, peak: Peak, tell: Callable[[str, Any], None], rounds: Callable[[], Any]) -> None:
        self.peak, self.tell, self.rounds = peak, tell, rounds
        self.watch: Stopwatch | None = None
        self.until = 0

    def playing(self, trainer: Trainer) -> None:
        """The run is about to begin."""
        self.watch = Stopwatch(trainer, self.peak)
        self.tell("ready", {"device": str(trainer.device)})
        self._next()

    def stepped(self, step: int) -> None:
        """A round is over, its log line not yet written: that belongs to the time of the next."""
        if self.watch is not None and step >= self.until:
            self.tell("played", self.watch.read())
            self._next()

    def _next(self) -> None:
        count = self.rounds()
        if count is None:
            raise _Enough
        assert self.watch is not None
        self.until = self.watch.trainer.progress.rounds + count
        self.watch.start()


def end_to_end(
    experiment: Experiment,
    data: Path,
    device: str,
    workers: Any,
    tell: Callable[[str, Any], None],
    rounds: Callable[[], Any],
) -> None:
    """Train from a folder as `i2i train` does, with loader, log, samples and checkpoints, into a folder that goes."""
    paced = Paced(Peak(choose_device(device)), tell, rounds)

    class Watched(Trainer):
        def fit(self, batches: Iterable[Any], *, after_round: Event, stop: Callable[[], bool]) -> None:
            paced.playing(self)
            super().fit(batches, after_round=after_round, stop=stop)

    with tempfile.TemporaryDirectory(prefix="i2i-benchmark-") as folder, mock.patch.object(playing, "Trainer", Watched):
        try:
            train(experiment, data=data, out=Path(folder) / "run", device=device, workers=workers, listener=paced)
        except _Enough:
            return
    tell("error", "the run was over before it was measured: give more --epochs or fewer --rounds.")


def main() -> int:
    """Serve one task: {"experiment": YAML, "device", "data", "workers"}."""
    channel = Channel()
    task = channel.task()
    try:
        experiment = parse_yaml(task["experiment"], "the experiment")
        if task["data"] is None:
            step_only(experiment, task["device"], channel.answer, channel.rounds)
        else:
            data, workers = Path(task["data"]), task["workers"]
            end_to_end(experiment, data, task["device"], workers, channel.answer, channel.rounds)
    except UserError as error:
        channel.answer("error", str(error))
        return 2
    except torch.OutOfMemoryError as error:
        channel.answer("error", f"out of memory ({str(error).splitlines()[0]}) Lower --batch-size, --size or --width.")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
