import pytest
import torch
from torch import Tensor, nn

from i2i.batches import Domains
from i2i.errors import SettingsError
from i2i.game import Progress, flatten
from i2i.losses.adversarial import WGAN, LeastSquares
from i2i.losses.penalties import LazyR1
from i2i.models import settings
from i2i.models.cyclegan import CycleGAN, _both
from i2i.models.decay import Decay
from i2i.models.history import History
from i2i.networks import settings as networks
from i2i.networks.resnet import ResNet


class Times(nn.Module):
    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = nn.Parameter(torch.tensor(float(factor)))

    def forward(self, x: Tensor) -> Tensor:
        return x * self.factor


def make(lambda_identity: float = 0.5, capacity: int = 3) -> CycleGAN:
    """G doubles, F negates, D_X and D_Y score three and five times the picture."""
    return CycleGAN(
        G=Times(2),
        F=Times(-1),
        D_X=Times(3),
        D_Y=Times(5),
        objective=LeastSquares(),
        history_X=History(capacity, (1, 2, 2)),
        history_Y=History(capacity, (1, 2, 2)),
        lambda_cycle=10.0,
        lambda_identity=lambda_identity,
    )


def domains(x: float = 0.5, y: float = -0.25) -> Domains:
    return Domains(torch.full((1, 1, 2, 2), x), torch.full((1, 1, 2, 2), y))


def numbers(terms: object) -> dict[str, float]:
    return {name: float(term.detach()) for name, term in flatten(terms).items()}  # pyright: ignore[reportArgumentType]


def test_both_generators_move_first_and_then_both_discriminators_at_half_weight():
    assert [(turn.player, turn.weight) for turn in make().step(domains(), Progress())] == [("G", 1.0), ("D", 0.5)]


def test_the_terms_are_those_of_the_paper_by_hand():
    G, D = make().step(domains(), Progress())
    # fake_y = 1, fake_x = 0.25; D_Y says 5 and D_X 0.75 of them, -1.25 and 1.5 of the real ones.
    assert numbers(G.terms) == {
        "gan/x": pytest.approx(0.25**2),
        "gan/y": pytest.approx(4**2),
        "cycle/x": pytest.approx(10 * 1.5),  # F(1) = -1, wanted 0.5
        "cycle/y": pytest.approx(10 * 0.75),  # G(0.25) = 0.5, wanted -0.25
        "identity/x": pytest.approx(5 * 1),  # F(0.5) = -0.5
        "identity/y": pytest.approx(5 * 0.25),  # G(-0.25) = -0.5
    }
    assert numbers(D.terms) == {
        "gan/x/fake": pytest.approx(0.75**2),
        "gan/x/real": pytest.approx(0.5**2),
        "gan/y/fake": pytest.approx(25),
        "gan/y/real": pytest.approx(2.25**2),
    }


def test_without_the_identity_term_the_other_terms_are_the_same():
    with_it, without = (numbers(next(make(weight).step(domains(), Progress())).terms) for weight in (0.5, 0.0))
    assert without == {name: value for name, value in with_it.items() if not name.startswith("identity")}


def test_the_discriminators_turn_does_not_reach_the_generators():
    model = make(capacity=0)
    _, turn = model.step(domains(), Progress())
    torch.stack(list(flatten(turn.terms).values())).sum().backward()
    assert model.G.factor.grad is None
    assert model.F.factor.grad is None
    assert model.D_X.factor.grad is not None
    assert model.D_Y.factor.grad is not None


def test_discriminators_learn_from_past_fakes():
    torch.manual_seed(0)
    model = make(capacity=1)
    list(model.step(domains(x=0.5), Progress()))
    seen = set()
    for _ in range(20):
        _, D = model.step(domains(x=0.25), Progress())
        seen.add(numbers(D.terms)["gan/y/fake"])
    assert seen == {25, 6.25}


def test_every_module_has_one_player():
    model = make()
    assert model.players() == {"G": [model.G, model.F], "D": [model.D_X, model.D_Y]}
    assert model.translators() == {"AtoB": model.G, "BtoA": model.F}


def test_it_shows_the_way_there_and_back():
    shown = make().show(domains(), {"AtoB": lambda x: x + 1, "BtoA": lambda y: y * 2})
    values = {name: float(picture[0, 0, 0, 0]) for name, picture in shown.items()}
    assert values == {"A": 0.5, "A to B": 1.5, "and back": 3, "B": -0.25, "B to A": -0.5, "back again": 0.5}


