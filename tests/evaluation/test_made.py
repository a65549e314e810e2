"""Evaluation of tasks: the same sources every time, compared with the pictures they are made of."""

import json
from typing import Any

import numpy as np
import pytest
from torch import Tensor, nn
from torch.nn import functional

from i2i import images
from i2i.data.tasks.settings import (
    AnyTask,
    Colorize,
    Inpaint,
    NextFrame,
    Sketch,
    SuperResolution,
    source_channels,
)
from i2i.errors import DatasetError, SettingsError
from i2i.evaluation import evaluate
from i2i.evaluation.made import at_scale_of, made_pairs
from i2i.networks.settings import ResNet, SRResNet
from i2i.translator import Card, Translator

TASKS = [SuperResolution(scale=2), SuperResolution(enlarged=True), Colorize(), Inpaint(), Sketch(), NextFrame()]


class Copies(nn.Module):
    """What it sees last, as large as its result."""

    multiple = 8

    def __init__(self, scale: int = 1) -> None:
        super().__init__()
        self.scale = scale

    def forward(self, x: Tensor) -> Tensor:
        x = x[:, -3:].expand(-1, 3, -1, -1)
        return functional.interpolate(x, scale_factor=float(self.scale))


def translator(task: AnyTask, **given: Any) -> Translator:
    grows = isinstance(task, SuperResolution) and not task.enlarged
    architecture = SRResNet(width=2, blocks=1, scale=task.scale) if grows else ResNet(width=2, blocks=1)
    fields = {"in_channels": source_channels(task, 3), "out_channels": 3, "task": task, "size": "16"}
    card = Card(architecture=architecture, **fields | given)
    return Translator(Copies(card.grows), card, device="cpu", precision="fp32")


@pytest.fixture
def data(tmp_path):
    for split, count in (("train", 4), ("test", 5)):
        for index in range(count):
            path = tmp_path / split / f"{index}.png"
            path.parent.mkdir(exist_ok=True)
            seed = np.random.default_rng(10 * count + index).integers(0, 256, (6, 8, 3), dtype=np.uint8)
            images.write(path, images.resize(seed, (25, 33)))
    return tmp_path


@pytest.mark.parametrize("resize", ["none", "short", "square"])
@pytest.mark.parametrize("task", TASKS, ids=lambda task: f"{task.kind} {getattr(task, 'enlarged', '')}")
def test_every_task_is_compared_with_its_truth(task, resize, data):
    ours = translator(task, resize=resize)
    scores = evaluate(ours, data, out=data / "out")
    assert set(scores) >= {"l1", "psnr", "ssim", "copy the input/psnr", "mean target/psnr"}
    assert scores == evaluate(ours, data)
    names = sorted(path.name for path in (data / "out" / "pictures").iterdir())
    assert names == [f"{index}.png" for index in range(2 if task.kind == "next-frame" else 0, 5)]
    whole = images.read(data / "out" / "pictures" / names[0])
    scale = getattr(task, "scale", 1)
    height, width = (scale * (side // scale) for side in (25, 33))
    if resize == "none":
        assert whole.shape == (height, width, 3)
    elif resize == "short":
        assert min(whole.shape[:2]) == 16
    else:
        assert whole.shape == (16, 16, 3)
    assert json.loads((data / "out" / "metrics.json").read_text())


def test_a_network_that_keeps_all_but_the_holes_is_wrong_in_the_holes_alone(data):
    ours = translator(Inpaint(least=0.2, most=0.3))
    for made in made_pairs(data, "test", ours.card.task):
        given, truth = at_scale_of(made, ours)
        assert np.array_equal(given[:, :, :3], truth)
        result = ours(given)
        holes = given[:, :, 3] == 0
        assert 0.2 <= holes.mean() < 0.7
        assert np.array_equal(result[~holes], truth[~holes])
        assert not np.array_equal(result[holes], truth[holes])


def test_bicubic_is_what_copying_scores_in_super_resolution(data):
    ours = translator(SuperResolution(scale=2))
    scores = evaluate(ours, data)
    from i2i.evaluation.pairs import compare

    each = []
    for made in made_pairs(data, "test", ours.card.task):
        small, truth = at_scale_of(made, ours)
        each.append(compare(images.resize(small, truth.shape[:2]), truth)["psnr"])
    assert scores["copy the input/psnr"] == pytest.approx(np.mean(each))
    assert scores["psnr"] < scores["copy the input/psnr"]  # squares are worse than a cubic


def test_frames_of_the_split_are_predicted_in_their_order(data):
    names = [(one.name, [path.stem for path in one.frames]) for one in made_pairs(data, "test", NextFrame())]
    assert names == [("2", ["0", "1", "2"]), ("3", ["1", "2", "3"]), ("4", ["2", "3", "4"])]


def test_what_has_no_sense_for_a_task_is_refused(data):
    with pytest.raises(SettingsError, match="colorize: makes its own sources"):
        evaluate(translator(Colorize()), data, kind="domains")
    with pytest.raises(DatasetError, match="has no val split"):
        evaluate(translator(Colorize()), data, split="val")
