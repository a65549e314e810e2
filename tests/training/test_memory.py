import itertools
import weakref
from pathlib import Path

import numpy as np
import pytest
import torch

from i2i import images
from i2i.engine import checkpoint
from i2i.errors import TrainingError
from i2i.experiment import change
from i2i.models.pix2pix import Pix2Pix
from i2i.recipes import recipe
from i2i.training import train
from i2i.training.memory import knobs, knobs_named, out_of_memory

TINY = change(
    recipe("pix2pix"),
    {
        "model": {
            "generator": {"kind": "resnet", "width": 2, "blocks": 1},
            "discriminator": {"width": 2, "layers": 1},
        },
        "data": {"size": "16", "holdout": 0},
        "training": {"precision": "fp32", "steps": 4, "batch_size": 2},
    },
)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    for side, index in itertools.product("AB", range(2)):
        (tmp_path / "data" / "train" / side).mkdir(parents=True, exist_ok=True)
        pixels = np.full((18, 18, 3), 50 * index, dtype=np.uint8)
        images.write(tmp_path / "data" / "train" / side / f"{index}.png", pixels)
    return tmp_path / "data"


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"), True),
        (MemoryError(), True),
        (RuntimeError("CUDA error: out of memory"), True),
        (RuntimeError("MPS backend out of memory (MPS allocated: 9 GB)"), True),
        (RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"), True),
        (RuntimeError("shapes cannot be multiplied"), False),
        (ValueError("out of memory"), False),
    ],
)
def test_what_says_that_memory_ran_out(error, said):
    assert out_of_memory(error) is said


def test_what_the_cpu_says_when_memory_runs_out():
    with pytest.raises(RuntimeError) as found:
        torch.empty(2**60)
    assert out_of_memory(found.value)


def test_only_what_helps_is_named_the_most_helpful_first():
    assert [turn.partition(",")[0] for turn in knobs(TINY)] == [
        "--batch-size 1",
        "--model.generator.checkpoint",
        "--size 8",
        "--width 1",
        "--precision bf16",
    ]
    assert "--training.accumulate 2" in knobs(TINY)[0]
    papers = change(recipe("pix2pix"), {"training": {"accumulate": 4}, "data": {"size": "256x512"}})
    assert [turn.partition(",")[0] for turn in knobs(papers)] == [
        "--training.accumulate 1",
        "--size 128x256",
        "--width 32",
    ]
    cyclegan = change(recipe("cyclegan"), {"training": {"accumulate": 4, "batch_size": "auto"}})
    assert [turn.partition(",")[0] for turn in knobs(cyclegan)[:2]] == [
        "--batch-size 1",
        "--model.generator.checkpoint",
    ]


def test_other_errors_pass(tmp_path):
    with pytest.raises(RuntimeError, match=r"^shapes$"), knobs_named(TINY, tmp_path):
        raise RuntimeError("shapes")


def test_a_run_without_memory_for_a_step_names_the_knobs_and_leaves_nothing(data, tmp_path, monkeypatch):
    held = []

    def step(self, batch, progress):
        activations = torch.ones(3)
        held.append(weakref.ref(activations))
        torch.empty(2**60)
        yield

    monkeypatch.setattr(Pix2Pix, "step", step)
    with pytest.raises(TrainingError, match=r"(?s)out of memory.*--batch-size 1.*--model.generator.checkpoint") as told:
        train(TINY, data=data, out=tmp_path / "run", device="cpu", workers=0)
    assert "saved" not in str(told.value)
    assert held[0]() is None  # though the error is still at hand
    assert not (tmp_path / "run").exists()


def test_a_run_whose_memory_runs_out_on_the_way_is_saved_and_can_go_on(data, tmp_path, monkeypatch):
    step = Pix2Pix.step
    played = itertools.count()

    def limited(self, batch, progress):
        if progress.rounds == 3:
            next(played)
            torch.empty(2**60)
        yield from step(self, batch, progress)

    monkeypatch.setattr(Pix2Pix, "step", limited)
    with pytest.raises(TrainingError, match=r"out of memory.*i2i train --resume .*run goes on"):
        train(TINY, data=data, out=tmp_path / "run", device="cpu", workers=0)
    assert next(played) == 1
    assert checkpoint.load(tmp_path / "run" / "checkpoint.pt")["progress"]["rounds"] == 3
    monkeypatch.setattr(Pix2Pix, "step", step)
    assert train(resume=tmp_path / "run", device="cpu", workers=0).steps == 4
