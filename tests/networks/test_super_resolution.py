import pytest
import torch

from i2i.errors import SettingsError
from i2i.networks.maps import Given, Room
from i2i.networks.settings import SRResNet
from i2i.networks.streaming import stream


@pytest.mark.parametrize("scale", [1, 2, 4])
def test_the_result_is_scale_times_as_large(scale):
    network = SRResNet(width=4, blocks=1, scale=scale).build(3, 1, (64, 64))
    result = network(torch.rand(2, 3, 9, 11)).detach()
    assert result.shape == (2, 1, scale * 9, scale * 11)
    assert float(result.abs().max()) <= 1
    assert network.scale == scale


def test_the_papers_generator_has_the_papers_weights():
    network = SRResNet(scale=4).build(3, 3, (96, 96))
    counted = sum(weight.numel() for weight in network.parameters())
    # Ledig et al. 2017, Fig. 4, without the weights of PReLU; convolutions before a batch norm have no bias.
    ends = 9 * 9 * 3 * 64 + 64 + 9 * 9 * 64 * 3 + 3
    blocks = 33 * (3 * 3 * 64 * 64 + 2 * 64)
    doublings = 2 * (3 * 3 * 64 * 256 + 256)
    assert counted == ends + blocks + doublings


@pytest.mark.parametrize("norm", ["batch", "instance", "none"])
@pytest.mark.parametrize("rows", [1, 5, None])
@pytest.mark.parametrize("residual", [False, True])
def test_strips_make_the_whole(norm, rows, residual):
    torch.manual_seed(0)
    network = (
        SRResNet(width=6, blocks=2, norm=norm, scale=4, residual=residual)
        .build(3, 3, (32, 32))
        .eval()
        .requires_grad_(False)
    )
    for name, buffer in network.named_buffers():
        if name.endswith(("mean", "var")):
            buffer.uniform_(0.5, 1.5)
    for layer in network.modules():
        if hasattr(layer, "own_statistics"):
            layer.own_statistics = norm == "batch" and rows == 5
    x = torch.rand(1, 3, 21, 14) * torch.linspace(-1, 1, 21)[:, None]
    given = Given(lambda start, stop: x[:, :, start:stop], 3, 21, 14)
    with torch.inference_mode():
        made = torch.cat(list(stream(network, given, Room(1 << 40, rows))), dim=2)
        torch.testing.assert_close(made, network(x), rtol=0, atol=1e-5)


def test_a_size_that_the_scale_does_not_divide_is_refused():
    with pytest.raises(SettingsError, match=r"size 30: results of x4 have sides that are multiples of 4 .* --size 32"):
        SRResNet(scale=4).build(3, 3, (30, 30))


def test_a_signal_comes_through_at_the_start():
    torch.manual_seed(0)
    network = SRResNet(width=64, blocks=1, norm="none").build(3, 3, (32, 32))
    one, two = (network(x) for x in (torch.rand(1, 3, 16, 16), -torch.rand(1, 3, 16, 16)))
    assert 0.01 < float((one - two).std().detach()) < 0.5


def test_a_residual_network_that_makes_nothing_enlarges():
    network = SRResNet(width=4, blocks=1, scale=2, residual=True).build(3, 3, (32, 32))
    for weight in network.way_out.parameters():
        torch.nn.init.zeros_(weight)
    x = torch.rand(1, 3, 8, 8) * 2 - 1
    bilinear = torch.nn.functional.interpolate(x, scale_factor=2.0, mode="bilinear")
    torch.testing.assert_close(network(x), bilinear)
    with pytest.raises(SettingsError, match="adds the source to the result, but they have 1 and 3 channels"):
        SRResNet(residual=True).build(1, 3, (32, 32))
