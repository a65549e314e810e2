import re
from pathlib import Path

import pytest
import yaml

from i2i.errors import SettingsError
from i2i.experiment import Experiment, change, from_yaml, parse_yaml, set_width, to_yaml
from i2i.models import settings as models
from i2i.networks import settings as networks
from i2i.recipes import RECIPES

CYCLEGAN = RECIPES["cyclegan"]


def refusal(text: str, base: Experiment | None = None) -> str:
    with pytest.raises(SettingsError) as error:
        parse_yaml(text, "run.yaml", base)
    return str(error.value)


@pytest.mark.parametrize("name", sorted(RECIPES))
def test_what_is_written_is_read_back(name, tmp_path):
    path = tmp_path / "experiment.yaml"
    path.write_text(to_yaml(RECIPES[name]), encoding="utf-8")
    assert from_yaml(path) == RECIPES[name]
    assert from_yaml(path, base=CYCLEGAN) == RECIPES[name]


def test_every_default_is_written_out():
    written = yaml.safe_load(to_yaml(Experiment()))
    assert written["model"]["generator"]["width"] == 64
    assert written["training"]["beta1"] == 0.5
    assert list(written) == ["recipe", "model", "data", "training", "init_from", "init_what"]


def test_what_a_file_does_not_say_is_the_bases():
    found = parse_yaml("training:\n  epochs: 40\n", "run.yaml", CYCLEGAN)
    assert found.training.epochs == 40
    assert found == change(CYCLEGAN, {"training": {"epochs": 40}})


def test_without_a_base_it_is_the_default_experiments():
    assert parse_yaml("data: {size: 128}", "run.yaml") == change(Experiment(), {"data": {"size": "128"}})


@pytest.mark.parametrize("text", ["2e-4", "0.0002", "2.0E-4", ".0002", "+2e-4"])
def test_a_rate_in_any_notation_is_a_number(text):
    assert parse_yaml(f"training:\n  lr: {text}", "run.yaml").training.lr == pytest.approx(2e-4)


def test_a_whole_number_stands_for_a_decimal_one_and_not_the_other_way():
    assert parse_yaml("model: {lambda_l1: 50}", "run.yaml").model.lambda_l1 == 50.0
    assert "training.epochs" in refusal("training: {epochs: 1.5}")
    assert "training.epochs" in refusal("training: {epochs: '40'}")


def test_a_size_may_be_a_number_or_text():
    assert parse_yaml("data: {size: 128}", "run.yaml").data.crop == (128, 128)
    assert parse_yaml("data: {size: 128x256}", "run.yaml").data.crop == (128, 256)


def test_a_misspelt_name_is_found_by_path_and_line_and_answered_with_the_likely_one():
    text = "training:\n  epochs: 3\n  bach_size: 4\n"
    assert refusal(text) == "run.yaml:3: training.bach_size: no such setting; did you mean batch_size?"


def test_a_misspelt_name_inside_a_kind_is_found():
    text = "model:\n  generator:\n    widht: 4\n"
    assert refusal(text) == "run.yaml:3: model.generator.widht: no such setting; did you mean width?"


def test_a_misspelt_name_at_the_top_is_found():
    assert refusal("\nmodle: {}\n") == "run.yaml:2: modle: no such setting; did you mean model?"


def test_all_mistakes_are_named_at_once():
    text = "data:\n  size: big\ntraining:\n  lr: -1\n  epoch: 3\n"
    lines = refusal(text).splitlines()
    assert [line.split(" ")[0] for line in lines] == ["run.yaml:2:", "run.yaml:4:", "run.yaml:5:"]


def test_a_value_that_cannot_be_used_is_shown_with_the_reason():
    wanted = "input should be 'auto' or input should be greater than 0."
    assert refusal("training: {batch_size: 0}") == f"run.yaml:1: training.batch_size: 0 cannot be used: {wanted}"
    assert refusal("training:\n  lr: -1").startswith("run.yaml:2: training.lr: -1 cannot be used: ")
    assert "a size is '256' or '256x512'" in refusal("data: {size: huge}")
    assert "'linear' or 'constant'" in refusal("training: {schedule: cosine}")


def test_another_model_starts_from_its_own_networks():
    assert change(Experiment(), {"model": {"kind": "cyclegan"}}).model == models.CycleGAN()


