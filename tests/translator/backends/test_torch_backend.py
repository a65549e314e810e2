"""torch's own engine: the same numbers, the weights in another order."""

import pytest
import torch
from torch import nn

from i2i.networks.blocks import BatchNorm, InstanceNorm
from i2i.networks.settings import ResNet, UNet
from i2i.translator.backends.torch import TorchBackend, with_half_weights

CPU = torch.device("cpu")


@pytest.mark.parametrize("architecture", [UNet(width=4, depth=5), ResNet(width=4, blocks=1)])
@pytest.mark.parametrize("half", [False, True])
def test_it_is_the_network_under_autocast(architecture: UNet | ResNet, half: bool) -> None:
    torch.manual_seed(0)
    network = architecture.build(3, 3, (64, 64)).eval()
    batch = 2 * torch.rand(2, 3, 64, 32) - 1
    with torch.inference_mode(), torch.autocast("cpu", dtype=torch.bfloat16, enabled=half):
        wanted = network(batch)
    made = TorchBackend(network, CPU)(batch, half)
    assert made.dtype == torch.float32
    assert (made - wanted).abs().max() < (0.02 if half else 1e-5)
    exact = TorchBackend(network, CPU)(batch, False)
    assert (exact == made).all() != half  # bf16 is not float32


def test_weights_lie_as_convolutions_read_them_and_norms_are_shared() -> None:
    network = UNet(width=4, depth=5).build(3, 3, (64, 64)).eval()
    backend = TorchBackend(network, CPU)
    half = with_half_weights(backend.network)
    for layer, again in zip(network.modules(), half.modules(), strict=True):
        if isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d)):
            assert layer.weight.is_contiguous(memory_format=torch.channels_last)
            assert (layer.weight.dtype, again.weight.dtype) == (torch.float32, torch.bfloat16)
        elif isinstance(layer, (BatchNorm, InstanceNorm)):
            assert again is layer  # what is shared over frames, and own statistics, hold for both
