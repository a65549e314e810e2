"""Clocks, memory and the hardware's limits."""

import subprocess
import sys

import pytest
import torch

from i2i.benchmark import timing
from i2i.benchmark.hardware import Rates, measure_rates
from i2i.benchmark.spread import Spread
from i2i.benchmark.timing import calls_in, seconds_a_call

CPU = torch.device("cpu")


def test_a_spread_is_the_median_and_the_ends() -> None:
    assert Spread.of([5.0, 1.0, 3.0]) == Spread(3.0, 1.0, 5.0)
    assert Spread.of(iter([2.0])) == Spread(2.0, 2.0, 2.0)


def test_calls_fill_the_time() -> None:
    assert calls_in(2.0, 0.3) == 7
    assert calls_in(2.0, 9.0) == 1
    assert calls_in(0.0, 0.0) == 1


def test_seconds_are_of_one_call(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(timing.time, "perf_counter", lambda: now[0])

    def call() -> None:
        now[0] += 0.005

    found = seconds_a_call(call, CPU, repeats=2, least_s=0.02, warm_up=3)
    assert (found.lowest, found.median, found.highest) == pytest.approx((0.005, 0.005, 0.005))
    assert now[0] == pytest.approx(0.005 * (3 + 1 + 2 * 4))  # warm up, the first look, two times what fills 20 ms


# In a process of its own: what other tests leave to be freed at any moment would hide what came on top.
PEAK = """
import torch
from i2i.benchmark.memory import Peak

torch.ones(40_000_000)  # a higher peak of before
before = torch.ones(8_000_000)  # 32 MB that were there already
peak = Peak(torch.device("cpu"))
if peak.bytes() is not None:
    again = torch.ones(16_000_000)
    del again
print(peak.bytes())
"""


def test_the_peak_is_what_came_on_top() -> None:
    done = subprocess.run([sys.executable, "-c", PEAK], capture_output=True, text=True, timeout=300, check=True)
    if done.stdout.strip() == "None":
        pytest.skip("this system does not tell")
    assert 60e6 < int(done.stdout) < 90e6


def test_rates_are_of_the_precision_that_is_asked_for() -> None:
    rates = measure_rates(CPU, [torch.float32], repeats=1, scale=0.05)
    assert rates.matrix_bf16 is rates.convolution_bf16 is rates.matrix(torch.bfloat16) is None
    assert min(rates.matrix(torch.float32) or 0, rates.convolution(torch.float32) or 0, rates.copy) > 1e6
    assert rates.device.startswith("cpu")
    assert Rates(device="x", convolution_bf16=2.0).convolution(torch.bfloat16) == 2.0
