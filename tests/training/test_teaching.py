"""A distillation's teacher: read once with its size and direction, kept in the run, and never mistaken for another."""

import shutil
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from i2i import cli, images
from i2i.engine import checkpoint
from i2i.errors import DatasetError, ModelFileError, SettingsError
from i2i.evaluation import evaluate
from i2i.experiment import Experiment, change, from_yaml
from i2i.models.distill import Distill
from i2i.models.settings import Distill as Distillation
from i2i.networks.settings import ResNet, UNet
from i2i.recipes import RECIPES
from i2i.training import train
from i2i.training.teaching import NAME, Teaching, digest, ready, taught_by
from i2i.translator import Card, Translator, load_network, save_network

sys.path.insert(0, str(Path(__file__).parent))
from resuming import folder


def teacher(path: Path, seed: int = 0, **card: Any) -> Path:
    torch.manual_seed(seed)
    architecture = card.pop("architecture", ResNet(width=2, blocks=1))
    described = Card(**({"architecture": architecture, "in_channels": 3, "out_channels": 3, "size": "32"} | card))
    save_network(architecture.build(described.in_channels, described.out_channels, (32, 32)), described, path)
    return path


def small(experiment: Experiment) -> Experiment:
    model = {"generator": {"width": 2, "blocks": 1}, "discriminator": {"width": 2, "layers": 1}}
    return change(experiment, {"model": model, "training": {"steps": 2, "precision": "fp32"}, "data": {"load": 32}})


def distil(path: Path, **options: Any) -> Experiment:
    return small(taught_by(RECIPES["distill"], path, **options))


def settings(experiment: Experiment) -> Distillation:
    assert isinstance(experiment.model, Distillation)
    return experiment.model


def test_the_teacher_says_size_geometry_and_direction(tmp_path: Path) -> None:
    file = teacher(tmp_path / "t.safetensors", direction="BtoA", size="64", resize="short", labels=True)
    experiment = taught_by(RECIPES["distill"], file)
    data = experiment.data
    assert (data.size, data.resize, data.direction, data.labels) == ("64", "short", "BtoA", "source")
    assert settings(experiment).teacher.architecture == ResNet(width=2, blocks=1)
    assert settings(experiment).teacher.sha256 == digest(load_network(file)[0])


def test_of_two_translators_the_direction_chooses(tmp_path: Path) -> None:
    for index, way in enumerate(("AtoB", "BtoA")):
        teacher(tmp_path / f"translator_{way}.safetensors", index, direction=way)
    found = {way: taught_by(RECIPES["distill"], tmp_path, way) for way in ("AtoB", "BtoA")}  # pyright: ignore[reportArgumentType]
    assert {way: one.data.direction for way, one in found.items()} == {"AtoB": "AtoB", "BtoA": "BtoA"}
    assert settings(found["AtoB"]).teacher.sha256 != settings(found["BtoA"]).teacher.sha256


def test_the_form_of_the_data_is_seen(tmp_path: Path) -> None:
    experiment = distil(teacher(tmp_path / "t.safetensors"))
    both = folder(tmp_path / "pairs", 3)
    domains = tmp_path / "domains"
    shutil.copytree(both, domains)
    for file in (domains / "train" / "B").iterdir():
        file.rename(file.with_name(f"other{file.name}"))
    wide = tmp_path / "wide" / "train"
    wide.mkdir(parents=True)
    images.write(wide / "1.png", images.read(both / "train" / "A" / "0.png").repeat(2, axis=1))
    forms = {both: "pairs", domains: "domains", wide.parent: "pairs", both / "train" / "A": "pictures"}
    for root, form in forms.items():
        found = ready(experiment, root)
        assert (settings(found).sources, found.needs) == (form, form)


def test_a_distillation_without_a_teacher_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"none is named\. Name it with --teacher MODEL"):
        train("distill", data=folder(tmp_path / "d", 3), out=tmp_path / "run")
    assert not (tmp_path / "run").exists()
    with pytest.raises(SettingsError, match="the recipe pix2pix has none"):
        taught_by(RECIPES["pix2pix"], tmp_path)
    with pytest.raises(ModelFileError, match="no such model"):
        taught_by(RECIPES["distill"], tmp_path / "none.safetensors")


def test_another_teacher_under_the_same_name_is_refused(tmp_path: Path) -> None:
    experiment = distil(teacher(tmp_path / "t.safetensors"))
    teacher(tmp_path / "t.safetensors", seed=1)
    with pytest.raises(ModelFileError, match="has changed"):
        Teaching(settings(experiment), tmp_path, begun=False)


