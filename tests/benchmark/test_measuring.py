"""Clocks, memory and the hardware's limits."""

import gc

import pytest
import torch

from i2i.benchmark.hardware import Rates, measure_rates
from i2i.benchmark.memory import Peak
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


def test_seconds_are_of_one_call() -> None:
    import time

    found = seconds_a_call(lambda: time.sleep(0.005), CPU, repeats=2, least_s=0.02, warm_up=0)
    assert 0.005 <= found.lowest <= found.median <= found.highest < 0.05


def test_the_peak_is_what_came_on_top() -> None:
    gc.collect()  # what other tests left would go away meanwhile
    before = torch.ones(8_000_000)  # 32 MB that were there already
    peak = Peak(CPU)
    if peak.bytes() is None:
        pytest.skip("this system does not tell")
    again = torch.ones(16_000_000)
    del again
    found = peak.bytes()
    assert found is not None
    assert 60e6 < found < 90e6
    del before


def test_rates_are_of_the_precision_that_is_asked_for() -> None:
    rates = measure_rates(CPU, [torch.float32], repeats=1, scale=0.05)
    assert rates.matrix_bf16 is rates.convolution_bf16 is rates.matrix(torch.bfloat16) is None
    assert min(rates.matrix(torch.float32) or 0, rates.convolution(torch.float32) or 0, rates.copy) > 1e6
    assert rates.device.startswith("cpu")
    assert Rates(device="x", convolution_bf16=2.0).convolution(torch.bfloat16) == 2.0
