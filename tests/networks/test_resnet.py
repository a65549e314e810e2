import copy
import math

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from i2i.errors import SettingsError
from i2i.networks import settings
from i2i.networks.blocks import Residual, blurred_half, initialise, up
from i2i.networks.resnet import ResNet


@pytest.mark.parametrize("size", [(8, 8), (12, 20)])
def test_any_multiple_of_four_keeps_its_size(size):
    network = settings.ResNet(width=2, blocks=1).build(3, 1, size)
    assert network(torch.randn(1, 3, *size)).shape == (1, 1, *size)


@pytest.mark.parametrize(("size", "nearest"), [((258, 256), "256x256"), ((4, 64), "8x64"), ((63, 61), "64x60")])
def test_other_sizes_are_refused_with_the_nearest(size, nearest):
    with pytest.raises(SettingsError, match=f"The nearest is --size {nearest}"):
        settings.ResNet().build(3, 3, size)


def test_a_residual_block_of_zero_weights_changes_nothing():
    block = Residual(4, "none", dropout=False)
    for weight in block.parameters():
        nn.init.zeros_(weight)
    x = torch.randn(2, 4, 6, 6)
    assert torch.equal(block(x), x)


@pytest.mark.parametrize("blocks", [0, 1, 6])
def test_as_many_residual_blocks_as_asked_for_each_with_its_dropout(blocks):
    network = ResNet(3, 3, width=2, blocks=blocks, dropout=True)
    assert sum(isinstance(layer, Residual) for layer in network.modules()) == blocks
    assert sum(isinstance(layer, nn.Dropout) for layer in network.modules()) == blocks
    assert not any(isinstance(layer, nn.Dropout) for layer in ResNet(3, 3, width=2, blocks=blocks).modules())


def test_the_blur_before_halving_is_1_2_1_over_mirrored_borders():
    x = torch.randn(1, 2, 8, 12)
    binomial = torch.tensor([1.0, 2.0, 1.0]) / 4
    filters = torch.outer(binomial, binomial).expand(2, 1, 3, 3)
    wanted = functional.conv2d(functional.pad(x, (1,) * 4, mode="reflect"), filters, stride=2, groups=2)
    torch.testing.assert_close(blurred_half()(x), wanted)
    assert not blurred_half().state_dict()


def test_bilinear_doubling_is_the_blur_1_3_3_1_between_zeros():
    x = torch.randn(1, 1, 4, 6)
    tent = torch.tensor([1.0, 3.0, 3.0, 1.0]) / 4
    padded = functional.pad(x, (1,) * 4, mode="replicate")
    wanted = functional.conv_transpose2d(padded, torch.outer(tent, tent)[None, None], stride=2)[:, :, 3:-3, 3:-3]
    double = up(1, 1, "bilinear")
    assert isinstance(double, nn.Sequential)
    torch.testing.assert_close(double[0](x), wanted)
    assert double(x).shape == (1, 1, 8, 12)


def test_blurring_down_and_up_turns_a_checkerboard_into_grey():
    """What plain strides fold into a pattern of its own is what blurring leaves out."""
    board = (torch.arange(16)[:, None] + torch.arange(16)).remainder(2).float()[None, None]
    torch.testing.assert_close(blurred_half()(board), torch.full((1, 1, 8, 8), 0.5))


