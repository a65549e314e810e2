"""What settings of models say, and what older ones that lack some of it mean."""

import pytest
import yaml

from i2i.errors import SettingsError
from i2i.experiment import Experiment, parse_yaml, to_yaml
from i2i.losses.adversarial import Hinge
from i2i.losses.penalties import LazyR1
from i2i.models.pix2pix import Pix2Pix
from i2i.networks.multiscale import MultiScale

SKETCH = """
model:
  generator: {upsample: resize, width: 2}
  discriminator: {kind: multi-scale, scales: 2, width: 2, norm: none, spectral_norm: true}
  objective: {kind: hinge}
  lambda_l1: 5
  lambda_features: 10
  lambda_ssim: 3
  lambda_r1: 1
  r1_every: 8
data: {size: 64}
training: {ema: 0.999}
"""


def test_all_options_of_a_game_of_pairs_are_built_as_they_are_said():
    experiment = parse_yaml(SKETCH, "sketch.yaml")
    model = experiment.build(3, 3)
    assert isinstance(model, Pix2Pix)
    assert isinstance(model.D, MultiScale)
    assert len(model.D.scales) == 2
    assert isinstance(model.objective, Hinge)
    assert (model.lambda_l1, model.lambda_features, model.r1) == (5, 10, LazyR1(weight=1, every=8))
    assert model.lambda_ssim == 3
    assert parse_yaml(to_yaml(experiment), "again.yaml") == experiment


def test_a_run_from_before_there_were_options_is_the_papers():
    saved = yaml.safe_load(to_yaml(Experiment()))
    for name in ("lambda_ssim", "lambda_features", "lambda_r1", "r1_every"):
        del saved["model"][name]
    assert parse_yaml(yaml.safe_dump(saved), "experiment.yaml", Experiment()) == Experiment()
    model = Experiment().build(3, 3)
    assert isinstance(model, Pix2Pix)
    assert (model.lambda_ssim, model.lambda_features, model.r1.weight) == (0, 0, 0)


def test_another_kind_of_discriminator_keeps_its_width_and_norm():
    found = parse_yaml("model: {discriminator: {kind: multi-scale}}", "run.yaml").model
    assert (found.discriminator.kind, found.discriminator.width, found.discriminator.norm) == (
        "multi-scale",
        64,
        "batch",
    )


def test_ssim_of_pictures_smaller_than_its_window_is_refused():
    small = parse_yaml("{model: {generator: {kind: resnet}, lambda_ssim: 1}, data: {size: 8}}", "run.yaml")
    with pytest.raises(SettingsError, match=r"size 8x8: SSIM compares windows of 11 x 11 pixels.*--model.lambda-ssim"):
        small.build(3, 3)


@pytest.mark.parametrize("kind", ["ebgan", "began"])
def test_an_objective_of_energies_wants_an_autoencoder_and_is_none_of_a_translators(kind):
    for judge in ("dcgan", "residual"):
        text = f"model: {{kind: gan, objective: {{kind: {kind}}}, discriminator: {{kind: {judge}, width: 2}}}}"
        experiment = parse_yaml(f"{text}\ndata: {{size: 32}}", "run.yaml")
        with pytest.raises(SettingsError, match=rf"objective {kind}: reads how well .* and {judge} gives scores"):
            experiment.build(3, 3)
    with pytest.raises(SettingsError, match=rf"model\.objective\.kind: '{kind}' is none of"):
        parse_yaml(f"model: {{objective: {{kind: {kind}}}}}", "run.yaml")
