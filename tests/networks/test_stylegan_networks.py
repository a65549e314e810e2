import copy

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from i2i.networks import settings
from i2i.networks.equalised import EqualLinear
from i2i.networks.shapes import only_shapes
from i2i.networks.stylegan import Generator, ModulatedConv2d, StyledConv, leaky
from i2i.networks.stylegan_discriminator import Residual


@pytest.fixture
def G() -> Generator:
    torch.manual_seed(0)
    return settings.StyleGANGenerator(width=4, latent=6, mapping=2).build(3, (16, 16))


@pytest.mark.parametrize("side", [8, 28, 32, 64])
def test_pictures_and_scores_of_every_side(side):
    G = settings.StyleGANGenerator(width=2, latent=5, mapping=2).build(3, (side, side))
    D = settings.StyleGANDiscriminator(width=2).build(3, (side, side))
    with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
        picture = G(torch.randn(2, 5))
        score = D(picture)
    assert picture.shape == (2, 3, side, side)
    assert score.shape == (2, 1)
    assert picture.dtype is score.dtype is torch.float32


def test_demodulated_variance_is_one_whatever_the_style_and_the_weights():
    torch.manual_seed(0)
    conv = ModulatedConv2d(32, 16, 3, latent=8)
    with torch.no_grad():
        conv.weight *= 7
        conv.style.weight *= 5
        made = conv(torch.randn(4, 32, 40, 40), 3 * torch.randn(4, 8))[:, :, 1:-1, 1:-1]
    assert torch.allclose(made.var((2, 3)), torch.ones(4, 16), atol=0.2)
    assert float(made.var()) == pytest.approx(1, abs=0.02)


def test_modulation_is_that_of_the_weights():
    """Style on the input and demodulation on the output make Eq. 1 and 3, a picture at a time."""
    torch.manual_seed(0)
    conv = ModulatedConv2d(3, 5, 3, latent=4)
    x, w = torch.randn(2, 3, 6, 6), torch.randn(2, 4)
    with torch.no_grad():
        for picture, style, made in zip(x, conv.style(w), conv(x, w), strict=True):
            weight = conv.weight * conv.scale * style[None, :, None, None]
            weight = weight / (weight.square().sum((1, 2, 3), keepdim=True) + 1e-8).sqrt()
            assert torch.allclose(made, torch.nn.functional.conv2d(picture[None], weight, padding=1)[0], atol=1e-5)


def test_a_fine_style_leaves_the_coarse_features_untouched(G):
    features: list[list[Tensor]] = []
    for layer in G.layers:
        layer.register_forward_hook(lambda module, args, made: features[-1].append(made))
    G.eval()
    with torch.no_grad():
        coarse, fine = (G.styles(torch.randn(1, 6)) for _ in range(2))
        pictures = []
        for styles in (coarse, torch.cat([coarse[:, :3], fine[:, 3:]], dim=1)):
            features.append([])
            pictures.append(G.paint(styles))
    # Sides 4, 8, 8, 16, 16.
    same = [torch.equal(one, two) for one, two in zip(*features, strict=True)]
    assert same == [True, True, True, False, False]
    assert not torch.equal(*pictures)


def test_the_last_style_is_that_of_the_last_colours_alone(G):
    """A side's colours are of the style of the layer to come, and of the last side that is one by itself."""
    G.eval()
    features: list[Tensor] = []
    G.layers[-1].register_forward_hook(lambda module, args, made: features.append(made))
    with torch.no_grad():
        styles, other = (G.styles(torch.randn(1, 6)) for _ in range(2))
        assert G.depth == 6
        pictures = [G.paint(styles), G.paint(torch.cat([styles[:, :5], other[:, 5:]], dim=1))]
    assert torch.equal(*features)
    assert not torch.allclose(*pictures, atol=1e-3)


def test_a_sides_colours_are_of_the_style_of_the_layer_to_come(G):
    heard: list[Tensor] = []
    for layer in G.to_rgb:
        layer.register_forward_pre_hook(lambda module, args: heard.append(args[1]))
    styles = torch.arange(6.0)[None, :, None].expand(2, -1, 6)
    with torch.no_grad():
        G.paint(styles)
    assert [float(w[0, 0]) for w in heard] == [1, 3, 5]


def test_every_picture_of_a_batch_has_noise_of_its_own_while_training():
    torch.manual_seed(0)
    layer = StyledConv(2, 2, 8, latent=4)
    x, w = torch.randn(1, 2, 8, 8).expand(2, -1, -1, -1), torch.randn(1, 4).expand(2, -1)
    with torch.no_grad():
        layer.strength += 1
        assert not torch.allclose(*layer(x, w))
        assert torch.allclose(*layer.eval()(x, w))


