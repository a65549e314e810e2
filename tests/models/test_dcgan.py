import pytest
import torch
from torch import Tensor, nn

from i2i.batches import Labelled
from i2i.game import Progress, flatten
from i2i.losses.adversarial import Hinge
from i2i.models.dcgan import DCGAN


class FromNoise(nn.Module):
    """Every picture is half its noise, which is remembered."""

    latent = 1

    def __init__(self) -> None:
        super().__init__()
        self.factor = nn.Parameter(torch.tensor(0.5))
        self.noise: list[Tensor] = []

    def forward(self, z: Tensor) -> Tensor:
        self.noise.append(z)
        return self.factor * z[:, :, None, None].expand(-1, 1, 2, 2)


class Mean(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.factor = nn.Parameter(torch.tensor(1.0))

    def forward(self, x: Tensor) -> Tensor:
        return self.factor * x.mean(dim=(1, 2, 3))


@pytest.fixture
def model() -> DCGAN:
    torch.manual_seed(0)
    return DCGAN(FromNoise(), Mean(), Hinge())  # pyright: ignore[reportArgumentType]


BATCH = Labelled(torch.full((4, 1, 2, 2), 0.25), torch.zeros(4, dtype=torch.long))


def test_one_step_of_the_discriminator_and_then_one_of_the_generator_on_the_same_noise(model):
    assert [(turn.player, turn.weight) for turn in model.step(BATCH, Progress())] == [("D", 1.0), ("G", 1.0)]
    assert len(model.G.noise) == 1
    assert model.G.noise[0].shape == (4, 1)


def test_the_terms_by_hand(model):
    D, G = model.step(BATCH, Progress())
    made = 0.5 * model.G.noise[0].flatten()
    found = {name: float(term.detach()) for name, term in flatten(D.terms).items()}
    assert found == {
        "gan/fake": pytest.approx(float((1 + made).clamp_min(0).mean())),
        "gan/real": pytest.approx(0.75),
    }
    assert float(G.terms["gan"].detach()) == pytest.approx(-float(made.mean()))


def test_the_discriminators_turn_does_not_reach_the_generator(model):
    turn = next(model.step(BATCH, Progress()))
    torch.stack(list(flatten(turn.terms).values())).sum().backward()
    assert model.G.factor.grad is None
    assert model.D.factor.grad is not None


def test_every_round_draws_new_noise_and_every_sample_the_same(model):
    for _ in range(2):
        list(model.step(BATCH, Progress()))
    assert not torch.equal(*model.G.noise)
    one, two = (model.show(BATCH, model.translators())["made"] for _ in range(2))
    assert torch.equal(one, two)


def test_samples_leave_the_random_state_alone(model):
    before = torch.get_rng_state()
    model.show(BATCH, model.translators())
    assert torch.equal(torch.get_rng_state(), before)
