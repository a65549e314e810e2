import pytest
import torch
from torch import nn

from i2i.engine.signals import described, gradient_norm, sums


def means(signals):
    return described({name: float(value) for name, value in sums(signals).items()})


def test_accuracy_is_the_share_of_real_patches_scored_above_the_fake_ones_whatever_the_scale():
    real, fake = torch.tensor([1.0, 2.0, 3.0, 4.0]), torch.tensor([0.0, 5.0, 0.0, 0.0])
    assert float(sums({"real": real, "fake": fake})["accuracy"]) == 0.75
    assert float(sums({"real": 100 * real - 7, "fake": 100 * fake - 7})["accuracy"]) == 0.75


def test_separation_counts_standard_deviations_between_the_means():
    generator = torch.Generator().manual_seed(0)
    fake = torch.randn(100_000, generator=generator)
    found = means({"D": {"real": 3 * torch.randn(100_000, generator=generator) + 4, "fake": fake}})
    assert found["D/real"] == pytest.approx(4, abs=0.05)
    assert found["D/separation"] == pytest.approx(4 / 5**0.5, abs=0.02)
    assert set(found) == {"D/real", "D/fake", "D/accuracy", "D/separation"}


def test_separation_comes_from_means_over_rounds_that_differ():
    rounds = [sums({"D": {"real": torch.tensor([value]), "fake": torch.tensor([0.0])}}) for value in (1.0, 3.0)]
    found = described({name: float(rounds[0][name] + rounds[1][name]) / 2 for name in rounds[0]})
    assert found["D/separation"] == pytest.approx(2 / 0.5**0.5)


def test_signals_that_are_no_scores_are_left_alone():
    assert sums({"real": torch.ones(1)}) == {}
    assert sums({}) == {}


def test_the_gradient_norm_is_that_of_all_weights_together():
    weights = [nn.Parameter(torch.zeros(2)), nn.Parameter(torch.zeros(1)), nn.Parameter(torch.zeros(1))]
    weights[0].grad, weights[1].grad = torch.tensor([3.0, 0.0]), torch.tensor([4.0])
    norm = gradient_norm(weights)
    assert norm is not None
    assert float(norm) == 5
    assert gradient_norm(weights[2:]) is None
