import pytest
import torch
from torch import Tensor, nn

from i2i.batches import Pairs
from i2i.game import Progress, flatten
from i2i.losses.adversarial import WGAN, Hinge, LeastSquares
from i2i.losses.penalties import LazyR1
from i2i.models.pix2pix import Pix2Pix


def one_by_one(inputs: int, weights: list[float]) -> nn.Conv2d:
    layer = nn.Conv2d(inputs, 1, 1, bias=False)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor(weights).view(1, inputs, 1, 1))
    return layer


@pytest.fixture
def model() -> Pix2Pix:
    """G(x) = 2x; D(x, y) = x + 3y."""
    return Pix2Pix(one_by_one(1, [2.0]), one_by_one(2, [1.0, 3.0]), LeastSquares(), lambda_l1=10.0)


@pytest.fixture
def batch() -> Pairs:
    return Pairs(torch.full((1, 1, 2, 2), 0.5), torch.full((1, 1, 2, 2), -1.0))


def numbers(terms: object) -> dict[str, float]:
    return {name: float(term.detach()) for name, term in flatten(terms).items()}  # pyright: ignore[reportArgumentType]


def test_the_discriminator_moves_first_at_half_weight_and_then_the_generator(model, batch):
    turns = [(turn.player, turn.weight) for turn in model.step(batch, Progress())]
    assert turns == [("D", 0.5), ("G", 1.0)]


def test_the_terms_are_those_of_the_paper_by_hand(model, batch):
    D, G = model.step(batch, Progress())
    # The fake is 1: D scores 0.5 + 3 on it and 0.5 - 3 on the target.
    assert numbers(D.terms) == {"gan/fake": pytest.approx(3.5**2), "gan/real": pytest.approx(3.5**2)}
    assert numbers(G.terms) == {"gan": pytest.approx(2.5**2), "l1": pytest.approx(10 * 2)}


def test_the_discriminators_turn_does_not_reach_the_generator(model, batch):
    turn = next(model.step(batch, Progress()))
    torch.stack(list(flatten(turn.terms).values())).sum().backward()
    assert model.D.weight.grad is not None
    assert model.G.weight.grad is None


def test_the_generator_is_judged_by_the_discriminator_that_has_just_moved(model, batch):
    step = model.step(batch, Progress())
    next(step)
    with torch.no_grad():
        model.D.weight.zero_()
    assert numbers(next(step).terms)["gan"] == 1  # (0 - 1)^2


def test_the_generator_paints_once_a_round(model, batch):
    seen: list[Tensor] = []
    model.G.register_forward_hook(lambda module, inputs, output: seen.append(output))
    list(model.step(batch, Progress()))
    assert len(seen) == 1


def test_every_module_has_one_player(model):
    players = model.players()
    assert set(players) == {"G", "D"}
    assert players["G"] == [model.G]
    assert players["D"] == [model.D]


def test_it_ships_its_generator_and_shows_source_translation_and_target(model, batch):
    assert model.translators() == {"AtoB": model.G}
    shown = model.show(batch, {"AtoB": lambda x: -x})
    assert list(shown) == ["source", "translated", "target"]
    assert torch.equal(shown["translated"], -batch.source)


def test_lambda_l1_of_zero_leaves_the_game_alone(batch):
    model = Pix2Pix(one_by_one(1, [2.0]), one_by_one(2, [1.0, 3.0]), Hinge(), lambda_l1=0)
    _, G = model.step(batch, Progress())
    assert numbers(G.terms) == {"gan": pytest.approx(-3.5), "l1": 0}


class Doubling(nn.Module):
    """D(x, y) = x + 3y, its only layer twice that."""

    def __init__(self) -> None:
        super().__init__()
        self.last = one_by_one(2, [1.0, 3.0])

    def forward(self, pair: Tensor) -> Tensor:
        return self.last(pair)

    def activations(self, pair: Tensor) -> list[list[Tensor]]:
        scores = self(pair)
        return [[2 * scores, scores]]


