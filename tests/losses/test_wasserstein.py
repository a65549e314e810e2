"""What a Wasserstein critic learns, by playing it."""

import pytest
import torch
from torch import nn

from i2i.losses.adversarial import WGAN, WGANGP


def line() -> tuple[nn.Module, torch.Tensor, torch.Tensor]:
    """A critic of one number, and two point masses 3 apart."""
    torch.manual_seed(0)
    critic = nn.Sequential(nn.Linear(1, 1))
    return critic, torch.full((8, 1), 2.0), torch.full((8, 1), -1.0)


def test_the_critic_of_two_point_masses_finds_their_distance():
    """|2 - (-1)| is their Wasserstein distance; the penalty holds the slope near 1 (Gulrajani et al. 2017, Eq. 3)."""
    critic, real, fake = line()
    with torch.no_grad():
        critic[0].weight.fill_(0.1)  # |slope| near 1 holds a slope of the wrong sign too
    objective = WGANGP(lambda_penalty=1000.0)
    optimizer = torch.optim.Adam(critic.parameters(), lr=0.05)
    for _ in range(200):
        optimizer.zero_grad()
        torch.stack(list(objective.discriminator(critic, real=real, fake=fake).values())).sum().backward()
        optimizer.step()
    distance = float((critic(real) - critic(fake)).mean().detach())
    # The best slope s of -3 s + 1000 (s - 1)^2 is 1 + 3 / 2000.
    assert distance == pytest.approx(3 * (1 + 3 / 2000), abs=1e-3)


def test_a_clipped_critic_finds_it_times_what_clipping_leaves_of_its_slope():
    critic, real, fake = line()
    objective = WGAN(clip=0.01)
    optimizer = torch.optim.SGD(critic.parameters(), lr=0.1)
    for _ in range(50):
        optimizer.zero_grad()
        torch.stack(list(objective.discriminator(critic, real=real, fake=fake).values())).sum().backward()
        optimizer.step()
        objective.constrain(critic)
    assert float((critic(real) - critic(fake)).mean().detach()) == pytest.approx(3 * 0.01)


def test_clipping_holds_every_weight_and_leaves_small_ones_alone():
    network = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))
    with torch.no_grad():
        network[0].weight.copy_(torch.tensor([[0.5, -0.5], [0.005, -0.005]]))
        network[0].bias.fill_(-3)
    WGAN(clip=0.01).constrain(network)
    assert network[0].weight.tolist() == [
        [pytest.approx(0.01), pytest.approx(-0.01)],
        [pytest.approx(0.005), pytest.approx(-0.005)],
    ]
    assert network[0].bias.tolist() == pytest.approx([-0.01, -0.01])
    assert network[1].weight.tolist() == pytest.approx([0.01, 0.01])
    assert network[0].weight.requires_grad


def test_no_other_objective_touches_weights():
    network = nn.Linear(2, 2)
    before = network.weight.detach().clone()
    WGANGP().constrain(network)
    assert torch.equal(network.weight, before)
