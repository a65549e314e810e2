from typing import Any

import pytest
import torch
from torch import Tensor

from i2i.batches import Labelled
from i2i.experiment import change
from i2i.game import Progress, flatten
from i2i.losses.adversarial import Vanilla
from i2i.losses.path_length import PathLength
from i2i.losses.penalties import LazyR1
from i2i.models.stylegan import StyleGAN, mixed
from i2i.networks import settings
from i2i.recipes import RECIPES


def model_of(classes: int = 0, **options: Any) -> StyleGAN:
    torch.manual_seed(0)
    G = settings.StyleGANGenerator(width=2, latent=4, mapping=2).build(3, (8, 8), classes)
    D = settings.StyleGANDiscriminator(width=2).build(3, (8, 8), classes)
    return StyleGAN(G, D, Vanilla(), **options)


BATCH = Labelled(torch.zeros(4, 3, 8, 8), torch.tensor([0, 1, 2, 1]))


def test_mixing_takes_coarse_layers_of_one_and_fine_ones_of_the_other():
    coarse, fine = torch.zeros(3, 4, 1), torch.ones(3, 4, 1)
    made = mixed(coarse, fine, torch.tensor([1, 3, 4]))
    assert made[:, :, 0].tolist() == [[0, 1, 1, 1], [0, 0, 0, 1], [0, 0, 0, 0]]


@pytest.mark.parametrize("mixing", [0.0, 0.5, 1.0])
def test_so_many_pictures_are_of_two_styles(mixing):
    model = model_of(mixing=mixing)
    styles = model._styles(400, torch.device("cpu"), None)
    two = (styles[:, :1] != styles).any(2).any(1)
    assert float(two.float().mean()) == pytest.approx(mixing, abs=0.1)
    # Layers change their style once.
    changes = (styles[:, 1:] != styles[:, :-1]).any(2).sum(1)
    assert torch.equal(changes, two.long())


def test_the_two_players_judge_and_learn_of_the_same_pictures(monkeypatch):
    model = model_of()
    made: list[Tensor] = []
    paint = model.G.paint
    monkeypatch.setattr(model.G, "paint", lambda styles: made.append(paint(styles)) or made[-1])
    assert [turn.player for turn in model.step(BATCH, Progress())] == ["D", "G"]
    assert len(made) == 1


def test_path_length_and_r1_have_rounds_of_their_own_and_a_phase_each():
    model = model_of(path=PathLength(2.0, every=2), r1=LazyR1(weight=1.0, every=4))
    terms = []
    for rounds in range(5):
        D, G = model.step(BATCH, Progress(rounds))
        terms.append(("r1" in flatten(D.terms), "path" in flatten(G.terms)))
    assert terms == [(True, True), (False, False), (False, True), (False, False), (True, True)]
    phases = [model.phase(Progress(rounds)) for rounds in range(5)]
    assert len(set(phases)) == 3
    assert phases[1] == phases[3]
    assert phases[0] == phases[4]


def test_path_length_is_measured_on_half_a_batch(monkeypatch):
    model = model_of(classes=3, path=PathLength(2.0, every=1))
    seen: list[tuple[int, ...]] = []
    term = PathLength.term
    monkeypatch.setattr(PathLength, "term", lambda self, paint, w: seen.append(tuple(w.shape)) or term(self, paint, w))
    list(model.step(BATCH, Progress()))
    assert seen == [(2, model.G.depth, 4)]


def test_labels_reach_both_and_stay_beside_their_pictures():
    model = model_of(classes=3)
    seen: list[Tensor] = []
    for network in (model.G.mapping, model.D):
        network.register_forward_pre_hook(lambda module, args: seen.append(args[1]))
    list(model.step(BATCH, Progress()))
    # Two styles, then D on both, and on the fakes.
    assert [labels.tolist() for labels in seen] == [[0, 1, 2, 1]] * 2 + [[0, 1, 2, 1] * 2] + [[0, 1, 2, 1]]


def test_the_recipe_is_the_papers_and_is_built_as_it_says():
    experiment = change(RECIPES["stylegan"], {"data": {"size": "8", "load": 0}, "model": {"lambda_r1": 0.5}})
    training, generator = experiment.training, experiment.model.generator
    assert (training.lr, training.beta1, training.beta2, training.batch_size) == (2.5e-3, 0, 0.99, 32)
    assert (generator.latent, generator.mapping, experiment.model.objective.kind) == (512, 8, "vanilla")
    small = change(experiment, {"model": {"generator": {"width": 2, "latent": 4}, "discriminator": {"width": 2}}})
    model = small.build(3, 3)
    assert isinstance(model, StyleGAN)
    assert (model.mixing, model.path.weight, model.path.every) == (0.9, 2, 8)
    assert (model.r1.weight, model.r1.every) == (0.5, 16)


def test_samples_are_of_one_style_and_shown_within_one():
    model = model_of().eval()
    with torch.no_grad():
        one, two = (model.show(BATCH, model.translators())["made"] for _ in range(2))
    assert torch.equal(one, two)
    assert float(one.abs().max()) <= 1