def test_another_network_keeps_the_values_that_both_kinds_have():
    others = {"generator": {"kind": "unet"}, "discriminator": {"kind": "pixelgan"}}
    found = change(Experiment(model=models.CycleGAN()), {"model": others}).model
    assert found.generator == networks.UNet(norm="instance", dropout=False)
    assert found.discriminator == networks.PixelGAN(norm="instance")
    resnet = {"model": {"generator": {"kind": "resnet", "blocks": 6}}}
    expected = networks.ResNet(blocks=6, norm="batch", dropout=True)
    assert change(Experiment(), resnet).model.generator == expected


def test_a_setting_of_another_kind_is_named_with_the_kind_that_has_it():
    assert refusal("model: {generator: {kind: resnet, depth: 3}}").endswith("no such setting; only unet has it.")


def test_the_same_kind_keeps_what_stood_there():
    wide = change(Experiment(), {"model": {"generator": {"width": 8}}})
    assert change(wide, {"model": {"generator": {"kind": "unet", "depth": 5}}}).model.generator.width == 8


def test_an_unknown_kind_is_refused_with_those_that_exist():
    text = refusal("model:\n  generator:\n    kind: transformer\n")
    assert "model.generator.kind" in text
    assert "'transformer'" in text
    assert "unet" in text
    assert "resnet" in text
    assert text.startswith("run.yaml:")


def test_a_setting_of_another_kind_is_refused():
    assert "model.lambda_cycle: no such setting" in refusal("model: {lambda_cycle: 3}")
    assert parse_yaml("model: {lambda_cycle: 3}", "run.yaml", CYCLEGAN).model.lambda_cycle == 3


def test_a_branch_that_is_no_branch_is_refused():
    assert refusal("model: pix2pix\n").startswith("run.yaml:1: model: ")
    assert refusal("training: 3\n").startswith("run.yaml:1: training: ")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "- a\n- b",
        "just text",
        "a: [1",
        "a:\n\tb: 1",
        "a: !!python/object/apply:os.system [true]",
        "data: &x {y: *x}",
        "training: {seed: 08}",
        "training: {lr: .nan}",
        "training: {lr: .inf}",
        "recipe: 2020-01-01",
        "recipe: 2020-13-01",
        "1: 2",
        "? [a]\n: b",
        "training: {seed: 1: 2}",
        "model: {kind: [1]}",
        "model: {kind: null}",
    ],
)
def test_what_is_no_experiment_is_refused_by_name(text):
    assert refusal(text).startswith("run.yaml")


def test_not_yaml_names_the_line():
    assert re.match(r"run\.yaml:3: not YAML", refusal("a: 1\nb: 2\nc: ]\n"))


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path):
    for path, content in ((tmp_path / "none.yaml", None), (tmp_path / "binary.yaml", b"\xff\xfe\x00")):
        if content:
            path.write_bytes(content)
        with pytest.raises(SettingsError, match=re.escape(f"{path}: cannot be read")):
            from_yaml(path)


def test_changing_leaves_the_original_alone():
    before = to_yaml(CYCLEGAN)
    changed = change(CYCLEGAN, {"training": {"epochs": 3}})
    assert changed.training.epochs == 3
    assert to_yaml(CYCLEGAN) == before


def test_a_change_that_cannot_be_is_refused_with_its_origin():
    with pytest.raises(SettingsError, match=r"^--set: model\.lamda_l1: no such setting; did you mean lambda_l1\?"):
        change(Experiment(), {"model": {"lamda_l1": 3.0}}, origin="--set: ")


def test_width_is_that_of_both_networks():
    narrow = set_width(CYCLEGAN, 8)
    assert (narrow.model.generator.width, narrow.model.discriminator.width) == (8, 8)
    assert narrow.model.generator.blocks == 9


def test_a_cyclegan_learns_both_directions_and_is_asked_for_none():
    with pytest.raises(SettingsError, match=r"direction BtoA: a CycleGAN learns both.*the recipe cut"):
        change(CYCLEGAN, {"data": {"direction": "BtoA"}}).build(3, 3)


def test_an_experiment_needs_the_data_of_its_model():
    assert {name: RECIPES[name].needs for name in ("pix2pix", "cyclegan", "cut", "dcgan")} == {
        "pix2pix": "pairs",
        "cyclegan": "domains",
        "cut": "domains",
        "dcgan": "pictures",
    }


def test_the_game_of_noise_was_once_called_dcgan(tmp_path):
    saved = tmp_path / "experiment.yaml"
    saved.write_text("model:\n  kind: dcgan\n  generator: {width: 7}\n  objective: {kind: hinge}\n")
    model = from_yaml(saved).model
    assert (model.kind, model.generator.width, model.objective.kind) == ("gan", 7, "hinge")
