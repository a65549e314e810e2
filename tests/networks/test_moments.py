import pytest
import torch
from torch import Tensor
from torch.nn import functional

from i2i.networks.blocks import BatchNorm, InstanceNorm
from i2i.networks.moments import SUMMED, Moments, moments
from i2i.networks.settings import ResNet

LAST = torch.channels_last


def far_from_zero(side: int = 128, apart: float = 100.0) -> Tensor:
    """Channels whose mean is large beside their deviation, where a sum of squares in float32 loses digits."""
    generator = torch.Generator().manual_seed(0)
    return torch.randn(1, 8, side, side, generator=generator) + apart


@pytest.mark.parametrize("side", [1, 7, 64, 300])
def test_mean_and_variance(side: int) -> None:
    x = far_from_zero(side).contiguous(memory_format=LAST)
    (mean,), (variance,) = moments(x)
    torch.testing.assert_close(mean, x.double().mean((0, 2, 3)).float(), rtol=1e-6, atol=0)
    torch.testing.assert_close(variance, x.double().var((0, 2, 3), correction=0).float(), rtol=1e-5, atol=1e-6)
    assert mean.dtype == variance.dtype == torch.float32


def test_rows_add_up_in_any_parts() -> None:
    x = far_from_zero(100)
    assert x.shape[2] * x.shape[3] > 2 * SUMMED
    sums = Moments()
    for rows in x.split(33, dim=2):
        sums.add(rows)
    for found, whole in zip(sums.result(), (part[0] for part in moments(x)), strict=True):
        torch.testing.assert_close(found, whole, rtol=1e-6, atol=0)


def test_of_bf16_the_numbers_that_it_holds() -> None:
    x = far_from_zero(100, apart=1.0).to(torch.bfloat16)
    (mean,), (variance,) = moments(x)
    torch.testing.assert_close(mean, x.double().mean((0, 2, 3)).float(), rtol=1e-5, atol=0)
    torch.testing.assert_close(variance, x.double().var((0, 2, 3), correction=0).float(), rtol=1e-4, atol=0)


def test_a_plain_map_has_its_colour_for_mean_and_no_variance() -> None:
    (mean,), (variance,) = moments(torch.full((1, 3, 200, 200), 0.1).contiguous(memory_format=LAST))
    assert torch.equal(mean, torch.full((3,), 0.1))
    assert variance.max() < 1e-12


@pytest.mark.parametrize("layer", ["instance", "batch"])
@pytest.mark.parametrize("count", [1, 3])
def test_norms_of_channels_last_lose_no_digits(layer: str, count: int) -> None:
    x = torch.cat([far_from_zero() for _ in range(count)])
    norm = InstanceNorm(8) if layer == "instance" else BatchNorm(8)
    if isinstance(norm, BatchNorm):
        norm.own_statistics = True
    norm.eval().requires_grad_(False)
    weight = norm.weight.double() if isinstance(norm, BatchNorm) else None
    exact = functional.group_norm(x.double(), 8, weight, eps=1e-5).float()
    torch.testing.assert_close(norm(x.contiguous(memory_format=LAST)), exact, rtol=0, atol=5e-5)


@pytest.mark.parametrize("half", [False, True])
def test_a_plain_picture_becomes_a_plain_picture(half: bool) -> None:
    torch.manual_seed(0)
    network = ResNet(width=8, blocks=9).build(3, 3, (64, 64)).eval().requires_grad_(False)
    for parameter in network.parameters():
        parameter.add_(0.1 * torch.randn(parameter.shape))  # biases too
    x = torch.full((1, 3, 64, 64), 0.3).contiguous(memory_format=LAST)
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=half):
        made = network.to(memory_format=LAST)(x)
    assert (made - made[:, :, 30:31, 30:31]).abs().max() < 0.02