def test_data_of_other_channels_than_the_teachers_are_refused(tmp_path: Path) -> None:
    experiment = distil(teacher(tmp_path / "t.safetensors", in_channels=1))
    with pytest.raises(DatasetError, match=r"3 and 3 channels.*but the teacher translates 1 to 3"):
        train(experiment, data=folder(tmp_path / "d", 3), out=tmp_path / "run", device="cpu", workers=0)


def test_batch_norm_teaches_in_the_mode_that_the_teacher_is_used_in(tmp_path: Path) -> None:
    unet = UNet(width=2, depth=5)
    file = teacher(tmp_path / "t.safetensors", architecture=unet, norm_mode="picture")
    experiment = distil(file)
    torch.manual_seed(0)
    model = experiment.build(3, 3)
    assert isinstance(model, Distill)
    Teaching(settings(experiment), tmp_path, begun=False).teach(model)
    x = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(0)) * 2 - 1
    expected = Translator.load(str(file), device="cpu", precision="fp32").network(x)
    assert torch.allclose(model.train().teacher(x), expected, atol=1e-6)


@pytest.mark.parametrize(
    ("way", "form"), [("AtoB", "pairs"), ("BtoA", "domains"), ("BtoA", "pairs"), ("AtoB", "pictures")]
)
def test_the_result_is_a_translator_of_the_teachers_direction(way: Any, form: str, tmp_path: Path) -> None:
    file = teacher(tmp_path / "t.safetensors", direction=way)
    data = folder(tmp_path / "d", 3)
    experiment = change(distil(file), {"model": {"sources": form}, "training": {"steps": 1}})
    run = train(experiment, data=data, out=tmp_path / "run", device="cpu", workers=0)
    card = load_network(run.path)[1]
    assert (card.direction, card.recipe, card.size) == (way, "distill", "32")
    assert card.architecture == ResNet(width=2, blocks=1)


def test_what_was_distilled_from_domains_is_measured_on_domains(tmp_path: Path) -> None:
    translator = Translator.load(str(teacher(tmp_path / "t.safetensors", recipe="distill")), device="cpu")
    for side in "AB":
        shutil.copytree(folder(tmp_path / side, 10) / "train" / side, tmp_path / "d" / "test" / side)
    for file in (tmp_path / "d" / "test" / "B").iterdir():
        file.rename(file.with_name(f"other{file.name}"))
    scores = evaluate(translator, tmp_path / "d", split="test")
    assert any(name.endswith("/kid") for name in scores), scores


def test_a_run_goes_on_with_its_own_copy_of_the_teacher(tmp_path: Path) -> None:
    file = teacher(tmp_path / "t.safetensors")
    data = folder(tmp_path / "d", 3)
    train(distil(file), data=data, out=tmp_path / "run", device="cpu", workers=0)
    state = checkpoint.load(tmp_path / "run" / "checkpoint.pt")
    assert not any("teacher" in name for name in state["model"])
    assert from_yaml(tmp_path / "run" / "experiment.yaml").model.teacher.file == str(file)  # pyright: ignore
    file.unlink()
    assert train(resume=tmp_path / "run", steps=3, device="cpu", workers=0).steps == 3
    teacher(tmp_path / "run" / NAME, seed=1)
    with pytest.raises(ModelFileError, match=r"teacher\.safetensors: has changed"):
        train(resume=tmp_path / "run", steps=4, device="cpu", workers=0)


def test_the_flag_brings_what_the_teacher_says_and_other_flags_win(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Experiment] = []

    def fake(experiment: Experiment, **options: Any) -> Any:
        asked.append(experiment)
        raise SettingsError("far enough")

    monkeypatch.setattr("i2i.training.train", fake)
    file = teacher(tmp_path / "t.safetensors", direction="BtoA", size="64")
    assert cli.main(["train", "distill", "--data", "d", "--teacher", str(file), "--width", "8"]) == 2
    assert cli.main(["train", "distill", "--data", "d", f"--teacher={file}", "--size", "96"]) == 2
    assert [(one.data.size, one.data.direction, one.model.generator.width) for one in asked] == [
        ("64", "BtoA", 8),
        ("96", "BtoA", 24),
    ]
    assert cli.main(["train", "pix2pix", "--data", "d", "--teacher", str(file)]) == 2
    assert len(asked) == 2
