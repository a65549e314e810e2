import itertools

import pytest
import torch
from torch import nn

from i2i.networks.blocks import BatchNorm, InstanceNorm, Reflect, conv, initialise, mixes_pictures, normalise, up
from i2i.networks.dcgan import Discriminator, Generator
from i2i.networks.patchgan import PatchGAN, PixelGAN
from i2i.networks.resnet import ResNet
from i2i.networks.unet import UNet

NORMS = ["batch", "instance", "none"]
UPSAMPLES = ["transpose", "resize", "shuffle"]


def draw(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(1))


def test_instance_norm_equals_torchs():
    x = 3 * draw(2, 5, 6, 7) + 1
    torch.testing.assert_close(InstanceNorm(5)(x), nn.InstanceNorm2d(5)(x), atol=1e-6, rtol=1e-5)


def test_instance_norm_ignores_neighbours_while_training():
    x = draw(3, 4, 5, 5)
    together = InstanceNorm(4).train()(x)
    torch.testing.assert_close(together[:1], InstanceNorm(4).train()(x[:1]))


def test_instance_norm_has_no_weights():
    assert not InstanceNorm(4).state_dict()


def test_instance_norm_keeps_channels_last():
    x = draw(2, 8, 6, 6).to(memory_format=torch.channels_last)
    assert InstanceNorm(8)(x).is_contiguous(memory_format=torch.channels_last)


def trained_batch_norm(channels: int) -> BatchNorm:
    norm = BatchNorm(channels)
    with torch.no_grad():
        norm.weight.copy_(draw(channels))
        norm.bias.copy_(draw(channels) + 1)
    norm(5 * draw(4, channels, 3, 3) - 2)
    return norm


def test_own_statistics_equal_training_on_one_picture():
    norm = trained_batch_norm(4)
    x = 2 * draw(1, 4, 5, 5) + 3
    as_trained = norm.train()(x)
    norm.eval().own_statistics = True
    torch.testing.assert_close(norm(x), as_trained, atol=1e-5, rtol=1e-5)


def test_own_statistics_ignore_neighbours():
    norm = trained_batch_norm(4).eval()
    norm.own_statistics = True
    x = draw(3, 4, 5, 5)
    torch.testing.assert_close(norm(x)[1:2], norm(x[1:2]))


def test_running_statistics_are_what_a_finished_batch_norm_uses_by_default():
    norm = trained_batch_norm(4).eval()
    x = draw(2, 4, 5, 5)
    mean, deviation = norm.running_mean, (norm.running_var + norm.eps).sqrt()
    by_hand = (x - mean[:, None, None]) / deviation[:, None, None] * norm.weight[:, None, None]
    torch.testing.assert_close(norm(x), by_hand + norm.bias[:, None, None])


def test_own_statistics_do_not_touch_training():
    norm, same = trained_batch_norm(4), trained_batch_norm(4)
    same.load_state_dict(norm.state_dict())
    norm.own_statistics = True
    x = draw(3, 4, 5, 5)
    assert torch.equal(norm.train()(x), same.train()(x))


def test_a_convolution_starts_at_normal_002():
    torch.manual_seed(0)
    layer = conv(64, 128)
    assert float(layer.weight.detach().mean()) == pytest.approx(0, abs=3e-4)
    assert float(layer.weight.detach().std()) == pytest.approx(0.02, rel=0.02)
    assert not layer.bias.any()


def test_a_transposed_convolution_starts_at_normal_002():
    torch.manual_seed(0)
    layer = up(64, 128, "transpose")
    assert float(layer.weight.detach().std()) == pytest.approx(0.02, rel=0.02)
    assert not layer.bias.any()


def test_batch_norm_starts_at_normal_1_002():
    torch.manual_seed(0)
    layer = normalise("batch", 4096)
    assert float(layer.weight.detach().mean()) == pytest.approx(1, abs=2e-3)
    assert float(layer.weight.detach().std()) == pytest.approx(0.02, rel=0.05)
    assert not layer.bias.any()


@pytest.mark.parametrize(
    "network",
    [
        lambda: UNet(3, 3, width=8, depth=5, norm="batch"),
        lambda: ResNet(3, 3, width=8, blocks=2, norm="instance"),
        lambda: PatchGAN(3, width=16),
        lambda: Generator(3, width=8),
        lambda: Discriminator(3, width=8),
    ],
)
def test_every_convolution_of_a_network_starts_at_normal_002(network):
    torch.manual_seed(0)
    built = network()
    layers = [layer for layer in built.modules() if isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d))]
    weights = torch.cat([layer.weight.flatten() for layer in layers])
    assert float(weights.detach().std()) == pytest.approx(0.02, rel=0.05)
    assert all(float(layer.weight.detach().std()) < 0.03 for layer in layers)
    assert not any(layer.bias.any() for layer in layers if layer.bias is not None)


