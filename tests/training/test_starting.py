"""`--init-from`: what of another model fits is taken to the bit, what does not is named with its reason."""

import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from i2i.engine import checkpoint
from i2i.errors import ModelFileError, SettingsError
from i2i.experiment import Experiment, change, set_width, to_yaml
from i2i.game import Model
from i2i.networks.settings import UNet
from i2i.recipes import RECIPES
from i2i.training import Listener, train
from i2i.training.starting import Start
from i2i.translator import Card, load_network, save_network

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parent.parent / "networks"))
from resuming import folder
from test_reference import lived_in, patchgan, resnet, unet


def small(name: str = "pix2pix", **model: Any) -> Experiment:
    experiment = set_width(RECIPES[name], 2)
    generator = {"blocks": 2} if experiment.model.generator.kind == "resnet" else {}
    changes = {"model": {"generator": generator}, "data": {"size": "32", "load": 32}}
    return change(change(experiment, changes), {"model": model})


def built(experiment: Experiment, seed: int = 0, channels: tuple[int, int] = (3, 3)) -> Model:
    torch.manual_seed(seed)
    return experiment.build(*channels)


def saved(
    run: Path, experiment: Experiment, channels: tuple[int, int] = (3, 3), state: dict[str, Any] | None = None
) -> Model:
    """A run folder with the checkpoint of a model that no step has changed."""
    run.mkdir()
    model = built(experiment, 7, channels)
    whole = {"experiment": to_yaml(experiment), "channels": list(channels), "average": {}}
    checkpoint.save(whole | {"model": model.state_dict()} | (state or {}), run / "checkpoint.pt")
    return model


def start(experiment: Experiment, path: Path, model: Model, what: str = "both") -> list[str]:
    named = change(experiment, {"init_from": str(path), "init_what": what})
    return Start(named).put_into(model, named)


def same(one: nn.Module, two: nn.Module) -> bool:
    mine, other = one.state_dict(), two.state_dict()
    return mine.keys() == other.keys() and all(torch.equal(mine[name], other[name]) for name in mine)


@pytest.mark.parametrize("name", ["pix2pix", "cyclegan", "cut", "dcgan"])
def test_a_run_gives_all_its_networks(name: str, tmp_path: Path) -> None:
    there = saved(tmp_path / "run", small(name))
    model = built(small(name))
    said = start(small(name), tmp_path / "run", model)
    for network, child in there.named_children():
        assert same(getattr(model, network), child), network
    players = [module for modules in model.players().values() for module in modules]
    assert len(said) == len(players)
    assert not any("anew" in line or "new are" in line for line in said), said


@pytest.mark.parametrize("what", ["generator", "discriminator"])
def test_one_of_the_two_can_be_asked_for(what: str, tmp_path: Path) -> None:
    there = saved(tmp_path / "run", small())
    model, before = built(small()), built(small())
    said = start(small(), tmp_path / "run", model, what)
    assert same(model.G, (there if what == "generator" else before).G)
    assert same(model.D, (there if what == "discriminator" else before).D)
    assert any(f"starts anew: only the {what} was asked for" in line for line in said)


def test_an_average_is_taken_where_the_run_averages(tmp_path: Path) -> None:
    average = {name: value + 1 for name, value in built(small(), 9).G.state_dict().items()}
    there = saved(tmp_path / "run", small(), state={"average": {"AtoB": average}})
    model = built(small())
    start(small(), tmp_path / "run", model)
    assert all(torch.equal(value, average[name]) for name, value in model.G.state_dict().items())
    assert same(model.D, there.D)


def test_a_translator_gives_its_generator_and_leaves_the_rest_alone(tmp_path: Path) -> None:
    there = built(small(), 7).G
    save_network(
        there, Card(architecture=UNet(width=2, depth=5), in_channels=3, out_channels=3), tmp_path / "t.safetensors"
    )
    model, before = built(small()), built(small())
    said = start(small(), tmp_path / "t.safetensors", model)
    assert same(model.G, there)
    assert same(model.D, before.D)
    assert f"D starts anew: {tmp_path / 't.safetensors'} holds a generator AtoB, no discriminator AtoB" in said


