"""When another engine takes over from torch."""

from typing import Any

import pytest
import torch
from torch import Tensor

from i2i.errors import SettingsError
from i2i.networks.settings import ResNet, UNet
from i2i.translator.backends import Auto, auto

BATCH = torch.zeros(4, 3, 8, 8)


class Engine:
    """Adds a number, and counts its batches."""

    def __init__(self, name: str, added: float = 0.0) -> None:
        self.name, self.added, self.batches = name, added, 0

    def __call__(self, batch: Tensor, half: bool) -> Tensor:
        self.batches += 1
        return batch + self.added


class Bench:
    """An Auto over two such engines, and what it said."""

    def __init__(self, kept: bool = True, engines: Any = ("openvino",), architecture: Any = None, **options: Any):
        self.torch, self.other = Engine("torch"), Engine("openvino", options.pop("added", 0.0))
        self.said: list[str] = []
        self.prepared: list[str] = []
        fail = options.pop("fail", None)

        def prepare(name: str) -> Engine:
            self.prepared.append(name)
            if fail:
                raise fail
            return self.other

        self.auto = Auto(
            self.torch,
            architecture or UNet(),
            engines=engines,
            is_kept=lambda: kept,
            prepare=prepare,
            tell=self.said.append,
        )

    def run(self, batches: int, left: int, half: bool = False) -> None:
        self.auto.left = left
        for _ in range(batches):
            self.auto(BATCH, half)


@pytest.fixture(autouse=True)
def a_second_a_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    now = iter(range(0, 10_000, 4))
    monkeypatch.setattr(auto.time, "perf_counter", lambda: float(next(now)))


def test_many_pictures_go_on_with_the_faster_engine_and_it_says_so() -> None:
    bench = Bench(kept=False)
    bench.run(4, left=1000)
    assert (bench.torch.batches, bench.other.batches) == (2, 3)  # the second batch through both
    assert bench.auto.name == "openvino"
    assert [line for line in bench.said if "openvino" in line]


def test_few_pictures_stay_with_torch() -> None:
    for left, kept, moves in ((40, False, False), (40, True, True), (15, True, False), (0, True, False)):
        bench = Bench(kept=kept)
        bench.run(3, left=left)
        assert bool(bench.prepared) is moves, (left, kept)


def test_bf16_and_unknown_gains_stay_with_torch() -> None:
    for bench, half in (
        (Bench(), True),
        (Bench(engines=()), False),
        (Bench(engines=("onnxruntime",), architecture=ResNet()), False),
    ):
        bench.run(3, left=10_000, half=half)
        assert bench.torch.batches == 3
        assert not bench.prepared


def test_the_faster_of_two_is_taken() -> None:
    bench = Bench(engines=("onnxruntime", "openvino"))
    bench.run(3, left=10_000)
    assert bench.prepared == ["openvino"]


@pytest.mark.parametrize("added", [0.01, float("nan")])
def test_an_engine_that_differs_is_given_up_once(added: float) -> None:
    bench = Bench(added=added)
    bench.run(5, left=10_000)
    assert (bench.torch.batches, bench.other.batches) == (5, 1)
    assert len(bench.said) == 1
    assert "Stays with torch: openvino differs" in bench.said[0]


@pytest.mark.parametrize("fail", [SettingsError("not there"), RuntimeError("broken"), MemoryError("full")])
def test_an_engine_that_fails_is_given_up(fail: Exception) -> None:
    bench = Bench(fail=fail)
    bench.run(4, left=10_000)
    assert bench.torch.batches == 4
    assert bench.said == [f"Stays with torch: {fail}"]
