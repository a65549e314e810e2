"""The batch size, where it is left to us: tried out before the run, on networks that are thrown away."""

import gc
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from statistics import median
from typing import Any

import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from i2i.data import machine
from i2i.data.cache import expected_bytes
from i2i.data.feeding import OF_DEVICE
from i2i.data.opening import Opened
from i2i.engine.graph import WARM_UP
from i2i.engine.schedule import Schedule
from i2i.engine.trainer import Trainer, random_state, set_random_state
from i2i.experiment import Experiment
from i2i.training.memory import out_of_memory, release
from i2i.training.recorder import stacked

LARGEST = 64
FULL = 0.8
"""Share of the free memory that a step may take: the rest is for samples, fragments and other programs."""
GAIN = 1.2
"""So many times the pictures a second have to be worth a doubled batch: twice the noise of a machine that is in use."""
UNSURE = (1.0, 1.5)
"""Gains that noise may have made or hidden: they are measured more often."""
PAIRS = {"cuda": (1, 5), "cpu": (3, 9)}
"""How often two sizes are compared: at least, and at most where the gain is unsure."""
ARITHMETIC = 1.5e10
"""Operations of a step, for each CPU core, that take it so long that a larger batch would save next to nothing."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """A batch size, the pictures a second of all that were tried, and why no larger one was taken."""

    size: int
    rates: dict[int, float]
    reason: str

    def __str__(self) -> str:
        tried = ", ".join(f"{size}: {rate:.3g}" for size, rate in self.rates.items())
        return f"batch size {self.size}, by trying (images/s of {tried}); {self.reason}"


def choose_batch_size(
    experiment: Experiment, opened: Opened, device: torch.device, precision: torch.dtype, pictures: int
) -> Chosen:
    """The batch size of this experiment here: a power of two, of `pictures` an epoch at most.

    Rounds are played on a model of its own with one picture of the set, so nothing is learnt; torch's random numbers
    are put back. Networks are not compiled for it. Raises what torch raises where not even one picture fits.
    """
    random = random_state(device)
    try:
        trial = _Trial(experiment, opened, device, precision)
        try:
            limits = {"no larger one is tried": LARGEST, "the set is too small for more": pictures} | trial.limits()
            return choose(trial.seconds, limits, *PAIRS.get(device.type, PAIRS["cpu"]))
        finally:
            trial.end()
    finally:
        set_random_state(random, device)


def choose(measure: Callable[[int], float | None], limits: Mapping[str, float], least: int, most: int) -> Chosen:
    """Double from 1 on while that pays, within `limits` ({reason: largest size}).

    `measure` gives the seconds of a round, or None where memory does not suffice. Of two sizes the smaller is taken
    unless the larger is clearly faster. They are measured in turns and compared pair by pair, at least and at most so
    often, by the median of the gains: so a slow second of the machine meets both, and runs of the same settings on
    the same machine choose the same.
    """
    size, first = 1, measure(1)
    assert first is not None
    rates = {1: 1 / first}

    def chosen(reason: str) -> Chosen:
        return Chosen(size, rates, reason)

    while True:
        double = 2 * size
        reached = [reason for reason, largest in limits.items() if double > largest]
        if reached:
            return chosen(reached[0])
        pairs: list[tuple[float, float]] = []
        gain = math.nan
        while len(pairs) < least or (len(pairs) < most and UNSURE[0] <= gain <= UNSURE[1]):
            longer, shorter = measure(double), measure(size)
            if longer is None or shorter is None:
                return chosen(f"{double} would not leave enough memory free")
            pairs.append((shorter, longer))
            gain = median(2 * one / two for one, two in pairs)
        rates[size], rates[double] = size / median(one for one, _ in pairs), double / median(two for _, two in pairs)
        if gain < GAIN:
            return chosen(f"{double} is less than {GAIN - 1:.0%} faster")
        size = double


class _Trial:
    """Rounds of an experiment at any batch size."""

    def __init__(self, experiment: Experiment, opened: Opened, device: torch.device, precision: torch.dtype) -> None:
        self.settings = replace(experiment.training, compile=False)
        self.device, self.precision = device, precision
        self.cuda = device.type == "cuda"
        self.item = stacked(opened.train, [0])
        torch.manual_seed(self.settings.seed)
        self.model = experiment.build(*opened.channels).to(device)
        self.trainer: Trainer | None = None
        self.room = self._room(expected_bytes(opened.train))
        self.played: set[int] = set()

    def limits(self) -> dict[str, float]:
        """Largest sizes by what is counted in a round of one picture; of a GPU nothing has to be counted.

        A host that is out of memory ends the process, or swaps for minutes, instead of saying so.
        """
        if self.cuda:
            return {}
        weights = sum(weight.nbytes for weight in self.model.parameters())
        trainer, batches = self._trainer(), self._batches(1)
        with FlopCounterMode(display=False) as counter:
            kept = _bytes_kept(lambda: trainer.round(batches), weights)
        operations = max(1, counter.get_total_flops())
        return {
            "a step is long enough for this device": 2 * ARITHMETIC * torch.get_num_threads() / operations,
            "a larger one would not leave enough memory free": (self.room - 3 * weights) / max(1, kept),
        }

    def seconds(self, size: int) -> float | None:
        """Of one round at this batch size; None where memory does not suffice."""
        if self.cuda:
            # A graph recorded for another size holds memory of its own.
            self.trainer = None
            self._free()
        try:
            seconds = self._play(size)
        except (RuntimeError, MemoryError) as error:
            if size == 1 or not out_of_memory(error):
                raise
            release(error)
            return None
        too_much = self.cuda and size > 1 and torch.cuda.max_memory_reserved(self.device) > self.room
        return None if too_much else seconds

    def end(self) -> None:
        """Leave the device as it was."""
        self.trainer = None
        del self.model
        self._free()

    def _play(self, size: int) -> float:
        trainer, batches = self._trainer(), self._batches(size)

        def play(rounds: int) -> float:
            started = time.perf_counter()
            for _ in range(rounds):
                trainer.round(batches)
            self._wait()
            return (time.perf_counter() - started) / rounds / len(batches)

        if self.cuda:
            play(WARM_UP + 2)  # kernels chosen, the round recorded
            rounds = max(3, min(50, round(0.3 / play(3))))
            return min(play(rounds) for _ in range(2))
        if size not in self.played:
            self.played.add(size)
            play(1)
        return play(1)

    def _trainer(self) -> Trainer:
        self.trainer = self.trainer or Trainer(
            self.model,
            self.settings,
            steps=1,
            schedule=Schedule("constant", 1, 1),
            device=self.device,
            precision=self.precision,
        )
        return self.trainer

    def _batches(self, size: int) -> list[Any]:
        batch = type(self.item)(*(part.repeat(size, *(1,) * (part.ndim - 1)) for part in self.item))
        return [self._trainer().move(batch)] * self.settings.accumulate

    def _room(self, pictures: int) -> float:
        """Bytes that a round may take, when the decoded pictures of the set (so many bytes) are kept where they fit."""
        if self.cuda:
            free = torch.cuda.mem_get_info(self.device)[0] + torch.cuda.memory_reserved(self.device)
            return FULL * (free - (pictures if pictures <= OF_DEVICE * free else 0))
        free = machine.free_memory() / machine.siblings()
        return FULL * (free - (pictures if pictures <= free / 2 else 0))

    def _free(self) -> None:
        gc.collect()
        if self.cuda:
            torch.cuda.empty_cache()
            torch.cuda.reset_peak_memory_stats(self.device)

    def _wait(self) -> None:
        if self.cuda:
            torch.cuda.synchronize(self.device)
        elif self.device.type == "mps":
            torch.mps.synchronize()


def _bytes_kept(play: Callable[[], Any], weights: int) -> int:
    """What autograd keeps in a round, by the places in memory that it lies in; the weights among them do not count."""
    places: dict[int, int] = {}

    def look(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        places[storage.data_ptr()] = max(storage.nbytes(), places.get(storage.data_ptr(), 0))
        return tensor.detach()

    with torch.autograd.graph.saved_tensors_hooks(look, lambda tensor: tensor):
        play()
    return max(0, sum(places.values()) - weights)
