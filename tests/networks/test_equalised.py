import pytest
import torch
from torch import nn

from i2i.networks.blocks import in_parts
from i2i.networks.equalised import EqualConv2d, EqualLinear, MinibatchDeviation, PixelNorm


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


def test_weights_start_at_deviation_one_and_are_used_at_hes():
    conv, linear = EqualConv2d(64, 64, 3, gain=2**0.5), EqualLinear(512, 256, rate=0.01)
    assert float(conv.weight.std()) == pytest.approx(1, abs=0.01)
    assert float((conv.weight * conv.scale).std()) == pytest.approx((2 / (64 * 9)) ** 0.5, rel=0.01)
    assert float((linear.weight * linear.scale).std()) == pytest.approx((1 / 512) ** 0.5, rel=0.01)
    assert float(linear.weight.std()) == pytest.approx(100, rel=0.01)


def test_the_output_of_unit_variance_has_the_gains_square_whatever_the_width():
    for channels in (8, 512):
        layer = EqualLinear(channels, 256, gain=2**0.5)
        assert float(layer(torch.randn(256, channels)).var()) == pytest.approx(2, rel=0.15)


def test_a_convolution_has_that_variance_too():
    for channels in (8, 128):
        made = EqualConv2d(channels, 64, 3, gain=2**0.5)(torch.randn(4, channels, 10, 10))
        assert float(made[:, :, 1:-1, 1:-1].var()) == pytest.approx(2, rel=0.15)


def test_a_step_of_a_weight_moves_a_layer_by_its_rate():
    slow, fast = EqualLinear(4, 1, rate=0.01, bias=1.0), EqualLinear(4, 1, bias=1.0)
    x = torch.ones(1, 4)
    for layer in (slow, fast):
        nn.init.zeros_(layer.weight)
        assert float(layer(x)) == pytest.approx(1)
        with torch.no_grad():
            layer.weight += 0.5
            layer.bias += 0.5
    assert float(fast(x)) == pytest.approx(1 + 4 * 0.5 / 2 + 0.5)
    assert float(slow(x)) == pytest.approx(1 + 0.01 * (4 * 0.5 / 2 + 0.5))


def test_a_convolution_keeps_the_side_or_halves_it_on_a_wider_border():
    assert EqualConv2d(2, 3, 3)(torch.zeros(1, 2, 8, 8)).shape == (1, 3, 8, 8)
    assert EqualConv2d(2, 3, 3, stride=2)(torch.zeros(1, 2, 9, 9)).shape == (1, 3, 4, 4)


def test_pixel_norm_leaves_a_mean_square_of_one_in_every_pixel():
    x = 5 * torch.randn(2, 6, 3, 3)
    assert torch.allclose(PixelNorm()(x).square().mean(1), torch.ones(2, 3, 3), atol=1e-5)
    assert torch.allclose(PixelNorm()(x[:, :, 0, 0]), PixelNorm()(x)[:, :, 0, 0])


def test_pictures_that_are_alike_have_no_deviation():
    x = torch.randn(1, 3, 4, 4).expand(4, -1, -1, -1)
    made = MinibatchDeviation()(x)
    assert torch.equal(made[:, :3], x)
    assert float(made[:, 3].abs().max()) <= 1.01e-4


def test_the_deviation_by_hand():
    x = torch.stack([torch.full((2, 2, 2), value) for value in (1.0, 3.0)])
    assert torch.allclose(MinibatchDeviation()(x)[:, 2], torch.ones(2, 2, 2), atol=1e-4)


@pytest.mark.parametrize(("count", "group"), [(8, 4), (6, 3), (10, 2), (5, 5), (7, 7), (3, 3), (2, 2), (1, 1)])
def test_groups_divide_the_batch_and_every_picture_is_told_of_its_own(count, group):
    x = torch.randn(count, 3, 2, 2)
    found = MinibatchDeviation()(x)[:, 3, 0, 0]
    groups = count // group
    of_each = [float(x[one::groups].std(0, correction=0).mean()) for one in range(groups)]
    assert found.tolist() == pytest.approx(of_each * group, abs=1e-3)
    assert count == 1 or float(found.min()) > 0.1, "none is a group by itself"


def test_real_and_fake_in_one_pass_are_two_batches():
    layer = nn.Sequential(MinibatchDeviation())
    fake, real = torch.zeros(4, 2, 2, 2), torch.randn(4, 2, 2, 2)
    with in_parts(layer, 2):
        both = layer(torch.cat([fake, real]))
    assert torch.equal(both, torch.cat([layer(fake), layer(real)]))
    assert not torch.equal(both, layer(torch.cat([fake, real])))
