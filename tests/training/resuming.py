"""What the tests of going on share: small experiments with all that draws, and what two runs do not have in common."""

import json
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import numpy as np
import torch

from i2i import images
from i2i.engine import checkpoint
from i2i.experiment import Experiment, change, set_width
from i2i.networks.settings import ResNet
from i2i.recipes import RECIPES
from i2i.translator import Card, save_network


def folder(root: Path, count: int = 6, size: int = 36) -> Path:
    """Pairs that are two domains, one folder of pictures, and one of pictures with captions, too."""
    for index in range(count):
        for side, first in (("A", 0), ("B", 100)):
            path = root / "train" / side / f"{index}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            pixels = np.random.default_rng(first + index).integers(0, 256, (size, size, 3), dtype=np.uint8)
            images.write(path, pixels)
            path.with_suffix(".txt").write_text(f"a picture of {side}\nnumber {index}\n")
    return root


@cache
def teacher() -> Path:
    """A generator that a distillation can learn from, with a batch norm whose mode matters."""
    torch.manual_seed(5)
    architecture = ResNet(width=2, blocks=1, norm="batch")
    card = Card(architecture=architecture, in_channels=3, out_channels=3, size="32", norm_mode="picture")
    path = Path(mkdtemp()) / "taught.safetensors"
    save_network(architecture.build(3, 3, (32, 32)), card, path)
    return path


def small(name: str, **training: Any) -> Experiment:
    """A recipe at 32 pixels with all that draws: dropout, augmentation, a history that is soon full, an average."""
    experiment = set_width(RECIPES[name], 2)
    generator, model = experiment.model.generator, {}
    if experiment.model.kind == "pix2pix" and experiment.model.discriminator.kind == "multi-scale":
        model["discriminator"] = {"layers": 2}  # 32 pixels have no patch of three at half the size
    if generator.kind == "resnet":
        model["generator"] = {"blocks": 1, "dropout": True}
    if generator.kind == "srresnet":
        model["generator"] = {"blocks": 1}
    if generator.kind in ("dcgan", "text", "progan", "stylegan"):
        model["generator"] = {"latent": 4}
    if experiment.model.kind == "progan":
        model["stage_images"] = 1  # grown after six steps
    if experiment.model.kind == "distill":
        model["teacher"] = {"file": str(teacher())}
    if experiment.model.kind == "cyclegan":
        model["history"] = 2
    settings = {"precision": "fp32", "steps": 9, "log_every": 4, "ema": 0.9, "batch_size": 1, "sample_every": 3}
    changes = {
        "model": model,
        "data": {"size": "32", "load": 0, "rotate": 20.0, "brightness": 0.2, "noise": 0.1, "holdout": 1},
        "training": settings | training,
    }
    return change(experiment, changes)


def log(run: Path) -> list[dict[str, Any]]:
    """Every line of a run's log; all of them are whole."""
    return [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]


def differences(one: Path, two: Path) -> list[str]:
    """What two runs do not have in common: every tensor and number of their states, and of every line of their logs."""

    def compare(a: Any, b: Any, name: str) -> list[str]:
        if isinstance(a, torch.Tensor):
            same = a.dtype == b.dtype and a.shape == b.shape and torch.equal(a, b)
            return [] if same else [name]
        if isinstance(a, dict):
            missing = [f"{name}.{key}" for key in a.keys() ^ b.keys()]
            return missing + [
                found for key in a.keys() & b.keys() for found in compare(a[key], b[key], f"{name}.{key}")
            ]
        if isinstance(a, list):
            if len(a) != len(b):
                return [name]
            return [found for i, (x, y) in enumerate(zip(a, b, strict=True)) for found in compare(x, y, f"{name}.{i}")]
        return [] if a == b else [name]

    states = [checkpoint.load(run / "checkpoint.pt") for run in (one, two)]
    # How long it took is no part of what was learnt.
    clock = {"seconds", "images_per_second", "data_wait"}
    logs = [[{k: v for k, v in record.items() if k not in clock} for record in log(run)] for run in (one, two)]
    return compare(states[0], states[1], "state") + compare(logs[0], logs[1], "log")
