import pytest
import torch

from i2i.networks import mlp
from i2i.networks.settings import MLPDiscriminator, MLPGenerator


def test_pictures_of_any_size_are_made_and_scored():
    for size in ((28, 28), (5, 9)):
        G, D = MLPGenerator(width=8, latent=3).build(2, size), MLPDiscriminator(width=8).build(2, size)
        made = G(torch.randn(4, 3))
        assert made.shape == (4, 2, *size)
        assert float(made.detach().abs().max()) <= 1
        assert D(made).shape == (4, 1)


def test_the_networks_for_mnist_have_the_papers_number_of_weights():
    """G: 100-1200-1200-784, as the paper's; D: 784-512-512-1."""
    counts = [
        sum(weight.numel() for weight in settings.build(1, (28, 28)).parameters())
        for settings in (MLPGenerator(), MLPDiscriminator())
    ]
    assert counts == [101 * 1200 + 1201 * 1200 + 1201 * 784, 785 * 512 + 513 * 512 + 513]


def test_what_is_made_need_not_be_a_picture():
    G, D = mlp.Generator((2,), width=4, layers=3, latent=2), mlp.Discriminator((2,), width=4, dropout=0)
    assert G(torch.randn(5, 2)).shape == (5, 2)
    assert D(torch.randn(5, 2)).shape == (5, 1)


def test_dropout_is_a_part_of_training_alone_and_of_d_alone():
    torch.manual_seed(0)
    D, x = mlp.Discriminator((6,), width=32), torch.randn(3, 6)
    assert not torch.equal(D(x), D(x))
    assert torch.equal(D.eval()(x), D(x))
    never = mlp.Discriminator((6,), width=32, dropout=0)
    assert torch.equal(never(x), never(x))


def test_a_class_changes_what_is_made_and_what_it_scores():
    torch.manual_seed(0)
    G, D = mlp.Generator((6,), width=8, latent=3, classes=4), mlp.Discriminator((6,), width=8, classes=4).eval()
    z = torch.randn(1, 3).expand(4, -1)
    made = G(z, torch.arange(4))
    assert G.classes == 4
    assert len({tuple(one.tolist()) for one in made}) == 4
    scores = D(made[:1].expand(4, -1), torch.arange(4))
    assert len(set(scores.flatten().tolist())) == 4


@pytest.mark.parametrize("layers", [1, 3])
def test_hidden_layers_are_counted(layers):
    D = mlp.Discriminator((6,), width=8, layers=layers)
    assert sum(isinstance(part, torch.nn.Linear) for part in D.modules()) == layers + 1
