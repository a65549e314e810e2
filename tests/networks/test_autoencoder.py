import pytest
import torch
from torch import nn

from i2i.errors import SettingsError
from i2i.networks.autoencoder import Autoencoder
from i2i.networks.settings import DecoderGenerator, DenseAutoencoder, StridedAutoencoder

JUDGES = [StridedAutoencoder(width=2), DenseAutoencoder(width=2, code=5)]


class Darker(nn.Module):
    def forward(self, x):
        return x - 0.5


@pytest.mark.parametrize(("error", "score"), [("squared", -0.25), ("absolute", -0.5)])
def test_a_score_is_minus_the_mean_error_of_each_picture(error, score):
    network = Autoencoder(nn.Identity(), Darker(), error)
    x = torch.rand(2, 3, 4, 4)
    assert torch.allclose(network(x), torch.full((2, 1), score))
    ((code, scores),) = network.activations(x)
    assert torch.equal(code, x)
    assert torch.equal(scores, network(x))
    assert torch.equal(Autoencoder(nn.Identity(), nn.Identity(), error)(x), torch.zeros(2, 1))


@pytest.mark.parametrize("judge", JUDGES)
@pytest.mark.parametrize("side", [28, 32, 64])
def test_one_score_a_picture_in_float32_and_0_at_most(judge, side):
    torch.manual_seed(0)
    network = judge.build(1, (side, side))
    with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
        scores = network(torch.rand(3, 1, side, side))
    assert scores.shape == (3, 1)
    assert scores.dtype is torch.float32
    assert float(scores.max()) < 0


@pytest.mark.parametrize(("judge", "shape"), [(JUDGES[0], (8, 4, 4)), (JUDGES[1], (5,))])
def test_the_code_is_a_small_map_or_a_vector(judge, shape):
    ((code, _),) = judge.build(3, (32, 32)).activations(torch.rand(2, 3, 32, 32))
    assert code.shape == (2, *shape)


@pytest.mark.parametrize("judge", JUDGES)
def test_labels_and_sizes_that_it_cannot_take_are_refused(judge):
    with pytest.raises(SettingsError, match=r"model\.conditional: an autoencoder .* cgan, sagan or biggan"):
        judge.build(3, (32, 32), classes=2)
    for settings in (judge, DecoderGenerator()):
        with pytest.raises(SettingsError, match=r"size 30x30: (E|)BE?GAN's \w+ grows a square"):
            settings.build(3, (30, 30))


@pytest.mark.parametrize("side", [28, 32, 64])
@pytest.mark.parametrize("classes", [0, 3])
def test_the_decoder_makes_pictures_of_that_side(side, classes):
    torch.manual_seed(0)
    network = DecoderGenerator(width=2, latent=5).build(3, (side, side), classes)
    z, labels = torch.ones(2, 5), torch.tensor([0, 2]) if classes else None
    with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
        made = network(z, labels)
    assert made.shape == (2, 3, side, side)
    assert made.dtype is torch.float32
    assert float(made.abs().max()) <= 1
    assert torch.equal(made[0], made[1]) is not bool(classes)


def test_the_signal_comes_through_the_deep_networks_without_norms():
    """N(0, 0.02) would have every picture gray."""
    torch.manual_seed(0)
    made = DecoderGenerator(width=16).build(3, (64, 64))(torch.randn(8, 64))
    assert float(made.detach().std()) > 0.1
    network = DenseAutoencoder(width=16).build(3, (64, 64))
    assert isinstance(network, Autoencoder)
    ((code, _),) = network.activations(torch.rand(8, 3, 64, 64) * 2 - 1)
    assert float(code.detach().std()) > 0.01
