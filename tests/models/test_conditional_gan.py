"""A conditional GAN learns which pictures are of which class: G makes them as asked, and D knows a wrong label."""

import torch
from torch import Tensor, nn

from i2i.batches import Labelled
from i2i.game import Progress, flatten
from i2i.models.settings import GAN
from i2i.networks.settings import DCGANDiscriminator, DCGANGenerator

SIDE, BATCH = 16, 16


def batch(step: int) -> Labelled:
    """Dark pictures of class 0 and bright ones of class 1, with a little noise."""
    draws = torch.Generator().manual_seed(step)
    labels = torch.randint(2, (BATCH,), generator=draws)
    level = (1.2 * labels - 0.6)[:, None, None, None]
    return Labelled(level + 0.1 * torch.randn(BATCH, 1, SIDE, SIDE, generator=draws), labels)


def trained(steps: int) -> nn.Module:
    torch.manual_seed(0)
    settings = GAN(
        generator=DCGANGenerator(width=8, latent=8),
        discriminator=DCGANDiscriminator(width=8),
        conditional=True,
        classes=("dark", "bright"),
    )
    model = settings.build(1, 1, (SIDE, SIDE))
    players = {
        name: [weight for network in networks for weight in network.parameters()]
        for name, networks in model.players().items()
    }
    optimizers = {name: torch.optim.Adam(weights, lr=1e-3, betas=(0.5, 0.999)) for name, weights in players.items()}
    for step in range(steps):
        for turn in model.step(batch(step), Progress(step, step * BATCH)):
            loss = turn.weight * torch.stack(list(flatten(turn.terms).values())).sum()
            optimizers[turn.player].zero_grad()
            loss.backward(inputs=players[turn.player])
            optimizers[turn.player].step()
    return model


def test_swapped_labels_swap_what_is_made_and_a_wrong_one_scores_lower():
    model = trained(100)
    z, labels = torch.randn(32, 8), torch.arange(32) % 2

    def brightness(labels: Tensor) -> Tensor:
        return model.G(z, labels).mean(dim=(1, 2, 3)).detach()

    asked, swapped = brightness(labels), brightness(1 - labels)
    assert asked[labels == 1].min() > 0.2 > -0.2 > asked[labels == 0].max()
    assert swapped[labels == 0].min() > 0.2 > -0.2 > swapped[labels == 1].max()
    real, own = batch(999)
    right, wrong = (model.D(real, given).detach().mean() for given in (own, 1 - own))
    assert right > wrong + 1


def test_untrained_another_label_is_another_picture_and_another_score():
    model = trained(0)
    z, labels = torch.randn(4, 8), torch.tensor([0, 1, 0, 1])
    assert not torch.equal(model.G(z, labels), model.G(z, 1 - labels))
    real, own = batch(0)
    assert not torch.equal(model.D(real, own), model.D(real, 1 - own))