@pytest.mark.parametrize("norm", ["instance", "none", "batch"])
@pytest.mark.parametrize("sizes", [(16, 16), (16, 24)], ids=["one size", "two sizes"])
@pytest.mark.parametrize("counts", [(1, 1), (2, 3)], ids=["alike", "unlike"])
def test_both_in_one_pass_equals_two_passes(norm, sizes, counts):
    torch.manual_seed(0)
    network = ResNet(3, 3, width=2, blocks=1, norm=norm)
    first, second = (torch.randn(count, 3, side, side) for count, side in zip(counts, sizes, strict=True))
    with torch.no_grad():
        one, two = _both(network, first, second)
        torch.testing.assert_close(one, network(first), atol=1e-5, rtol=1e-5)
        torch.testing.assert_close(two, network(second), atol=1e-5, rtol=1e-5)


def test_domains_of_other_channels_have_no_identity():
    chosen = settings.CycleGAN(generator=networks.ResNet(width=2, blocks=1))
    with pytest.raises(SettingsError, match=r"A has 1 channels and B 3.*--model.lambda-identity 0"):
        chosen.build(1, 3, (32, 32))
    without = settings.CycleGAN(generator=networks.ResNet(width=2, blocks=1), lambda_identity=0.0)
    model = without.build(1, 3, (32, 32))
    batch = Domains(torch.zeros(1, 1, 32, 32), torch.zeros(1, 3, 32, 32))
    assert [turn.player for turn in model.step(batch, Progress())] == ["G", "D"]


def test_the_identity_term_fades_over_its_images_and_then_costs_nothing():
    model = make()
    model.identity = Decay(5.0, until=100)
    calls: list[int] = []
    model.G.register_forward_hook(lambda module, inputs, output: calls.append(len(inputs[0])))
    found = []
    for images in (0, 50, 100):
        model.phase(Progress(images=images))
        calls.clear()
        found.append(numbers(next(model.step(domains(), Progress(images=images))).terms))
        assert sum(calls) == (3 if images < 100 else 2)
    whole = numbers(next(make().step(domains(), Progress())).terms)
    assert found[0] == pytest.approx(whole)
    assert found[1]["identity/x"] == pytest.approx(whole["identity/x"] / 2)
    assert not any(name.startswith("identity") for name in found[2])
    phases = [model.phase(Progress(images=images)) for images in (0, 50, 100)]
    assert phases[0] == phases[1] != phases[2]


def test_both_discriminators_pay_for_their_slopes_on_real_and_on_past_fakes():
    model = make(capacity=0)
    model.r1 = LazyR1(weight=2.0, weight_fake=1.0, every=1)
    _, D = model.step(domains(), Progress())
    # A mean of four scores of factor times the picture: slopes of factor / 4 in each pixel, wherever it is asked.
    slopes = {"x": 4 * (3 / 4) ** 2 / 2, "y": 4 * (5 / 4) ** 2 / 2}
    found = {name: value for name, value in numbers(D.terms).items() if name.startswith("penalty")}
    assert found == {
        f"penalty/{side}/{name}": pytest.approx(weight * slope)
        for side, slope in slopes.items()
        for name, weight in (("r1", 2), ("r2", 1))
    }


class Squares(Times):
    def forward(self, x: Tensor) -> Tensor:
        return self.factor * x.square()


def test_slopes_are_those_at_the_pictures_of_a_discriminators_own_domain():
    model = make(capacity=0)
    model.D_X, model.D_Y = Squares(1), Squares(1)
    model.r1 = LazyR1(weight=1.0, weight_fake=1.0, every=1)
    _, D = model.step(domains(), Progress())
    found = {name: value for name, value in numbers(D.terms).items() if name.startswith("penalty")}
    # Half of |2 p / 4|^2 over four pixels: x is 0.5 and its fake 0.25, y is -0.25 and its fake 1.
    pixels = {"x/r1": 0.5, "x/r2": 0.25, "y/r1": -0.25, "y/r2": 1.0}
    assert found == {f"penalty/{name}": pytest.approx(pixel**2 / 2) for name, pixel in pixels.items()}


def test_both_discriminators_are_held_to_what_the_objective_asks_after_their_move():
    model = make()
    model.objective = WGAN(clip=0.5)
    turns = model.step(domains(), Progress())
    next(turns)
    next(turns)
    assert (float(model.D_X.factor.detach()), float(model.D_Y.factor.detach())) == (3, 5)
    assert next(turns, None) is None
    assert (float(model.D_X.factor.detach()), float(model.D_Y.factor.detach())) == (0.5, 0.5)
