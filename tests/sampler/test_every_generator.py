"""Every recipe that makes pictures from noise ships a file, and what is sampled from it is what training averaged."""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from i2i import cli, images
from i2i.batches import Captioned, Labelled
from i2i.engine.schedule import Schedule
from i2i.engine.trainer import Trainer
from i2i.errors import SettingsError
from i2i.experiment import Experiment, change
from i2i.networks.sampler import Sampler
from i2i.recipes import RECIPES
from i2i.sampler import PictureSampler
from i2i.sampler.noise import noise
from i2i.training.shipping import ship

sys.path.insert(0, str(Path(__file__).parents[1] / "training"))
from resuming import small

NAMES = sorted(name for name, one in RECIPES.items() if one.needs in ("pictures", "captions"))
WORDS = ["a", "red", "dot"]
COUNT = 4


def tiny(name: str) -> Experiment:
    """The recipe at 32 pixels and a width of 2, with an average, and classes or words where it has some."""
    model: dict[str, Any] = {"critic_steps": 1} if hasattr(RECIPES[name].model, "critic_steps") else {}
    if getattr(RECIPES[name].model, "conditional", False):
        model["classes"] = ["cat", "dog", "eel"]
    data = {"vocabulary": WORDS} if RECIPES[name].needs == "captions" else {}
    return change(small(name, lr=1e-2, batch_size=COUNT, ema=0.5), {"model": model, "data": data})


def batch(experiment: Experiment, seed: int) -> Labelled | Captioned:
    draws = torch.Generator().manual_seed(seed)
    pictures = torch.rand(COUNT, 3, 32, 32, generator=draws) * 2 - 1
    if experiment.needs == "captions":
        return Captioned(pictures, torch.eye(3)[torch.arange(COUNT) % 3], torch.eye(3)[(torch.arange(COUNT) + 1) % 3])
    return Labelled(pictures, torch.arange(COUNT) % 3)


def trained(experiment: Experiment) -> Trainer:
    torch.manual_seed(0)
    model = experiment.build(3, 3)
    with torch.no_grad():
        for weight in model.players()["G"][0].parameters():
            if weight.ndim > 1 and float(weight.std()) < 0.2:  # as it starts, it makes gray
                weight.copy_(0.3 * torch.randn(weight.shape))
    trainer = Trainer(
        model, experiment.training, steps=2, schedule=Schedule("constant", 2, 1),
        device=torch.device("cpu"),
    )  # fmt: skip
    for step in range(2):
        trainer.round([batch(experiment, step)])
    return trainer


def shipped(name: str, folder: Path) -> tuple[Trainer, PictureSampler]:
    experiment = tiny(name)
    trainer = trained(experiment)
    for buffer_name, buffer in trainer.translators()["sample"].named_buffers():
        if buffer_name.endswith("running_var"):
            buffer.mul_(0.01)  # two batches of noise leave next to nothing of what noise changes
    ship(experiment, (3, 3), trainer, "running", folder, captions=("a red dot", "a dot") if "text" in name else ())
    return trainer, PictureSampler.load(folder, device="cpu")


def pixels(network: Sampler, seeds: list[int], beside: torch.Tensor | None) -> np.ndarray:
    with torch.no_grad():
        return images.from_network(network.eval()(noise(seeds, network.latent), beside))


@pytest.mark.parametrize("name", NAMES)
def test_what_is_sampled_is_what_the_average_makes(name: str, tmp_path: Path) -> None:
    trainer, sampler = shipped(name, tmp_path)
    average, last = (part["sample"] for part in (trainer.translators(), trainer.model.translators()))
    assert isinstance(average, Sampler)
    assert isinstance(last, Sampler)
    beside = torch.arange(COUNT) % 3 if average.classes else None
    if average.text:
        beside = torch.tensor([[1, 1, 1], [1, 0, 1]] * 2) / torch.tensor([[3], [2]] * 2).sqrt()
    seeds = list(range(COUNT))
    made = np.stack(list(sampler.arrays(seeds)))
    wanted = pixels(average, seeds, beside)
    assert made.shape == (COUNT, 32, 32, 3)
    assert np.abs(made.astype(int) - wanted).max() <= 1, "the last bits of sums may differ by the layout in memory"
    assert np.abs(wanted[0].astype(int) - wanted[3]).max() > 2, "or there would be nothing to compare"
    kept, shipped_weights = average.state_dict(), sampler.network.state_dict()
    assert [key for key, value in kept.items() if not torch.equal(value, shipped_weights[key])] == []
    pairs = zip(average.parameters(), last.parameters(), strict=True)
    assert not all(torch.equal(one, other) for one, other in pairs), "which is not what the last step left"
    assert sampler.card.recipe == name
    assert sampler.card.steps == 2
    if name == "progan":
        for truncation in (0.0, 0.5, 1.0):
            with pytest.raises(SettingsError, match=r"lies on a sphere, which has no middle"):
                sampler.arrays([0, 6], truncation=truncation)
        return
    alike, half = (np.stack(list(sampler.arrays([0, 6], truncation=psi))) for psi in (0.0, 0.5))
    assert not np.array_equal(half[0], made[0]), "truncation does something"
    assert np.abs(alike[0].astype(int) - alike[1]).max() <= 1, "one picture a class, or a text"


@pytest.mark.parametrize("name", NAMES)
def test_all_of_them_are_sampled_and_measured_on_the_command_line(name: str, tmp_path: Path, capsys: Any) -> None:
    shipped(name, tmp_path)
    data = tmp_path / "data"
    for index in range(10):
        path = data / "test" / f"{index}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        images.write(path, np.random.default_rng(index).integers(0, 256, (32, 32, 3), dtype=np.uint8))
    made = tmp_path / "made"
    assert cli.main(["sample", str(tmp_path), "--count", "2", "--out", str(made), "--device", "cpu"]) == 0
    assert len(list(made.iterdir())) == 3
    assert capsys.readouterr().out.startswith(f"{name}, ")
    assert cli.main(["evaluate", str(tmp_path), str(data), "--device", "cpu"]) == 0
    said = capsys.readouterr().out
    for row in ("this model", "untrained", "one picture", "half of the real ones"):
        assert row in said