def test_features_are_matched_by_their_weight_and_the_game_stays_the_same(batch):
    model = Pix2Pix(one_by_one(1, [2.0]), Doubling(), LeastSquares(), lambda_l1=10.0, lambda_features=7.0)
    D, G = model.step(batch, Progress())
    assert numbers(D.terms) == {"gan/fake": pytest.approx(3.5**2), "gan/real": pytest.approx(3.5**2)}
    # The layer makes 7 of the fake and -5 of the target.
    assert numbers(G.terms) == {"gan": pytest.approx(2.5**2), "l1": pytest.approx(20), "features": pytest.approx(84)}


def test_features_are_those_of_the_discriminator_that_has_just_moved(batch):
    model = Pix2Pix(one_by_one(1, [2.0]), Doubling(), LeastSquares(), lambda_features=7.0)
    step = model.step(batch, Progress())
    next(step)
    with torch.no_grad():
        model.D.last.weight.zero_()
    assert numbers(next(step).terms)["features"] == 0


def test_features_want_a_discriminator_that_tells_its_layers():
    with pytest.raises(TypeError, match="feature matching wants a discriminator with `activations`, not Conv2d"):
        Pix2Pix(one_by_one(1, [2.0]), one_by_one(2, [1.0, 3.0]), LeastSquares(), lambda_features=1.0)


def test_r1_is_a_term_of_the_discriminators_turn_in_the_rounds_of_one_phase(batch):
    model = Pix2Pix(one_by_one(1, [2.0]), one_by_one(2, [1.0, 3.0]), LeastSquares(), r1=LazyR1(weight=10.0, every=4))
    found = []
    for rounds in range(9):
        D, G = model.step(batch, Progress(rounds=rounds))
        assert ("r1" in numbers(D.terms)) is model.phase(Progress(rounds=rounds))[0]
        assert "r1" not in numbers(G.terms)
        found.append(numbers(D.terms).get("r1"))
    # The mean of four patches has a slope of 3 / 4 in each pixel of the picture; that in the source does not count.
    assert found == [pytest.approx(10 * 4 * 4 * 0.75**2 / 2) if k % 4 == 0 else None for k in range(9)]


class Squaring(nn.Module):
    """Scores each patch by the square of its target: the slope is another at every picture."""

    def forward(self, pair: Tensor) -> Tensor:
        return pair[:, 1:].square()


def test_r1_is_of_the_targets_and_r2_of_the_fakes(batch):
    penalties = LazyR1(weight=1.0, weight_fake=1.0, every=1)
    model = Pix2Pix(one_by_one(1, [3.0]), Squaring(), LeastSquares(), r1=penalties)
    found = numbers(next(model.step(batch, Progress())).terms)
    # Half of |2 y / 4|^2 over four pixels; the target is -1 and the fake 1.5 where the source is 0.5.
    assert (found["r1"], found["r2"]) == (pytest.approx(1 / 2), pytest.approx(1.5**2 / 2))


def test_a_game_without_r1_is_of_one_phase(model):
    assert len({model.phase(Progress(rounds=k)) for k in range(64)}) == 1


def test_ssim_is_a_term_of_the_generators_turn_by_its_weight():
    batch = Pairs(torch.full((1, 1, 12, 12), 0.125), torch.full((1, 1, 12, 12), -0.5))
    model = Pix2Pix(one_by_one(1, [2.0]), one_by_one(2, [1.0, 3.0]), LeastSquares(), lambda_l1=0, lambda_ssim=7.0)
    D, G = model.step(batch, Progress())
    assert set(numbers(D.terms)) == {"gan/fake", "gan/real"}
    # Flat pictures of 0.25 and -0.5: their structure is the same, their light is not.
    light = (2 * 0.25 * -0.5 + 0.02**2) / (0.25**2 + 0.5**2 + 0.02**2)
    assert numbers(G.terms)["ssim"] == pytest.approx(7 * (1 - light), rel=1e-4)


def test_d_is_held_to_what_the_objective_asks_after_its_move_and_before_the_generators(batch):
    model = Pix2Pix(one_by_one(1, [2.0]), one_by_one(2, [1.0, 3.0]), WGAN(clip=0.5))
    turns = model.step(batch, Progress())
    next(turns)
    assert model.D.weight.flatten().tolist() == [1, 3]
    G = next(turns)
    assert model.D.weight.flatten().tolist() == [0.5, 0.5]
    # The fake is 1 and its source 0.5.
    assert numbers(G.terms)["gan"] == pytest.approx(-(0.5 * 0.5 + 0.5 * 1))
