import dataclasses
import itertools
import math
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from i2i import images
from i2i.cli.train import main
from i2i.data.opening import open_dataset
from i2i.data.settings import DataSettings
from i2i.engine import checkpoint
from i2i.engine.distributed import World
from i2i.engine.settings import TrainingSettings
from i2i.errors import SettingsError
from i2i.experiment import Experiment, change, from_yaml
from i2i.models.settings import CycleGAN, Pix2Pix
from i2i.networks.settings import PatchGAN, ResNet
from i2i.training import Listener, batch_size, playing, train
from i2i.training.batch_size import Chosen, choose, choose_batch_size

TINY = Experiment(
    model=Pix2Pix(generator=ResNet(width=2, blocks=1), discriminator=PatchGAN(width=2, layers=1)),
    data=DataSettings(size="16", holdout=0),
    training=TrainingSettings(precision="fp32", epochs=1, batch_size="auto"),
)
CYCLE = dataclasses.replace(
    TINY,
    model=CycleGAN(
        generator=ResNet(width=2, blocks=1),
        discriminator=PatchGAN(width=2, layers=1, norm="instance"),
        history=4,
    ),
)
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("data")
    draw = np.random.default_rng(0)
    for side, index in itertools.product("AB", range(6)):
        (root / "train" / side).mkdir(parents=True, exist_ok=True)
        images.write(root / "train" / side / f"{index}.png", draw.integers(0, 256, (18, 18, 3), dtype=np.uint8))
    return root


class Notes(Listener):
    def __init__(self) -> None:
        self.texts: list[str] = []

    def note(self, text: str) -> None:
        self.texts.append(text)


def measured(gains: list[float], noise: Any = lambda: 1.0, fits: int = 10**9) -> Any:
    """Seconds of a round where the rate grows by these factors, one a doubling."""

    def seconds(size: int) -> float | None:
        rate = math.prod(gains[: size.bit_length() - 1])
        return None if size > fits else size / rate * noise()

    return seconds


@pytest.mark.parametrize(
    ("gains", "size"),
    [([1.0] * 6, 1), ([1.9, 1.8, 1.6, 1.1, 1.0, 1.0], 8), ([0.5, 9.0], 1), ([2.0] * 6, 64), ([1.9, 1.19, 1.9], 2)],
)
def test_batches_are_doubled_while_that_pays(gains, size):
    assert choose(measured(gains), {"enough": 64}, 1, 3).size == size


@pytest.mark.parametrize(
    ("limits", "fits", "size", "reason"),
    [
        ({"enough": 64}, 4, 4, "8 would not leave enough memory free"),
        ({"enough": 64, "small": 12.5}, 64, 8, "small"),
        ({"enough": 64, "none": 0}, 64, 1, "none"),
    ],
)
def test_it_stops_at_a_limit_and_says_at_which(limits, fits, size, reason):
    found = choose(measured([2.0] * 6, fits=fits), limits, 1, 3)
    assert (found.size, found.reason) == (size, reason)


@pytest.mark.parametrize("gains", [[1.8, 1.5, 1.5, 1.02, 1.0, 1.0], [1.0] * 6, [1.9] * 6])
def test_noise_of_ten_percent_changes_nothing(gains):
    quiet = choose(measured(gains), {"enough": 64}, 3, 9).size
    for seed in range(200):
        draw = random.Random(seed)
        noisy = measured(gains, lambda draw=draw: draw.uniform(0.9, 1.1))
        assert choose(noisy, {"enough": 64}, 3, 9).size == quiet


@pytest.mark.parametrize("rounds_before", [4, 9, 17])
def test_a_machine_that_slows_down_while_it_is_measured_changes_nothing(rounds_before):
    measures = itertools.count()
    slowing = measured([1.8, 1.6, 1.02, 1.0, 1.0, 1.0], lambda: 5.0 if next(measures) > rounds_before else 1.0)
    assert choose(slowing, {"enough": 64}, 3, 9).size == 4


def test_what_was_tried_is_said():
    found = Chosen(2, {1: 10.0, 2: 19.0, 4: 20.0}, "4 is less than 20% faster")
    assert str(found) == "batch size 2, by trying (images/s of 1: 10, 2: 19, 4: 20); 4 is less than 20% faster"


@pytest.mark.parametrize("experiment", [TINY, CYCLE])
def test_trying_draws_nothing_and_takes_a_power_of_two_that_the_set_is_large_enough_for(experiment, data, monkeypatch):
    monkeypatch.setitem(batch_size.PAIRS, "cpu", (1, 1))
    opened = open_dataset(experiment.needs, data, experiment.data)
    state = torch.get_rng_state()
    found = choose_batch_size(experiment, opened, CPU, torch.float32, 6)
    assert torch.equal(torch.get_rng_state(), state)
    assert found.size in (1, 2, 4)
    assert set(found.rates) <= {1, 2, 4}
    assert all(rate > 0 for rate in found.rates.values())


