import pytest
import torch
from torch import nn

from i2i.errors import SettingsError
from i2i.networks import settings
from i2i.networks.blocks import Residual
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
