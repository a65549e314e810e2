import pytest
import torch

from i2i.losses.reconstruction import l1


def test_l1_is_the_mean_absolute_difference():
    output = torch.tensor([[1.0, -2.0], [0.5, 0.0]])
    assert float(l1(output, torch.zeros(2, 2))) == pytest.approx(3.5 / 4)


def test_l1_pulls_every_pixel_equally_hard():
    output = torch.tensor([3.0, -0.01, 0.5, -7.0], requires_grad=True)
    l1(output, torch.zeros(4)).backward()
    assert output.grad is not None
    assert output.grad.tolist() == [0.25, -0.25, 0.25, -0.25]
