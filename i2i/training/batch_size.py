"""The batch size, where it is left to us: tried out before the run, on networks that are thrown away."""

import gc
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

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
"""Gains that noise may have made or hidden: both sizes are measured again."""
AGAIN = 2
"""How often, at most."""
HOST_ROUND_S = 0.5
"""A step of this length on a CPU is arithmetic almost alone: a larger batch would save next to nothing of it."""


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
    longest = math.inf if device.type == "cuda" else HOST_ROUND_S
    try:
        trial = _Trial(experiment, opened, device, precision)
        try:
            return choose(trial.seconds, largest=max(1, min(LARGEST, pictures)), longest=longest)
        finally:
            trial.end()
    finally:
        set_random_state(random, device)


def choose(measure: Callable[[int], float | None], *, largest: int, longest: float) -> Chosen:
    """Double from 1 on while that pays; `measure` gives the seconds of a round, or None where it does not fit.

    Of two sizes the smaller is taken unless the larger is clearly faster, and what is not clear is measured again, the
    fastest of all rounds counting: noise makes rounds slower, never faster. So runs of the same settings on the same
    machine choose the same.
    """
    size, seconds = 1, measure(1)
    assert seconds is not None
    rates = {1: 1 / seconds}

    def chosen(reason: str) -> Chosen:
        return Chosen(size, rates, reason)

    while 2 * size <= largest:
        if size / rates[size] >= longest:
            return chosen(f"a step of {size / rates[size]:.2g} s is long enough for this device")
        double = measure(2 * size)
        if double is None:
            return chosen(f"{2 * size} would not leave enough memory free")
        rates[2 * size] = 2 * size / double
        for _ in range(AGAIN):
            if UNSURE[0] <= rates[2 * size] / rates[size] <= UNSURE[1]:
                for one in (size, 2 * size):
                    rates[one] = max(rates[one], one / (measure(one) or math.inf))
        if rates[2 * size] < GAIN * rates[size]:
            return chosen(f"{2 * size} is less than {GAIN - 1:.0%} faster")
        size *= 2
    return chosen("the largest that is tried, or that the set is large enough for")


class _Trial:
    """Rounds of an experiment at any batch size."""

    def __init__(self, experiment: Experiment, opened: Opened, device: torch.device, precision: torch.dtype) -> None:
        self.settings = replace(experiment.training, compile=False)
        self.device, self.precision = device, precision
        self.cuda = device.type == "cuda"
        self.item = stacked(opened.train, [0])
        torch.manual_seed(self.settings.seed)
        self.model = experiment.build(*opened.channels).to(device)
        self.weights = sum(weight.nbytes for weight in self.model.parameters())
        self.trainer: Trainer | None = None
        self.room = self._room(expected_bytes(opened.train))
        self.kept = 0
        """Bytes that a round of one picture keeps for its gradients; measured where memory cannot be asked."""

    def seconds(self, size: int) -> float | None:
        """Of one round at this batch size; None where memory does not suffice."""
        # A host that is out of memory ends the process, or swaps for minutes, instead of saying so.
        if not self.cuda and size > 1 and 3 * self.weights + size * self.kept > self.room:
            return None
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
        trainer = self.trainer = self.trainer or Trainer(
            self.model,
            self.settings,
            steps=1,
            schedule=Schedule("constant", 1, 1),
            device=self.device,
            precision=self.precision,
        )
        batch = type(self.item)(*(part.repeat(size, *(1,) * (part.ndim - 1)) for part in self.item))
        batches = [trainer.move(batch)] * self.settings.accumulate

        def play(rounds: int) -> float:
            started = time.perf_counter()
            for _ in range(rounds):
                trainer.round(batches)
            self._wait()
            return (time.perf_counter() - started) / rounds

        if self.cuda:
            play(WARM_UP + 2)  # kernels chosen, the round recorded
            rounds = _between(3, 50, 0.3 / play(3))
            found = min(play(rounds) for _ in range(3))
        else:
            self.kept = self.kept or _bytes_kept(lambda: play(1), self.weights)
            first = play(1)
            found = min(first, *(play(1) for _ in range(_between(2, 9, 0.7 / first))))
        return found / self.settings.accumulate

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


def _between(least: int, most: int, value: float) -> int:
    return max(least, min(most, round(value)))