def test_of_what_memory_does_not_suffice_for_nothing_is_tried(data, monkeypatch):
    opened = open_dataset("pairs", data, TINY.data)
    monkeypatch.setattr("i2i.data.machine.free_memory", lambda: 200_000)
    monkeypatch.setattr(batch_size, "GAIN", 0.0)  # every doubling pays
    found = choose_batch_size(TINY, opened, CPU, torch.float32, 64)
    assert found.size < 64
    assert "memory" in found.reason


def test_a_step_that_is_long_for_a_cpu_is_not_made_longer(data, monkeypatch):
    monkeypatch.setattr(batch_size, "ARITHMETIC", 1.0)
    found = choose_batch_size(TINY, open_dataset("pairs", data, TINY.data), CPU, torch.float32, 64)
    assert (found.size, found.reason) == (1, "a step is long enough for this device")


def test_a_batch_that_fails_for_memory_is_not_taken(data, monkeypatch):
    from i2i.models.pix2pix import Pix2Pix as Model

    step = Model.step

    def limited(self, batch, progress):
        if len(batch[0]) > 2:
            torch.empty(2**60)
        return step(self, batch, progress)

    monkeypatch.setattr(Model, "step", limited)
    monkeypatch.setattr(batch_size, "GAIN", 0.0)
    found = choose_batch_size(TINY, open_dataset("pairs", data, TINY.data), CPU, torch.float32, 64)
    assert (found.size, found.reason) == (2, "4 would not leave enough memory free")


def test_a_run_keeps_the_number_and_learns_as_if_it_had_been_given(data, tmp_path, monkeypatch):
    monkeypatch.setattr(batch_size, "GAIN", 0.0)
    monkeypatch.setitem(batch_size.PAIRS, "cpu", (1, 1))
    notes = Notes()
    auto = train(TINY, data=data, out=tmp_path / "auto", device="cpu", workers=0, listener=notes)
    assert auto.steps == 1
    assert any(text.startswith("batch size 4, by trying (images/s of 1: ") for text in notes.texts)
    assert any("an epoch has 1 steps instead of 6" in text and "--batch-size 4" in text for text in notes.texts)
    assert from_yaml(tmp_path / "auto" / "experiment.yaml").training.batch_size == 4
    given = train(TINY, data=data, out=tmp_path / "given", device="cpu", workers=0, batch_size=4)
    states = [checkpoint.load(one.path / "checkpoint.pt") for one in (auto, given)]
    assert states[0]["experiment"] == states[1]["experiment"]
    assert torch.equal(states[0]["random"]["cpu"], states[1]["random"]["cpu"])
    assert all(torch.equal(value, states[1]["model"][name]) for name, value in states[0]["model"].items())

    def tried(*_: Any) -> Chosen:
        raise AssertionError("tried again")

    monkeypatch.setattr(playing, "choose_batch_size", tried)
    assert train(resume=auto.path, epochs=2, device="cpu", workers=0).steps == 2
    again = train(change(TINY, {"training": {"epochs": 3}}), data=data, out=auto.path, existing="continue", workers=0)
    assert again.steps == 3
    assert checkpoint.load(auto.path / "checkpoint.pt")["progress"]["images"] == 12


def test_every_process_takes_what_the_first_one_finds(data, monkeypatch):
    class Second(World):
        def on_first(self, work: Any) -> Any:
            return Chosen(2, {1: 1.0, 2: 2.0}, "enough")

    monkeypatch.setattr(playing, "choose_batch_size", None)
    opened = open_dataset("pairs", data, TINY.data)
    found = playing._with_batch_size(TINY, opened, CPU, torch.float32, Listener(), Second())
    assert found == change(TINY, {"training": {"batch_size": 2}})


def test_the_flag_and_the_file_take_auto_and_numbers(data, tmp_path, monkeypatch):
    monkeypatch.setattr(playing, "choose_batch_size", lambda *_: Chosen(2, {1: 1.0, 2: 2.0}, "enough"))
    (tmp_path / "x.yaml").write_text("training: {batch_size: auto, steps: 1}\ndata: {size: 32}\n")
    small = ["--width", "2", "--model.generator.kind", "resnet", "--device", "cpu", "--workers", "0"]
    where = ["--data", str(data), "--out", str(tmp_path / "run"), "--config", str(tmp_path / "x.yaml"), "--overwrite"]
    assert main(["pix2pix", *where, *small]) == 0
    assert from_yaml(tmp_path / "run" / "experiment.yaml").training.batch_size == 2
    assert main(["pix2pix", *where, *small, "--batch-size", "3"]) == 0
    assert from_yaml(tmp_path / "run" / "experiment.yaml").training.batch_size == 3


def test_whoever_wants_a_number_is_told_that_there_is_none_yet():
    with pytest.raises(SettingsError, match="Give a number, such as --batch-size 4"):
        _ = TrainingSettings(batch_size="auto").batch
    assert TrainingSettings(batch_size=3).batch == 3
