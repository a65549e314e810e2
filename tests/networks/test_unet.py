import pytest
import torch
from torch import nn

from i2i.errors import SettingsError
from i2i.networks import settings
from i2i.networks.unet import UNet


@pytest.mark.parametrize(
    ("size", "depth"), [((256, 256), 8), ((128, 128), 7), ((512, 512), 8), ((256, 512), 8), ((64, 96), 5)]
)
def test_depth_follows_from_the_size(size, depth):
    network = settings.UNet(width=2).build(3, 3, size)
    assert network.multiple == 2**depth
    assert len(network.downs) == depth


@pytest.mark.parametrize(
    ("size", "depth", "nearest"),
    [
        ((200, 200), 0, "192x192"),  # 8 x 25 halves three times: too few
        ((250, 256), 0, "256x256"),
        ((300, 300), 8, "256x256"),
        ((300, 500), 8, "256x512"),
        ((100, 100), 8, "256x256"),
        ((100, 130), 7, "128x128"),
    ],
)
def test_a_size_that_cannot_be_halved_is_refused_with_the_nearest_that_can(size, depth, nearest):
    with pytest.raises(SettingsError) as refusal:
        settings.UNet(width=2, depth=depth).build(3, 3, size)
    assert f"--size {nearest}" in str(refusal.value)
    height, width = map(int, nearest.split("x"))
    settings.UNet(width=2, depth=depth).build(3, 3, (height, width))


@pytest.mark.parametrize(("depth", "positions"), [(8, [1, 2, 3]), (7, [1, 2]), (6, [1]), (5, [])])
def test_dropout_sits_in_the_wide_decoder_blocks_but_the_innermost(depth, positions):
    network = UNet(3, 3, width=1, depth=depth)
    found = [place for place, up in enumerate(network.ups) if any(isinstance(m, nn.Dropout) for m in up)]
    assert found == positions
    assert sum(isinstance(layer, nn.Dropout) for layer in network.modules()) == len(positions)


def test_no_dropout_when_it_is_switched_off():
    assert not any(isinstance(layer, nn.Dropout) for layer in UNet(3, 3, width=1, dropout=False).modules())


def test_dropout_makes_noise_while_training_and_none_afterwards():
    network = UNet(3, 3, width=4, depth=6, norm="instance")
    for weight in network.parameters():
        nn.init.normal_(weight, 0, 0.3)
    x = torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        assert not torch.equal(network(x), network(x))
        network.eval()
        assert torch.equal(network(x), network(x))


def test_the_innermost_and_outermost_downs_are_not_normalised():
    network = UNet(3, 3, width=1, depth=5, norm="batch")
    normed = [any(isinstance(layer, nn.BatchNorm2d) for layer in down.modules()) for down in network.downs]
    assert normed == [False, True, True, True, False]


def test_skips_carry_detail_that_the_bottleneck_cannot():
    torch.manual_seed(0)
    network = UNet(1, 1, width=4, depth=5, norm="none", dropout=False)
    for weight in network.parameters():
        nn.init.normal_(weight, 0, 0.3)
    nn.init.zeros_(network.ups[0][1].weight)  # nothing comes up from the innermost map
    x = torch.randn(1, 1, 32, 32, requires_grad=True)
    (gradient,) = torch.autograd.grad(network(x).sum(), x)
    assert gradient.any()


def test_it_trains_at_its_smallest_size_on_one_picture():
    network = UNet(3, 3, width=2, depth=5, norm="instance")
    network(torch.randn(1, 3, 32, 32)).sum().backward()
    assert all(weight.grad is not None for weight in network.parameters())
