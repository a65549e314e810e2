import pytest
import torch
from torch import Tensor, nn

from i2i.game import Progress
from i2i.losses.penalties import LazyR1, gradient_penalty, r1


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


def test_the_gradient_penalty_of_two_scales_is_the_mean_of_theirs():
    one, two = draw(1, 4, 4), draw(1, 4, 4, seed=3)
    penalty = gradient_penalty(
        lambda image: (linear(one)(image), linear(two)(image)), draw(2, 1, 4, 4), draw(2, 1, 4, 4)
    )
    expected = ((one.norm() - 1) ** 2 + (two.norm() - 1) ** 2) / 2
    assert float(penalty.detach()) == pytest.approx(float(expected), rel=1e-5)


def test_the_gradient_penalty_takes_a_critic_of_patches_for_the_mean_of_their_scores():
    # Four patches, each its own pixel times 6: their mean has a slope of 6 / 4 in each of four pixels, of length 3.
    penalty = gradient_penalty(lambda image: 6 * image, draw(5, 1, 2, 2), draw(5, 1, 2, 2))
    assert float(penalty.detach()) == pytest.approx((3 - 1) ** 2, rel=1e-5)


def test_r1_of_a_linear_critic_is_half_its_squared_slope():
    slopes = draw(3, 4, 5)
    penalty = r1(linear(slopes), draw(6, 3, 4, 5, seed=1))
    assert float(penalty.detach()) == pytest.approx(float(slopes.square().sum()) / 2)


def test_r1_takes_a_critic_of_patches_for_the_mean_of_their_scores():
    # Four patches, each the sum of its own pixel times 6: their mean has a slope of 6 / 4 in each of four pixels.
    assert float(r1(lambda image: 6 * image, draw(5, 1, 2, 2)).detach()) == pytest.approx(4 * 1.5**2 / 2)


def test_r1_of_two_scales_is_the_mean_of_theirs():
    one, two = draw(1, 4, 4), draw(1, 4, 4, seed=3)
    penalty = r1(lambda image: [linear(one)(image), linear(two)(image)], draw(2, 1, 4, 4))
    assert float(penalty.detach()) == pytest.approx(float(one.square().sum() + two.square().sum()) / 4)


def test_the_gradient_of_r1_in_the_critic_is_that_of_the_closed_form():
    critic = nn.Sequential(nn.Flatten(), nn.Linear(4, 1))
    real = draw(3, 1, 2, 2).requires_grad_()
    r1(critic, real).backward()
    torch.testing.assert_close(critic[1].weight.grad, critic[1].weight.detach())
    assert real.grad is None


@pytest.mark.parametrize("every", [1, 4, 16])
def test_a_lazy_r1_weighs_as_much_over_its_interval_as_one_in_every_round(every):
    slopes, real = draw(1, 2, 2), draw(3, 1, 2, 2)
    lazy = LazyR1(weight=3.0, every=every)
    found = [lazy.terms(Progress(rounds=k), linear(slopes), real) for k in range(2 * every)]
    assert [bool(terms) for terms in found] == [k % every == 0 for k in range(2 * every)]
    total = sum(float(value.detach()) for terms in found for value in terms.values())
    assert total / (2 * every) == pytest.approx(3 * float(slopes.square().sum()) / 2)


def test_without_weight_r1_is_never_due():
    assert not any(LazyR1().due(Progress(rounds=k)) for k in range(64))
    assert LazyR1().terms(Progress(), linear(torch.ones(1)), torch.ones(1, 1, 1, 1)) == {}


def test_r2_is_r1_on_fakes():
    critic = nn.Sequential(nn.Flatten(), nn.Linear(4, 3), nn.Tanh(), nn.Linear(3, 1))
    real, fake = draw(3, 1, 2, 2), draw(3, 1, 2, 2, seed=1)
    terms = LazyR1(weight=2.0, weight_fake=5.0, every=3).terms(Progress(), critic, real, fake)
    found = {name: float(term.detach()) for name, term in terms.items() if isinstance(term, Tensor)}
    assert found == {
        "r1": pytest.approx(6 * float(r1(critic, real).detach())),
        "r2": pytest.approx(15 * float(r1(critic, fake).detach())),
    }
    assert found["r1"] / 6 != pytest.approx(found["r2"] / 15)


def test_r2_alone_has_no_r1_and_wants_fakes():
    lazy = LazyR1(weight_fake=1.0)
    assert list(lazy.terms(Progress(), linear(torch.ones(1)), draw(1, 1, 1, 1), draw(1, 1, 1, 1))) == ["r2"]
    with pytest.raises(TypeError, match="R2 is a penalty on fakes"):
        lazy.terms(Progress(), linear(torch.ones(1)), draw(1, 1, 1, 1))


def test_penalties_are_of_anything_that_a_critic_scores():
    slopes = draw(2)
    points = draw(5, 2, seed=1), draw(5, 2, seed=2)
    penalty = gradient_penalty(lambda point: point @ slopes, *points)
    assert float(penalty.detach()) == pytest.approx((float(slopes.norm()) - 1) ** 2, rel=1e-5)
    assert float(r1(lambda point: point @ slopes, points[0]).detach()) == pytest.approx(
        float(slopes.square().sum()) / 2
    )