def test_initialise_resets_what_was_trained():
    layer = nn.Conv2d(8, 8, 3)
    nn.init.constant_(layer.weight, 7)
    nn.init.constant_(layer.bias, 7)
    initialise(layer)
    assert float(layer.weight.detach().abs().max()) < 0.2
    assert not layer.bias.any()


@pytest.mark.parametrize("kernel", [3, 4])
@pytest.mark.parametrize("upsample", UPSAMPLES)
def test_up_doubles_the_side(upsample, kernel):
    assert up(4, 6, upsample, kernel=kernel)(draw(2, 4, 5, 7)).shape == (2, 6, 10, 14)


def test_spectral_norm_brings_the_largest_singular_value_to_one():
    torch.manual_seed(0)
    layer = conv(6, 8, spectral_norm=True)
    for _ in range(30):
        layer(draw(1, 6, 8, 8))
    largest = torch.linalg.svdvals(layer.weight.detach().flatten(1))[0]
    assert float(largest) == pytest.approx(1, abs=0.02)


@pytest.mark.parametrize(
    "network",
    [
        PatchGAN(3, width=4, layers=2, spectral_norm=True),
        PixelGAN(3, width=4, spectral_norm=True),
        Discriminator(3, width=4, halvings=3, spectral_norm=True),
    ],
)
def test_spectral_norm_reaches_every_convolution(network):
    convolutions = [layer for layer in network.modules() if isinstance(layer, nn.Conv2d)]
    assert convolutions
    assert all(nn.utils.parametrize.is_parametrized(layer, "weight") for layer in convolutions)


def test_reflect_mirrors_without_repeating_the_border():
    row = torch.arange(4.0).repeat(4, 1)[None, None]
    assert Reflect(2)(row)[0, 0, 0].tolist() == [2, 1, 0, 1, 2, 3, 2, 1]


def test_reflect_keeps_bf16_under_cpu_autocast():
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert Reflect(1)(draw(1, 2, 4, 4).bfloat16()).dtype is torch.bfloat16


@pytest.mark.parametrize(("norm", "mixes"), [("batch", True), ("instance", False), ("none", False)])
def test_only_batch_norm_mixes_pictures(norm, mixes):
    network = ResNet(3, 3, width=4, blocks=1, norm=norm)
    assert mixes_pictures(network) is mixes
    x = draw(3, 3, 16, 16)
    with torch.no_grad():
        assert torch.allclose(network(x)[:1], network(x[:1]), atol=1e-6) is not mixes


# ------------------------------------------------------------------------------------- the contract of every network

GENERATORS = {
    "unet": lambda norm, upsample: UNet(3, 2, width=4, depth=5, norm=norm, upsample=upsample),
    "resnet": lambda norm, upsample: ResNet(3, 2, width=4, blocks=1, norm=norm, upsample=upsample),
}
DISCRIMINATORS = {
    "patchgan": (lambda norm, spectral: PatchGAN(3, width=4, norm=norm, spectral_norm=spectral), (2, 1, 2, 6)),
    "pixelgan": (lambda norm, spectral: PixelGAN(3, width=4, norm=norm, spectral_norm=spectral), (2, 1, 32, 64)),
}


@pytest.mark.parametrize(("norm", "upsample"), list(itertools.product(NORMS, UPSAMPLES)))
@pytest.mark.parametrize("kind", GENERATORS)
@pytest.mark.parametrize("bf16", [False, True], ids=["fp32", "bf16"])
def test_a_generator_keeps_the_size_and_returns_float32_within_one(kind, norm, upsample, bf16):
    network = GENERATORS[kind](norm, upsample)
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=bf16):
        y = network(draw(2, 3, 32, 64))
    assert y.shape == (2, 2, 32, 64)
    assert y.dtype is torch.float32
    assert float(y.detach().abs().max()) <= 1


@pytest.mark.parametrize("spectral", [False, True], ids=["plain", "spectral"])
@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("kind", DISCRIMINATORS)
@pytest.mark.parametrize("bf16", [False, True], ids=["fp32", "bf16"])
def test_a_discriminator_scores_every_patch_in_float32(kind, norm, spectral, bf16):
    build, shape = DISCRIMINATORS[kind]
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=bf16):
        scores = build(norm, spectral)(draw(2, 3, 32, 64))
    assert scores.shape == shape
    assert scores.dtype is torch.float32


def test_instance_norm_of_channels_last_pictures_has_the_gradient_of_a_group_norm():
    x = torch.randn(3, 4, 6, 5, dtype=torch.float64)
    results = []
    for layout in (torch.contiguous_format, torch.channels_last):
        input = x.clone(memory_format=torch.preserve_format).contiguous(memory_format=layout).requires_grad_()
        y = InstanceNorm(4)(input)
        (y * torch.linspace(0, 1, y.numel(), dtype=y.dtype).view(y.shape)).sum().backward()
        assert y.is_contiguous(memory_format=layout)
        results.append((y.detach(), input.grad))
    for one, other in zip(*results, strict=True):
        assert torch.allclose(one, other)
