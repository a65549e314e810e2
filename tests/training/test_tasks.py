"""Recipes whose sources are made: what they refuse, what they leave, and what others start from them."""

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from i2i import images
from i2i.errors import DatasetError, ModelFileError, SettingsError
from i2i.experiment import Experiment, change, set_width
from i2i.networks.settings import ResNet
from i2i.recipes import RECIPES
from i2i.training import train
from i2i.training.starting import Start
from i2i.translator import Translator, load_network

sys.path.insert(0, str(Path(__file__).parent))
from resuming import folder, small

TASKS = ("super-resolution", "colorize", "inpaint", "sketch", "next-frame")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return folder(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def run(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Short runs by recipe, each made once."""
    made: dict[str, Path] = {}

    def of(name: str, **changes: Any) -> Path:
        key = f"{name} {changes}"
        if key not in made:
            made[key] = tmp_path_factory.mktemp("runs") / "run"
            experiment = change(small(name, steps=2), changes)
            train(experiment, data=data, out=made[key], device="cpu", workers=0)
        return made[key]

    return of


@pytest.mark.parametrize("name", TASKS)
def test_a_run_leaves_a_translator_that_knows_its_task(name: str, run: Any) -> None:
    path = run(name)
    network, card = load_network(path)
    assert card.task == RECIPES[name].data.task
    assert (card.recipe, card.out_channels) == (name, 3)
    translator = Translator.load(path, device="cpu")
    picture = np.zeros((24, 24, max(3, translator.card.in_channels)), np.uint8)
    scale = 4 if name == "super-resolution" else 1
    assert translator(picture).shape == (scale * 24, scale * 24, 3)
    assert sum(weight.numel() for weight in network.parameters())
    sheet = images.read(path / "samples" / "00000000.png")
    assert sheet.shape[1] > sheet.shape[0] > 0


@pytest.mark.parametrize("name", TASKS)
def test_recipes_of_one_folder_say_so(name: str) -> None:
    assert (RECIPES[name].needs, RECIPES[name].folder) == ("pairs", "pictures")
    assert RECIPES[name].data.task.kind == name


def test_the_unet_enlarges_what_is_enlarged_before_it(data: Path, tmp_path: Path) -> None:
    unet = change(small("super-resolution", steps=2), {"model": {"generator": {"kind": "unet"}}})
    with pytest.raises(
        SettingsError, match=r"generator unet: .* wants 4 times\. Enlarge sources before it with --data"
    ):
        unet.build(3, 3)
    unet = change(unet, {"data": {"task": {"enlarged": True, "scale": 2}}})
    train(unet, data=data, out=tmp_path / "run", device="cpu", workers=0)
    translator = Translator.load(tmp_path / "run", device="cpu")
    assert translator.card.grows == 1
    assert translator(np.zeros((13, 17, 3), np.uint8)).shape == (26, 34, 3)


@pytest.mark.parametrize(
    ("name", "changes", "reason"),
    [
        ("super-resolution", {"data": {"size": "90"}}, r"size 90: super-resolution x4 wants .* multiples of 4\..* 88"),
        ("super-resolution", {"model": {"generator": {"scale": 2}}}, r"its results are 2 times as large .* Leave"),
        ("colorize", {"data": {"direction": "BtoA"}}, "direction BtoA: colorize makes its own sources"),
        ("cyclegan", {"data": {"task": {"kind": "sketch"}}}, r"data\.task sketch: .* a cyclegan trains on domains"),
        ("dcgan", {"data": {"task": {"kind": "inpaint"}}}, "Use the recipe inpaint"),
    ],
)
def test_what_does_not_fit_together_is_refused_in_one_line(name: str, changes: Any, reason: str) -> None:
    with pytest.raises(SettingsError, match=reason):
        change(RECIPES[name], changes).build(3, 3)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"kind": "inpaint", "least": 0.5, "most": 0.2}, "holes of 0.5 at least and 0.2 at most"),
        ({"kind": "sketch", "low": 300.0}, "thresholds from 300 to 200"),
        ({"kind": "super-resolution", "scale": 3}, "scale: 3 cannot be used"),
        ({"kind": "next-frame", "frames": 0}, "frames: 0 cannot be used"),
        ({"kind": "painting"}, "'painting' is none of"),
    ],
)
def test_settings_of_tasks_are_checked(changes: Any, reason: str) -> None:
    with pytest.raises(SettingsError, match=reason):
        change(Experiment(), {"data": {"task": changes}})


def test_a_folder_with_one_frame_is_refused_in_one_line(tmp_path: Path) -> None:
    images.write(tmp_path / "1.png", np.zeros((40, 40, 3), np.uint8))
    with pytest.raises(DatasetError, match=r"the longest sequence has 1 frame"):
        train(small("next-frame"), data=tmp_path, out=tmp_path / "run", device="cpu")


def test_pictures_smaller_than_the_crop_are_named(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for index in range(4):
        images.write(tmp_path / "in" / f"{index}.png", np.zeros((20, 40, 3), np.uint8))
    with pytest.raises(DatasetError, match=r"0\.png .*40 x 20.*: smaller than the crop of 32 x 32"):
        train(small("super-resolution"), data=tmp_path / "in", out=tmp_path / "run", device="cpu")


# ------------------------------------------------------------------------------------------------- what starts from it


def target(kind: str) -> Experiment:
    """The generator of a pre-training, in another game."""
    experiment = set_width(RECIPES[kind], 2)
    generator = {"kind": "resnet", "blocks": 1, "norm": "instance"}
    return change(experiment, {"model": {"generator": generator}, "data": {"size": "32", "load": 32}})


@pytest.mark.parametrize("kind", ["pix2pix", "cyclegan"])
@pytest.mark.parametrize("mask", [False, True])
def test_a_game_starts_from_the_generator_of_inpainting(kind: str, mask: bool, run: Any) -> None:
    path = run("inpaint", model={"generator": {"kind": "resnet", "blocks": 1, "norm": "instance"}},
               data={"task": {"mask": mask}})  # fmt: skip
    experiment = replace(target(kind), init_from=str(path), init_what="generator")
    torch.manual_seed(5)
    model = experiment.build(3, 3)
    taught = dict(load_network(path)[0].state_dict())
    said = Start(experiment).put_into(model, experiment)
    weights = model.G.state_dict()  # pyright: ignore[reportAttributeAccessIssue]
    same = [name for name, value in weights.items() if value.shape == taught[name].shape and value.equal(taught[name])]
    # A network that was told the mask has another first layer; all that is learnt behind it is taken.
    assert [name for name in weights if name not in same] == (["layers.1.weight"] if mask else [])
    assert f"G starts from the generator AtoB of {path}" in said[0]


def test_a_task_teaches_no_distillation(run: Any, tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match=r"makes its own sources \(colorize\), and teaches none that are given"):
        train("distill", data=tmp_path, teacher=run("colorize"), out=tmp_path / "run", device="cpu")


def test_the_small_network_of_super_resolution_is_a_resnet_where_nothing_grows() -> None:
    experiment = change(RECIPES["super-resolution"], {"data": {"task": {"kind": "none"}}})
    assert experiment.generator.scale == 1
    assert not isinstance(experiment.generator, ResNet)
