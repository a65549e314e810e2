import pytest
import torch
from torch.nn import functional

from i2i.errors import SettingsError
from i2i.networks import settings
from i2i.networks.multiscale import MultiScale
from i2i.networks.patchgan import PatchGAN, PixelGAN


def draw(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def judges(count: int = 2, channels: int = 3, layers: int = 1) -> MultiScale:
    torch.manual_seed(0)
    return MultiScale([PatchGAN(channels, width=4, layers=layers, norm="none") for _ in range(count)])


def test_each_scale_is_a_patchgan_of_the_picture_halved_once_more():
    network = judges(3)
    picture = draw(2, 3, 32, 48)
    # Ones are averaged beside them, so that the zeros around a picture count for nothing.
    ones = torch.ones(1, 1, 32, 48)
    for scale, scores in zip(network.scales, network(picture), strict=True):
        torch.testing.assert_close(scores, scale(picture))
        picture, ones = (functional.avg_pool2d(x, 3, 2, 1) for x in (picture, ones))
        picture, ones = picture / ones, ones / ones


def test_a_flat_picture_stays_flat_at_every_scale():
    network = judges(2)
    seen: list[torch.Tensor] = []
    network.scales[1].register_forward_pre_hook(lambda module, args: seen.append(args[0]))
    network(torch.full((1, 3, 16, 16), 0.7))
    assert seen[0].shape == (1, 3, 8, 8)
    assert torch.allclose(seen[0], torch.tensor(0.7))


def test_the_second_scale_sees_patches_of_twice_the_size():
    network = judges(2, channels=1)
    x = draw(1, 1, 96, 96).requires_grad_()
    sides = []
    for scores in network(x):
        middle = scores.shape[-1] // 2
        (gradient,) = torch.autograd.grad(scores[0, 0, middle, middle], x, retain_graph=True)
        sides.append(int((gradient[0, 0] != 0).any(1).sum()))
    # 16 pixels of its own, 2 apart and 3 wide.
    assert sides == [16, 15 * 2 + 3]


def test_the_scores_are_the_last_of_its_activations():
    network, picture = judges(2), draw(2, 3, 32, 32)
    for layers, scores in zip(network.activations(picture), network(picture), strict=True):
        assert torch.equal(layers[-1], scores)
        assert [layer.shape[1] for layer in layers] == [4, 8, 1]


@pytest.mark.parametrize("network", [PatchGAN(3, width=4, layers=2), PixelGAN(3, width=4)])
def test_a_networks_activations_are_what_its_rectifiers_make(network):
    made: list[torch.Tensor] = []
    for layer in network.modules():
        if isinstance(layer, torch.nn.LeakyReLU):
            layer.register_forward_hook(lambda module, args, output: made.append(output.clone()))
    picture = draw(2, 3, 32, 32)
    (layers,) = network.activations(picture)
    assert len(layers) == len(made) + 1
    assert all(torch.equal(one, other) for one, other in zip(layers, made, strict=False))
    assert torch.equal(layers[-1], network(picture))


@pytest.mark.parametrize("bf16", [False, True], ids=["fp32", "bf16"])
def test_every_scale_scores_in_float32(bf16):
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=bf16):
        scores = settings.MultiScale(scales=2, width=4).build(3, (64, 128))(draw(2, 3, 64, 128))
    assert [tuple(scale.shape) for scale in scores] == [(2, 1, 6, 14), (2, 1, 2, 6)]
    assert all(scale.dtype is torch.float32 for scale in scores)


def test_settings_reach_the_patchgan_of_every_scale():
    network = settings.MultiScale(width=4, layers=2, norm="none", spectral_norm=True).build(6, (256, 256))
    one = PatchGAN(6, width=4, layers=2, norm="none", spectral_norm=True)
    assert isinstance(network, MultiScale)
    assert [list(scale.state_dict()) for scale in network.scales] == [list(one.state_dict())] * 3


def test_a_size_without_one_patch_at_the_smallest_scale_is_refused_with_what_fits():
    with pytest.raises(SettingsError, match=r"need 128 pixels or more.*Use --model.discriminator.scales 2"):
        settings.MultiScale().build(3, (64, 96))
    with pytest.raises(SettingsError, match=r"Use --model.discriminator.scales 1"):
        settings.MultiScale(scales=2).build(3, (16, 16))


@pytest.mark.parametrize(("scales", "layers", "side"), [(1, 3, 32), (2, 3, 64), (3, 3, 128), (3, 2, 64), (2, 1, 16)])
def test_the_smallest_size_that_is_allowed_gives_a_patch_at_every_scale(scales, layers, side):
    chosen = settings.MultiScale(scales=scales, layers=layers, width=2, norm="none")
    assert all(scale.numel() for scale in chosen.build(3, (side, side))(draw(1, 3, side, side)))
    with pytest.raises(SettingsError):
        chosen.build(3, (side - 1, side))
