import pytest
import torch
from torch import Tensor, nn

from i2i.losses.penalties import gradient_penalty


def draw(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def linear(slopes: Tensor):
    return lambda image: (image * slopes).sum(dim=(1, 2, 3))


@pytest.mark.parametrize("steepness", [0.0, 0.5, 1.0, 3.0])
def test_penalty_of_a_linear_critic_is_its_squared_slope_error(steepness):
    slopes = draw(3, 4, 5)
    slopes = slopes / slopes.norm() * steepness
    penalty = gradient_penalty(linear(slopes), draw(6, 3, 4, 5, seed=1), draw(6, 3, 4, 5, seed=2))
    assert float(penalty.detach()) == pytest.approx((steepness - 1) ** 2, abs=1e-5)


def test_the_slope_of_every_picture_counts_by_itself():
    def critic(image: Tensor) -> Tensor:
        return torch.stack([image[0].sum() * 1, image[1].sum() * 2])  # one pixel: slopes 1 and 2

    penalty = gradient_penalty(critic, torch.ones(2, 1, 1, 1), torch.zeros(2, 1, 1, 1))
    assert float(penalty.detach()) == pytest.approx((0 + 1) / 2)


def test_it_is_measured_between_real_and_fake_at_a_share_of_each_picture():
    seen: list[Tensor] = []

    def critic(image: Tensor) -> Tensor:
        seen.append(image.detach())
        return image.sum(dim=(1, 2, 3))

    real, fake = torch.full((64, 1, 2, 2), 3.0), torch.full((64, 1, 2, 2), 1.0)
    gradient_penalty(critic, real, fake)
    (between,) = seen
    assert torch.equal(between, between[:, :1, :1, :1].expand_as(between))
    shares = (between[:, 0, 0, 0] - 1) / 2
    assert 0 <= float(shares.min()) < 0.1
    assert 0.9 < float(shares.max()) <= 1


def test_its_gradient_in_the_critic_is_that_of_the_closed_form():
    critic = nn.Sequential(nn.Flatten(), nn.Linear(4, 1))
    weight = critic[1].weight
    gradient_penalty(critic, draw(3, 1, 2, 2), draw(3, 1, 2, 2, seed=1)).backward()
    norm = weight.detach().norm()
    assert weight.grad is not None
    torch.testing.assert_close(weight.grad, 2 * (norm - 1) * weight.detach() / norm)


def test_it_teaches_neither_picture():
    real, fake = draw(2, 1, 2, 2).requires_grad_(), draw(2, 1, 2, 2, seed=1).requires_grad_()
    critic = nn.Sequential(nn.Conv2d(1, 2, 2), nn.Tanh(), nn.Flatten(), nn.Linear(2, 1))
    gradient_penalty(critic, real, fake).backward()
    assert real.grad is None
    assert fake.grad is None
