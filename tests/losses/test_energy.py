import copy
from collections.abc import Sequence

import pytest
import torch
from torch import Tensor

from i2i.game import flatten
from i2i.losses import settings
from i2i.losses.energy import BEGAN, EBGAN, pulling_away


class Energy:
    """A critic whose energy of a picture is its mean, and its code the picture."""

    def __call__(self, picture: Tensor) -> Tensor:
        return self.activations(picture)[0][-1]

    def activations(self, x: Tensor) -> Sequence[list[Tensor]]:
        return [[x, -x.flatten(1).mean(1, keepdim=True)]]


def pictures(*energies: float) -> Tensor:
    return torch.tensor(energies)[:, None, None, None].expand(-1, 1, 2, 2)


def values(objective: EBGAN | BEGAN, *, real: Tensor, fake: Tensor) -> dict[str, float]:
    terms = objective.discriminator(Energy(), real=real, fake=fake)
    return {name: float(value) for name, value in flatten(terms).items()}


def test_ebgan_lowers_the_energy_of_reals_and_lifts_that_of_fakes_up_to_the_margin():
    found = values(EBGAN(margin=2.0), real=pictures(0.25, 0.75), fake=pictures(0.5, 3.0))
    assert found == {"real": pytest.approx(0.5), "fake": pytest.approx((1.5 + 0) / 2)}


def test_ebgans_generator_lowers_the_energy_and_pulls_codes_apart():
    fake = pictures(0.5, 1.5)  # one direction
    for weight in (0.0, 0.1):
        cost = EBGAN(lambda_pt=weight).generator(Energy(), real=fake, fake=fake)
        assert float(cost) == pytest.approx(1.0 + weight)


def test_pulling_away_by_hand():
    assert float(pulling_away(torch.ones(4, 3, 2, 2))) == pytest.approx(1)
    assert float(pulling_away(torch.eye(5) * 7)) == pytest.approx(0)
    assert float(pulling_away(torch.tensor([[1.0, 0.0], [-3.0, 0.0]]))) == pytest.approx(
        1
    )  # squared: opposite is alike
    half = torch.tensor([[1.0, 0.0], [1.0, 1.0], [0.0, 1.0]])  # cosines 1/sqrt(2), 0, 1/sqrt(2)
    assert float(pulling_away(half)) == pytest.approx((0.5 + 0 + 0.5) / 3)
    assert float(pulling_away(torch.ones(1, 3))) == 0


def test_pulling_away_moves_equal_codes_no_more_and_near_ones_apart():
    codes = torch.tensor([[1.0, 0.2], [1.0, -0.2]], requires_grad=True)
    pulling_away(codes).backward()
    assert codes.grad is not None
    assert codes.grad[0, 1] < 0 < codes.grad[1, 1]  # descending widens the angle


def test_began_by_hand_over_two_rounds():
    objective = BEGAN(gamma=0.5, lambda_k=0.1)
    real, fake = pictures(0.75, 0.85), pictures(0.1, 0.3)
    # gamma L(x) - L(G(z)) = 0.4 - 0.2
    first = values(objective, real=real, fake=fake)
    assert first == {
        "real": pytest.approx(0.8), "fake": 0, "k": 0, "convergence": pytest.approx(0.8 + 0.2)
    }  # fmt: skip
    assert float(objective.k) == pytest.approx(0.02)
    second = values(objective, real=real, fake=pictures(0.5, 0.5))
    assert second["fake"] == pytest.approx(-0.02 * 0.5)
    assert second["k"] == pytest.approx(0.02)
    assert second["convergence"] == pytest.approx(0.8 + 0.1)
    assert float(objective.k) == pytest.approx(0.02 - 0.1 * 0.1)
    assert float(objective.generator(Energy(), real=real, fake=fake)) == pytest.approx(0.2)


@pytest.mark.parametrize(("real", "fake", "k"), [(4.0, 0.0, 1), (0.0, 4.0, 0)])
def test_began_keeps_k_between_0_and_1(real, fake, k):
    objective = BEGAN(lambda_k=10.0)
    for _ in range(2):
        values(objective, real=pictures(real), fake=pictures(fake))
    assert float(objective.k) == k


def test_k_is_kept_in_the_state_and_moved_in_place():
    """A checkpoint goes on with it, and a captured graph writes where it was."""
    objective = BEGAN(lambda_k=0.1)
    where = objective.k.data_ptr()
    values(objective, real=pictures(1.0), fake=pictures(0.0))
    assert objective.k.data_ptr() == where
    other = BEGAN()
    other.load_state_dict(copy.deepcopy(objective.state_dict()))
    assert float(other.k) == pytest.approx(0.05)


def test_nothing_descends_k_or_the_convergence():
    objective = BEGAN()
    objective.k.fill_(0.5)
    real, fake = (pictures(0.5).clone().requires_grad_() for _ in range(2))
    terms = flatten(objective.discriminator(Energy(), real=real, fake=fake))
    assert not terms["k"].requires_grad
    assert not terms["convergence"].requires_grad
    torch.stack(list(terms.values())).sum().backward()
    assert real.grad is not None
    assert fake.grad is not None
    assert float(real.grad.sum()) == pytest.approx(1)
    assert float(fake.grad.sum()) == pytest.approx(-0.5)


def test_settings_reach_them():
    ebgan, began = settings.EBGAN(margin=3.0, lambda_pt=0.5).build(), settings.BEGAN(gamma=0.3, lambda_k=0.2).build()
    assert isinstance(ebgan, EBGAN)
    assert isinstance(began, BEGAN)
    assert (ebgan.margin, ebgan.lambda_pt, began.gamma, began.lambda_k) == (3.0, 0.5, 0.3, 0.2)
