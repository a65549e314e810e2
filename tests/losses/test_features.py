import pytest
import torch

from i2i.losses.features import feature_matching


def flat(*values: float) -> list[torch.Tensor]:
    """Layers of other and other sizes, each of one value."""
    return [torch.full((2, 3, 4 + i, 4), value) for i, value in enumerate(values)]


def test_it_is_the_sum_over_layers_of_their_mean_differences():
    assert float(feature_matching([flat(1, 2, -1)], [flat(0, 4, -1.5)])) == pytest.approx(1 + 2 + 0.5)


def test_scales_count_the_same():
    found = feature_matching([flat(1, 2), flat(5)], [flat(0, 0), flat(0)])
    assert float(found) == pytest.approx((3 + 5) / 2)


def test_nothing_is_learnt_through_the_real_side():
    fake, real = ([torch.ones(1, 1, 2, 2) * value] for value in (1.0, 3.0))
    for layers in (fake, real):
        layers[0].requires_grad_()
    feature_matching([fake], [real]).backward()
    assert real[0].grad is None
    assert fake[0].grad is not None
    assert torch.equal(fake[0].grad, torch.full((1, 1, 2, 2), -0.25))


def test_half_precision_is_compared_in_float32():
    layers = [[torch.ones(1, 2, 4, 4, dtype=torch.bfloat16)]]
    assert feature_matching(layers, layers).dtype is torch.float32
