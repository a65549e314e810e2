"""Seconds of a call on any device."""

import math
import time
from collections.abc import Callable

import torch

from i2i.benchmark.spread import Spread


def synchronize(device: torch.device) -> None:
    """Wait until the device has done what it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()


def seconds_a_call(
    call: Callable[[], object], device: torch.device, *, repeats: int = 5, least_s: float = 0.2, warm_up: int = 2
) -> Spread:
    """Seconds of one call: the mean of as many as fill `least_s`, repeated."""
    for _ in range(warm_up):
        call()
    calls = calls_in(least_s, _seconds(call, device, 1))
    return Spread.of(_seconds(call, device, calls) / calls for _ in range(max(1, repeats)))


def calls_in(seconds: float, one: float) -> int:
    """How many calls of `one` second each fill so many seconds; 1 or more."""
    return max(1, math.ceil(seconds / max(one, 1e-7)))


def _seconds(call: Callable[[], object], device: torch.device, calls: int) -> float:
    synchronize(device)
    started = time.perf_counter()
    for _ in range(calls):
        call()
    synchronize(device)
    return time.perf_counter() - started
