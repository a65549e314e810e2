import pytest
import torch
from torch import Tensor, nn

from i2i.networks.blocks import BatchNorm, InstanceNorm
from i2i.networks.settings import ResNet, UNet
from i2i.networks.steady import Steady


def frames(count: int = 6, channels: int = 3) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randn(count, channels, 8, 8, generator=generator) * torch.linspace(1, 2, count).view(-1, 1, 1, 1)


def own_batch_norm() -> BatchNorm:
    layer = BatchNorm(3)
    layer.own_statistics = True
    return layer


@pytest.mark.parametrize("make", [lambda: InstanceNorm(3), own_batch_norm])
def test_statistics_are_those_of_all_pixels_so_far_until_the_window_is_full(make):
    layer = make().eval()
    network = nn.Sequential(layer)
    steady = Steady(network, window=100)
    x = frames()
    steady.coming([True] + [False] * 5)
    with torch.no_grad():
        result = network(x)
        weight, bias = (getattr(layer, name, None) for name in ("weight", "bias"))
        for index in range(6):
            pool = x[: index + 1].transpose(0, 1).flatten(1)
            mean, variance = pool.mean(1), pool.var(1, correction=0)
            wanted = nn.functional.batch_norm(x[index : index + 1], mean, variance, weight, bias)
            assert torch.allclose(result[index : index + 1], wanted, atol=1e-5)


def test_the_first_frame_of_a_scene_is_normalised_by_its_own_statistics():
    network = nn.Sequential(InstanceNorm(3)).eval()
    x = frames()
    with torch.no_grad():
        alone = network(x)
        Steady(network).coming([True, False, False, True, False, False])
        together = network(x)
    same = [torch.allclose(one, other, atol=1e-5) for one, other in zip(alone, together, strict=True)]
    assert same == [True, False, False, True, False, False]


@pytest.mark.parametrize("sizes", [[1] * 6, [2, 4], [5, 1]])
def test_batches_change_nothing(sizes):
    torch.manual_seed(0)
    network = ResNet(width=4, blocks=2).build(3, 3, (8, 8)).eval()
    x = torch.tanh(frames())
    with torch.no_grad():
        steady = Steady(network, window=3)
        steady.coming([True] + [False] * 5)
        wanted = network(x)
        steady = Steady(network, window=3)
        made, start = [], 0
        for size in sizes:
            steady.coming([start + at == 0 for at in range(size)])
            made.append(network(x[start : start + size]))
            start += size
    assert torch.allclose(torch.cat(made), wanted, atol=1e-5)


def test_a_batch_that_did_not_come_through_leaves_no_trace():
    network = nn.Sequential(InstanceNorm(3)).eval()
    x = frames()
    with torch.no_grad():
        steady = Steady(network, window=4)
        steady.coming([True, False])
        network(x[:2])
        steady.coming([False, False])
        network(x[4:])
        steady.take_back()
        steady.coming([False, False])
        result = network(x[2:4])
        steady = Steady(network, window=4)
        steady.coming([True, False, False, False])
        assert torch.allclose(result, network(x[:4])[2:], atol=1e-6)


def test_what_is_normalised_by_fixed_statistics_has_nothing_to_share():
    assert not Steady(UNet(width=2, depth=4).build(3, 3, (16, 16)).eval()).layers
    assert len(Steady(UNet(width=2, depth=4, norm="instance").build(3, 3, (16, 16)).eval()).layers) == 5


def test_bf16_statistics_are_taken_in_float32():
    network = nn.Sequential(InstanceNorm(3)).eval()
    x = (1 + 0.01 * frames()).bfloat16()
    steady = Steady(network)
    steady.coming([True] * 6)
    with torch.no_grad():
        result = network(x)
    assert result.dtype == torch.bfloat16
    assert torch.allclose(result.float().mean((2, 3)), torch.zeros(6, 3), atol=0.02)
