import pytest
import torch
from torch import Tensor, nn

from i2i.batches import Labelled
from i2i.game import Progress, flatten
from i2i.losses.adversarial import Hinge
from i2i.losses.energy import BEGAN, EBGAN
from i2i.losses.penalties import LazyR1
from i2i.models.gan import GAN


class FromNoise(nn.Module):
    """Every picture is half its noise, which is remembered."""

    latent, classes = 1, 0

    def __init__(self) -> None:
        super().__init__()
        self.factor = nn.Parameter(torch.tensor(0.5))
        self.noise: list[Tensor] = []

    def forward(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        self.noise.append(z)
        return self.factor * z[:, :, None, None].expand(-1, 1, 2, 2)


class Mean(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.factor = nn.Parameter(torch.tensor(1.0))

    def forward(self, x: Tensor) -> Tensor:
        return self.factor * x.mean(dim=(1, 2, 3))


@pytest.fixture
def model() -> GAN:
    torch.manual_seed(0)
    return GAN(FromNoise(), Mean(), Hinge())  # pyright: ignore[reportArgumentType]


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


def test_the_generator_moves_once_in_so_many_rounds_and_the_phase_says_when():
    torch.manual_seed(0)
    model = GAN(FromNoise(), Mean(), Hinge(), critic_steps=3)  # pyright: ignore[reportArgumentType]
    played = [[turn.player for turn in model.step(BATCH, Progress(rounds))] for rounds in range(6)]
    assert played == [["D"], ["D"], ["D", "G"]] * 2
    phases = [model.phase(Progress(rounds)) for rounds in range(6)]
    assert phases[0] == phases[1] == phases[3] != phases[2] == phases[5]


class OfLabels(FromNoise):
    """Every picture is its label."""

    classes = 3

    def forward(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        assert labels is not None
        return self.factor * labels[:, None, None, None].float().expand(-1, 1, 2, 2)


class Beside(Mean):
    """Scores are labels, and what was shown is remembered."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[Tensor] = []

    def forward(self, x: Tensor, labels: Tensor | None = None) -> Tensor:
        assert labels is not None
        self.seen.append(labels)
        return self.factor * labels.float()


def test_labels_reach_both_and_stay_beside_their_pictures():
    model = GAN(OfLabels(), Beside(), Hinge())  # pyright: ignore[reportArgumentType]
    batch = Labelled(torch.zeros(4, 1, 2, 2), torch.tensor([2, 0, 1, 2]))
    D, G = model.step(batch, Progress())
    found = {name: float(term.detach()) for name, term in flatten(D.terms).items()}
    assert found == {"gan/fake": pytest.approx(9 / 4), "gan/real": pytest.approx(1 / 4)}
    assert model.D.seen[0].tolist() == [2, 0, 1, 2] * 2
    assert model.D.seen[1].tolist() == [2, 0, 1, 2]
    assert float(G.terms["gan"].detach()) == pytest.approx(-5 / 4)


def test_samples_show_all_classes_in_turn_and_the_monitor_those_of_its_batch():
    model = GAN(OfLabels(), Beside(), Hinge())  # pyright: ignore[reportArgumentType]
    batch = Labelled(torch.zeros(2, 1, 2, 2), torch.tensor([2, 1]))
    made = model.show(batch, model.translators())["made"]
    assert made[:, 0, 0, 0].tolist()[:4] == [0, 0.5, 1, 0]
    view = model.views(batch, model.translators())["sample"]
    assert view.make()[:, 0, 0, 0].tolist() == [1, 0.5]
    assert view.score(view.real).tolist() == [2, 1]


def test_lazy_r1_is_a_term_of_ds_turn():
    model = GAN(FromNoise(), Mean(), Hinge(), r1=LazyR1(weight=2.0, every=4))  # pyright: ignore[reportArgumentType]
    for rounds in (0, 1, 4):
        turn = next(model.step(BATCH, Progress(rounds)))
        due = rounds % 4 == 0
        assert ("r1" in turn.terms) == due
        assert not due or float(turn.terms["r1"].detach()) == pytest.approx(2 * 4 * 4 * (1 / 4) ** 2 / 2)


def test_scores_that_are_not_to_be_ranked_are_no_sign_of_health():
    for objective, shown in ((EBGAN(lambda_pt=0.0), True), (BEGAN(), False)):
        model = GAN(FromNoise(), Mean(), objective)  # pyright: ignore[reportArgumentType]
        D = next(model.step(BATCH, Progress()))
        assert set(D.signals) == ({"real", "fake"} if shown else set())


class Square(Mean):
    """Scores are mean squares: their slope is another at every picture."""

    def forward(self, x: Tensor) -> Tensor:
        return self.factor * x.square().mean(dim=(1, 2, 3))


def test_r1_is_of_the_real_pictures_and_r2_of_the_fakes():
    torch.manual_seed(0)
    penalties = LazyR1(weight=1.0, weight_fake=1.0, every=1)
    model = GAN(FromNoise(), Square(), Hinge(), r1=penalties)  # pyright: ignore[reportArgumentType]
    terms = flatten(next(model.step(BATCH, Progress())).terms)
    # Half of |2 x / 4|^2 over four pixels.
    made = 0.5 * model.G.noise[0]  # pyright: ignore[reportIndexIssue]
    assert float(terms["r1"].detach()) == pytest.approx(0.25**2 / 2)
    assert float(terms["r2"].detach()) == pytest.approx(float(made.square().mean()) / 2)


class Filters(FromNoise):
    """Two filters that overlap by a half."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(2, 2, bias=False)
        self.layer.weight.data = torch.tensor([[1.0, 0.0], [0.5, 1.0]])


def test_overlaps_of_gs_filters_are_a_term_of_its_turn():
    for weight in (0.0, 3.0):
        model = GAN(Filters(), Mean(), Hinge(), lambda_orthogonal=weight)  # pyright: ignore[reportArgumentType]
        D, G = model.step(BATCH, Progress())
        assert "orthogonal" not in D.terms
        assert ("orthogonal" in G.terms) == bool(weight)
        assert not weight or float(flatten(G.terms)["orthogonal"].detach()) == pytest.approx(3 * 2 * 0.25)