def receptive_fields(network: ResNet, size: int = 160) -> list[tuple[int, int]]:
    """How many pixels the middle position of each feature depends on, (height, width)."""
    found = []
    for index in range(len(network.feature_channels)):
        x = torch.rand(1, 3, size, size, dtype=torch.float64, requires_grad=True)
        feature = network.features(x)[index]
        feature[0, :, feature.shape[2] // 2, feature.shape[3] // 2].sum().backward()
        assert x.grad is not None
        seen = x.grad.abs().sum((0, 1)) > 0
        found.append((int(seen.any(1).sum()), int(seen.any(0).sum())))
    return found


def test_the_features_see_what_the_paper_says_they_see():
    """CUT, App. C.1: 1, 9, 15, 35 and 99 pixels, which are those of the generator that blurs before it halves."""
    torch.manual_seed(0)
    network = ResNet(3, 3, width=2, norm="none", downsample="blur").double()
    # Positive weights, so that no path is cut by a ReLU or cancels another.
    for weight in network.parameters():
        nn.init.uniform_(weight, 0.01, 0.02)
    fields = receptive_fields(network)
    assert fields == [(side, side) for side in (1, 9, 15, 35, 99)]
    assert network._taps == (0, 4, 8, 12, 16)


@pytest.mark.parametrize("downsample", ["stride", "blur"])
@pytest.mark.parametrize(("blocks", "count"), [(0, 3), (1, 4), (2, 4), (3, 5), (6, 5), (9, 5)])
def test_features_have_the_channels_that_are_told_beforehand(downsample, blocks, count):
    network = ResNet(3, 3, width=2, blocks=blocks, downsample=downsample)
    features = network.features(torch.randn(2, 3, 16, 12))
    assert tuple(feature.shape[1] for feature in features) == network.feature_channels
    assert len(features) == count
    assert not blocks or features[-1].shape == (2, 8, 4, 3)


@pytest.mark.parametrize("norm", ["instance", "batch", "none"])
@pytest.mark.parametrize("checkpoint", [False, True])
def test_a_call_is_decoding_the_last_feature_and_features_stay_as_they_were_made(norm, checkpoint):
    torch.manual_seed(0)
    network = ResNet(3, 3, width=2, blocks=3, norm=norm, downsample="blur", checkpoint=checkpoint)
    x = torch.randn(2, 3, 16, 16)
    features = network.features(x)
    before = [feature.clone() for feature in features]
    made = network.decode(features)
    torch.testing.assert_close(made, network(x))
    assert all(torch.equal(one, other) for one, other in zip(features, before, strict=True))
    # What a convolution made, and not what the ReLU behind it left.
    torch.testing.assert_close(features[1], network.layers[:5](x))
    assert float(features[1].detach().min()) < 0


def gradients(network: ResNet, x: Tensor) -> list[Tensor]:
    features = network.features(x)
    loss = network.decode(features).square().sum() + sum(feature.square().mean() for feature in features)
    return list(torch.autograd.grad(loss, list(network.parameters())))


@pytest.mark.parametrize("norm", ["instance", "batch", "none"])
def test_features_computed_again_give_the_same_gradients(norm):
    torch.manual_seed(0)
    network = ResNet(3, 3, width=2, blocks=3, norm=norm).double()
    again = copy.deepcopy(network)
    again.checkpoint = True
    x = torch.randn(2, 3, 16, 16, dtype=torch.float64)
    for one, other in zip(gradients(network, x), gradients(again, x), strict=True):
        torch.testing.assert_close(one, other)


def masking(logit: float, picture: float) -> ResNet:
    """A network with a mask whose last convolution says the same everywhere."""
    network = ResNet(3, 3, width=2, blocks=1, mask=True)
    last = network.layers[-2]
    assert isinstance(last, nn.Conv2d)
    assert last.bias is not None
    with torch.no_grad():
        last.weight.zero_()
        last.bias.copy_(torch.tensor([picture] * 3 + [logit]))
    return network


def test_a_mask_takes_what_is_made_and_leaves_the_source_elsewhere():
    x = torch.rand(2, 3, 8, 12) * 2 - 1
    torch.testing.assert_close(masking(-100.0, 0.5)(x), x, rtol=0, atol=0)
    made = torch.full_like(x, math.tanh(0.5))
    torch.testing.assert_close(masking(100.0, 0.5)(x), made)
    torch.testing.assert_close(masking(math.log(3), 0.5)(x), 0.75 * made + 0.25 * x)


def test_a_mask_starts_at_one_half():
    torch.manual_seed(0)
    network = ResNet(3, 3, width=8, blocks=2, mask=True)
    initialise(network)
    x = torch.rand(1, 3, 32, 32) * 2 - 1
    mask = network.layers(x)[:, -1]
    assert float((mask - 0.5).abs().detach().mean()) < 0.1
    assert float((network(x) - x / 2).abs().detach().mean()) < 0.1


@pytest.mark.parametrize("checkpoint", [False, True])
def test_features_lead_to_the_same_under_a_mask(checkpoint):
    torch.manual_seed(0)
    network = ResNet(3, 3, width=2, blocks=3, mask=True, checkpoint=checkpoint)
    x = torch.rand(2, 3, 16, 20) * 2 - 1
    torch.testing.assert_close(network.decode(network.features(x)), network(x))


@pytest.mark.parametrize("mask", [False, True])
def test_what_is_made_is_float32_whatever_it_was_made_in(mask):
    network = settings.ResNet(width=2, blocks=1, mask=mask).build(3, 3, (16, 16))
    assert isinstance(network, ResNet)
    assert network.mask is mask
    x = torch.rand(1, 3, 16, 16) * 2 - 1
    with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
        assert network(x).dtype is network.decode(network.features(x)).dtype is torch.float32


def test_a_mask_wants_as_many_channels_as_the_source_has():
    with pytest.raises(ValueError, match="1 channels are not 3"):
        ResNet(1, 3, mask=True)
    with pytest.raises(SettingsError, match=r"model\.generator\.mask: .* 1 and 3 channels"):
        settings.ResNet(mask=True).build(1, 3, (16, 16))