def test_files_of_the_reference_give_what_they_hold(tmp_path: Path) -> None:
    torch.save(lived_in(unet("batch")).state_dict(), tmp_path / "latest_net_G.pth")
    torch.save(lived_in(patchgan("batch", inputs=6)).state_dict(), tmp_path / "latest_net_D.pth")
    network, _ = load_network(tmp_path / "latest_net_G.pth")
    model, before = built(small()), built(small())
    start(small(), tmp_path / "latest_net_D.pth", model)
    assert same(model.G, before.G)
    assert not same(model.D, before.D)
    judge = {name: value.clone() for name, value in model.D.state_dict().items()}
    model = built(small())
    start(small(), tmp_path, model)
    assert same(model.G, network)
    assert all(torch.equal(value, judge[name]) for name, value in model.D.state_dict().items())


def test_a_folder_of_the_reference_gives_cyclegan_each_network_its_own(tmp_path: Path) -> None:
    made = {
        **{f"G_{side}": resnet("instance") for side in "AB"},
        **{f"D_{side}": patchgan("instance") for side in "AB"},
    }
    for name, network in made.items():
        torch.save(network.state_dict(), tmp_path / f"latest_net_{name}.pth")
    model = built(small("cyclegan"))
    start(small("cyclegan"), tmp_path, model)
    # Its D_A judges what G_A makes; ours is named by what it judges.
    for ours, theirs in {"G": "G_A", "F": "G_B", "D_Y": "D_A", "D_X": "D_B"}.items():
        mine = sorted(float(value.detach().double().sum()) for value in getattr(model, ours).parameters())
        assert mine == pytest.approx(
            sorted(float(value.detach().double().sum()) for value in made[theirs].parameters())
        ), ours


def test_a_single_file_goes_where_its_name_says(tmp_path: Path) -> None:
    torch.save(resnet("instance").state_dict(), tmp_path / "latest_net_G_B.pth")
    model, before = built(small("cyclegan")), built(small("cyclegan"))
    start(small("cyclegan"), tmp_path / "latest_net_G_B.pth", model)
    assert same(model.G, before.G)
    assert not same(model.F, before.F)


def test_other_channels_cost_the_first_layer_alone(tmp_path: Path) -> None:
    there = saved(tmp_path / "run", small(), (1, 3))
    model, before = built(small()), built(small())
    said = start(small(), tmp_path / "run", model)
    assert torch.equal(model.G.downs[0].weight, before.G.downs[0].weight)
    assert torch.equal(model.G.downs[1][1].weight, there.G.downs[1][1].weight)
    assert "downs.0.weight is [2, 1, 4, 4] there and [2, 3, 4, 4] here" in said[0]
    assert "[2, 4, 4, 4] there and [2, 6, 4, 4] here" in said[1]


def test_another_network_is_left_with_its_reason(tmp_path: Path) -> None:
    other = small(generator={"width": 4})
    saved(tmp_path / "run", other)
    model, before = built(small()), built(small())
    said = start(small(), tmp_path / "run", model)
    assert same(model.G, before.G)
    assert "G starts anew" in said[0]
    assert "width 4 there, 2 here" in said[0]
    assert "D starts from the discriminator AtoB" in said[1]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"generator": {"kind": "resnet", "blocks": 1}}, "resnet there, unet here"),
        ({"generator": {"width": 4}}, "width 4 there, 2 here"),
    ],
)
def test_what_fits_nowhere_is_refused_with_the_reason(changes: dict[str, Any], reason: str, tmp_path: Path) -> None:
    saved(tmp_path / "run", small(**changes))
    with pytest.raises(ModelFileError, match=f"nothing of it fits this run(.|\n)*{reason}"):
        start(small(), tmp_path / "run", built(small()), "generator")


def test_depths_that_differ_are_named(tmp_path: Path) -> None:
    saved(tmp_path / "run", change(small(), {"data": {"size": "64", "load": 64}}))
    with pytest.raises(ModelFileError, match="depth 6 there, 5 here"):
        start(small(), tmp_path / "run", built(small()), "generator")