def test_noise_is_new_while_training_and_the_same_ever_after():
    torch.manual_seed(0)
    layer = StyledConv(2, 2, 8, latent=4)
    x, w = torch.randn(1, 2, 8, 8), torch.randn(1, 4)
    with torch.no_grad():
        layer.strength += 1
        assert not torch.equal(layer(x, w), layer(x, w))
        layer.eval()
        assert torch.equal(layer(x, w), layer(x, w))


def test_the_mean_style_is_followed_while_training_alone(G):
    z = torch.randn(64, 6)
    before = G.mean_style.clone()
    w = G.styles(z)[:, 0].mean(0)
    assert torch.allclose(G.mean_style, before + 0.005 * (w - before), atol=1e-6)
    before = G.mean_style.clone()
    G.eval().styles(z)
    assert torch.equal(G.mean_style, before)


def test_truncation_to_zero_is_the_mean_picture_and_to_one_the_picture_itself(G):
    for _ in range(3):
        G.styles(torch.randn(8, 6))
    G.eval()
    z = torch.randn(3, 6)
    with torch.no_grad():
        mean = G.paint(G.mean_style.expand(3, G.depth, -1))
        assert torch.allclose(G.truncated(z, None, 0.0), mean, atol=1e-5)
        assert torch.allclose(G.truncated(z, None, 1.0), G(z), atol=1e-5)
        half = G.paint((G.mean_style + G.styles(z)) / 2)
        assert torch.allclose(G.truncated(z, None, 0.5), half, atol=1e-5)


def test_the_mapping_learns_at_a_hundredth_of_the_rate(G):
    layers = [layer for layer in G.mapping.modules() if isinstance(layer, EqualLinear)]
    assert [layer.rate for layer in layers] == [0.01, 0.01]


@pytest.mark.parametrize("kind", [settings.ProGANGenerator, settings.StyleGANGenerator])
def test_shapes_alone_draw_nothing(kind, monkeypatch):
    """On the device of shapes torch would import its compiler for that, which costs every run four seconds."""
    monkeypatch.setattr(torch, "randn", None)
    with only_shapes():
        assert kind().build(3, (64, 64)).latent == 512


def test_a_style_has_the_scale_of_its_noise():
    torch.manual_seed(0)
    G = settings.StyleGANGenerator(width=2, latent=128).build(3, (8, 8))
    with torch.no_grad():
        w = G.mapping(100 * torch.randn(64, 128))
    assert 0.3 < float(w.std()) < 1.5


def test_a_label_changes_what_is_made_and_how_it_is_scored():
    torch.manual_seed(0)
    G = settings.StyleGANGenerator(width=2, latent=5, mapping=2).build(3, (8, 8), classes=3).eval()
    D = settings.StyleGANDiscriminator(width=2).build(3, (8, 8), classes=3)
    labels = torch.tensor([0, 1, 2])
    with torch.no_grad():
        made = G(torch.ones(3, 5), labels)
        assert not torch.allclose(made[0], made[1])
        assert len(set(D(made[:1].expand(3, -1, -1, -1), labels).flatten().tolist())) == 3


def test_a_block_of_the_discriminator_keeps_the_middle_where_it_is():
    """Both ways halve around the same point: what is symmetric stays symmetric."""
    torch.manual_seed(0)
    block = Residual(2, 3)
    with torch.no_grad():
        for layer in (block.first, block.second):
            layer.weight.copy_((layer.weight + layer.weight.flip(2, 3)) / 2)
        x = torch.randn(1, 2, 8, 8)
        x = x + x.flip(2, 3)
        made = block(x)
    assert made.shape == (1, 3, 4, 4)
    assert torch.allclose(made, made.flip(2, 3), atol=1e-5)


def test_a_block_of_the_discriminator_is_both_its_ways_by_the_root_of_two():
    torch.manual_seed(0)
    block, x = Residual(2, 3), torch.randn(2, 2, 8, 8)
    with torch.no_grad():
        made, short = block(x), copy.deepcopy(block)
        # One way at a time: a convolution of zeros, whose bias is 0 as it starts, gives nothing.
        deep = copy.deepcopy(block)
        deep.short.weight.zero_()
        short.second.weight.zero_()
        around = functional.avg_pool2d(functional.avg_pool2d(leaky(block.first(x)), 2, 1, 1), 2, 1, 1)
        by_hand = leaky(block.second(functional.avg_pool2d(around, 2, 1)))
        assert torch.allclose(deep(x), by_hand / 2**0.5, atol=1e-6)
        assert torch.allclose(made, deep(x) + short(x), atol=1e-6)
        assert float(short(x).abs().max()) > 0.1
