"""The networks of text to image: DCGAN's shapes, and a caption that reaches both."""

import pytest
import torch
from torch import nn

from i2i.networks.settings import DCGANDiscriminator, DCGANGenerator, TextDiscriminator, TextGenerator


@pytest.mark.parametrize("size", [28, 32, 64])
def test_shapes_follow_the_size(size):
    G = TextGenerator(width=4, latent=6, described=5, text=9).build(3, (size, size))
    D = TextDiscriminator(width=4, described=5).build(3, (size, size), 9)
    assert (G.latent, G.text, G.classes) == (6, 9, 0)
    made = G(torch.randn(2, 6), torch.randn(2, 9))
    assert made.shape == (2, 3, size, size)
    assert made.abs().max() <= 1
    assert D(made, torch.randn(2, 9)).shape == (2, 1)


def count(network: nn.Module) -> int:
    return sum(weight.numel() for weight in network.parameters())


def test_parameters_are_dcgans_and_what_a_caption_adds():
    G = TextGenerator(text=9).build(3, (64, 64))
    told = 9 * 128 + 128
    # The first layer reads 128 numbers more, beside the noise.
    assert count(G) == count(DCGANGenerator().build(3, (64, 64))) + 128 * 1024 * 16 + told
    D = TextDiscriminator().build(3, (64, 64), 9)
    compare = (512 + 128) * 512 + 2 * 512
    assert count(D) == count(DCGANDiscriminator().build(3, (64, 64))) + compare + told


def test_a_caption_reaches_both_as_loud_as_noise():
    torch.manual_seed(0)
    G = TextGenerator(width=8, text=50).build(3, (32, 32)).eval()
    D = TextDiscriminator(width=8).build(3, (32, 32), 50).eval()
    one, other = torch.eye(50)[:2]
    z = torch.randn(1, 100)
    assert not torch.equal(G(z, one[None]), G(z, other[None]))
    picture = torch.randn(1, 3, 32, 32)
    assert not torch.equal(D(picture, one[None]), D(picture, other[None]))
    said = G.description[0](torch.eye(50))
    assert 0.9 < float(said.detach().std()) < 1.1