def test_weights_that_are_no_numbers_are_refused(tmp_path: Path) -> None:
    network = built(small(), 7).G
    with torch.no_grad():
        next(network.parameters()).fill_(float("nan"))
    save_network(
        network, Card(architecture=UNet(width=2, depth=5), in_channels=3, out_channels=3), tmp_path / "t.safetensors"
    )
    with pytest.raises(ModelFileError, match="are no numbers"):
        start(small(), tmp_path / "t.safetensors", built(small()))


@pytest.mark.parametrize(
    ("state", "found"),
    [
        ({"model": {}}, "G.downs.0.weight"),
        ({"channels": 3}, "int"),
        ({"average": {"AtoB": {"downs.0.weight": 1}}}, "tensors"),
    ],
)
def test_a_checkpoint_that_holds_something_else_is_refused(state: dict[str, Any], found: str, tmp_path: Path) -> None:
    saved(tmp_path / "run", small(), state=state)
    with pytest.raises(ModelFileError, match=f"not the checkpoint of a run.*{found}"):
        start(small(), tmp_path / "run", built(small()))


def test_what_is_no_model_is_refused_with_what_would_be(tmp_path: Path) -> None:
    (tmp_path / "x.onnx").write_bytes(b"x")
    (tmp_path / "x.pt").write_bytes(b"x")
    (tmp_path / "x.safetensors").write_bytes(b"x")
    for name, found in {
        "none": "no such model",
        "": "no model to start from",
        "x.onnx": "cannot be trained",
        "x.pt": "not a checkpoint",
        "x.safetensors": "not a translator file",
    }.items():
        with pytest.raises(ModelFileError, match=found):
            start(small(), tmp_path / name, built(small()))


def test_a_model_without_what_is_asked_for_is_refused(tmp_path: Path) -> None:
    save_network(
        built(small()).G,
        Card(architecture=UNet(width=2, depth=5), in_channels=3, out_channels=3),
        tmp_path / "t.safetensors",
    )
    with pytest.raises(ModelFileError, match="holds no discriminator, only a generator AtoB"):
        start(small(), tmp_path / "t.safetensors", built(small()), "discriminator")


class Notes(Listener):
    def __init__(self) -> None:
        self.said: list[str] = []

    def note(self, text: str) -> None:
        self.said.append(text)


def test_a_run_begins_with_the_weights_and_goes_on_without_them(tmp_path: Path) -> None:
    there = saved(tmp_path / "run", small())
    data = folder(tmp_path / "data", 3)
    tell = Notes()
    # At a rate of almost nothing the first step leaves the weights where they began.
    options: dict[str, Any] = {"size": 32, "width": 2, "seed": 3, "device": "cpu", "workers": 0}
    experiment = change(small(), {"training": {"lr": 1e-30, "precision": "fp32"}})
    train(experiment, data=data, out=tmp_path / "new", steps=1, init_from=tmp_path / "run", listener=tell, **options)
    state = checkpoint.load(tmp_path / "new" / "checkpoint.pt")
    for name, value in there.named_parameters():
        assert torch.allclose(state["model"][name], value, atol=1e-29), name
    assert state["progress"]["rounds"] == 1
    assert any(f"G starts from the generator AtoB of {tmp_path / 'run'}" in line for line in tell.said)
    assert f"init_from: {tmp_path / 'run'}" in (tmp_path / "new" / "experiment.yaml").read_text()
    assert "G starts from" in (tmp_path / "new" / "notes.txt").read_text()
    (tmp_path / "run" / "checkpoint.pt").unlink()
    train(resume=tmp_path / "new", steps=2, device="cpu", workers=0)
    after = checkpoint.load(tmp_path / "new" / "checkpoint.pt")
    assert after["progress"]["rounds"] == 2
    assert "began with weights of" in (tmp_path / "new" / "notes.txt").read_text()


def test_a_resumed_run_does_not_begin_again(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="keeps its init_from"):
        train(resume=tmp_path, init_from=tmp_path)
    with pytest.raises(SettingsError, match="--init-from MODEL"):
        train("pix2pix", data=tmp_path, init_what="generator")
