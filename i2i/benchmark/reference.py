"""The process of the reference: its own options, models, data and visualizer, from a checkout of PyTorch CycleGAN and
pix2pix that the user has. It runs in that folder, whose packages it imports by their names.
"""

import importlib
import importlib.util
import sys
import time
import types
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch

from i2i.benchmark.channel import Channel
from i2i.benchmark.memory import Peak
from i2i.benchmark.timing import synchronize

OPTIONAL = ("wandb", "dominate", "dominate.tags", "visdom")
"""What the reference imports for its display alone; empty stand-ins take the place of those that are not installed."""


class _Anything(types.ModuleType):
    """A module that has every name, and nothing behind it."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return None


def stand_in() -> bool:
    """Put stand-ins where packages of the display are missing; whether its HTML pages can be written."""
    missing = [name for name in OPTIONAL if importlib.util.find_spec(name.partition(".")[0]) is None]
    for name in missing:
        sys.modules[name] = _Anything(name)
    return "dominate" not in missing


class Reference(ABC):
    """The reference's training loop as its `train.py` has it, held up between rounds."""

    def __init__(self, flags: Sequence[str], device: str) -> None:
        pages = stand_in()
        sys.argv = ["train.py", *flags, *([] if pages else ["--no_html"])]
        options = importlib.import_module("options.train_options").TrainOptions()
        self.opt = options.parse()
        self.device = torch.device(device)
        if self.device.type == "cuda":
            torch.cuda.set_device(self.device)
        self.opt.device = self.device
        self.peak = Peak(self.device)
        self.model = importlib.import_module("models").create_model(self.opt)
        self.model.setup(self.opt)

    def play(self, rounds: int) -> dict[str, Any]:
        """Play so many rounds; what they took, as `arms.Played` takes it."""
        waited = 0.0
        synchronize(self.device)
        started = time.perf_counter()
        for _ in range(rounds):
            waited += self._round()
        synchronize(self.device)
        return {
            "rounds": rounds,
            "images": rounds * self.opt.batch_size,
            "seconds": time.perf_counter() - started,
            "waited": waited,
            "peak_bytes": self.peak.bytes(),
        }

    @abstractmethod
    def _round(self) -> float:
        """One round; the seconds it waited for data."""


class StepOnly(Reference):
    """Rounds on random pictures that are on the device already."""

    def __init__(self, flags: Sequence[str], device: str, shape: Sequence[int]) -> None:
        super().__init__(flags, device)
        a, b = (torch.rand(*shape, device=self.device) * 2 - 1 for _ in range(2))
        self.batch = {"A": a, "B": b, "A_paths": [""], "B_paths": [""]}

    def _round(self) -> float:
        self.model.set_input(self.batch)
        self.model.optimize_parameters()
        return 0.0


class EndToEnd(Reference):
    """Rounds from the folder, with the loader, the log, the pictures and the checkpoints of its own `train.py`."""

    def __init__(self, flags: Sequence[str], device: str) -> None:
        super().__init__(flags, device)
        self.dataset = importlib.import_module("data").create_dataset(self.opt)
        self.visualizer = importlib.import_module("util.visualizer").Visualizer(self.opt)
        self.seen, self.epoch = 0, 1
        self.batches = self._batches()

    def _batches(self) -> Iterator[Any]:
        while True:
            self.visualizer.reset()
            yield from self.dataset
            self.model.update_learning_rate()
            self.epoch += 1

    def _round(self) -> float:
        opt, asked = self.opt, time.perf_counter()
        batch = next(self.batches)
        waited = time.perf_counter() - asked
        self.seen += opt.batch_size
        self.model.set_input(batch)
        self.model.optimize_parameters()
        if self.seen % opt.display_freq == 0:
            self.model.compute_visuals()
            pictures = self.model.get_current_visuals()
            save = self.seen % opt.update_html_freq == 0
            self.visualizer.display_current_results(pictures, self.epoch, self.seen, save)
        if self.seen % opt.print_freq == 0:
            losses = self.model.get_current_losses()
            took = (time.perf_counter() - asked) / opt.batch_size
            self.visualizer.print_current_losses(self.epoch, self.seen, losses, took, waited)
        if self.seen % opt.save_latest_freq == 0:
            self.model.save_networks("latest")
        return waited


def main() -> int:
    """Serve one task: {"flags", "device", "shape": of a random batch, or None to read a folder}."""
    channel = Channel()
    task = channel.task()
    sys.path.insert(0, str(Path.cwd()))
    if task["shape"] is None:
        playing: Reference = EndToEnd(task["flags"], task["device"])
    else:
        playing = StepOnly(task["flags"], task["device"], task["shape"])
    channel.answer("ready", {"device": str(playing.device)})
    while (count := channel.rounds()) is not None:
        channel.answer("played", playing.play(count))
    return 0


if __name__ == "__main__":
    sys.exit(main())
