import math

import pytest
import torch
from torch import Tensor, nn

from i2i.losses import settings
from i2i.losses.adversarial import WGAN, WGANGP, Hinge, LeastSquares, Objective, Relativistic, Vanilla
from i2i.settings import as_dict

FORMS = [Relativistic(form, against) for form in ("vanilla", "least-squares") for against in ("average", "pair")]
OBJECTIVES = [
    Vanilla(),
    Vanilla(saturating=True, smoothing=0.1),
    LeastSquares(),
    LeastSquares(smoothing=0.1),
    Hinge(),
    WGAN(),
    WGANGP(),
    *FORMS,
]


def pictures(value: float) -> Tensor:
    return torch.full((2, 1, 2, 2), float(value), requires_grad=True)


def mean(image: Tensor) -> Tensor:
    """A critic whose score is the picture's mean."""
    return image.mean(dim=(1, 2, 3))


def values(objective: Objective, *, real: float, fake: float) -> dict[str, float]:
    terms = objective.discriminator(mean, real=pictures(real), fake=pictures(fake))
    return {name: float(term.detach()) for name, term in terms.items() if name != "penalty"}


def of_generator(objective: Objective, fake: float) -> float:
    return float(objective.generator(mean, real=pictures(0), fake=pictures(fake)).detach())


def slope(objective: Objective, fake: float) -> float:
    """How G's term grows with the score of its pictures."""
    made = pictures(fake)
    objective.generator(mean, real=pictures(0), fake=made).backward()
    assert made.grad is not None
    return float(made.grad.sum())  # of all pixels moving together, and every score with them


def test_vanilla_at_one_half_costs_log_four():
    assert sum(values(Vanilla(), real=0, fake=0).values()) == pytest.approx(2 * math.log(2))


def test_vanilla_is_minus_the_log_of_the_probability_of_being_right():
    found = values(Vanilla(), real=1.5, fake=-0.5)
    assert found["real"] == pytest.approx(-math.log(1 / (1 + math.exp(-1.5))))
    assert found["fake"] == pytest.approx(-math.log(1 - 1 / (1 + math.exp(0.5))))


def test_vanilla_generator_does_not_saturate_where_the_discriminator_is_sure():
    assert of_generator(Vanilla(), -20.0) == pytest.approx(20)
    assert slope(Vanilla(), -20.0) == pytest.approx(-1)
    assert slope(Vanilla(), 0.0) == pytest.approx(-0.5)
    assert slope(Vanilla(), 20.0) == pytest.approx(0, abs=1e-6)


def test_at_a_discriminator_of_one_half_the_value_of_the_saturating_game_is_minus_log_four():
    """Goodfellow et al. 2014, Eq. 1 and Theorem 1: V = E log D(x) + E log(1 - D(G(z))), which D raises."""
    game = Vanilla(saturating=True)
    assert -sum(values(game, real=0, fake=0).values()) == pytest.approx(-math.log(4))
    # G lowers what D raises: its own half of V.
    assert of_generator(game, 0) == pytest.approx(-values(game, real=0, fake=0)["fake"]) == pytest.approx(-math.log(2))


def test_the_saturating_generator_stops_learning_where_the_discriminator_is_sure():
    for score in (-20.0, -1.0, 0.0, 3.0):
        probability = 1 / (1 + math.exp(-score))
        assert slope(Vanilla(saturating=True), score) == pytest.approx(-probability, abs=1e-6)
        assert slope(Vanilla(), score) == pytest.approx(-(1 - probability), abs=1e-6)


def test_smoothing_moves_what_d_should_say_of_real_pictures_alone():
    def best(objective: Objective, side: str) -> float:
        scores = torch.linspace(-6, 6, 2401, dtype=torch.float64)
        cost = [getattr(objective, side)(score) for score in scores]
        return float(scores[int(torch.stack(cost).argmin())])

    vanilla, squares = Vanilla(smoothing=0.1), LeastSquares(smoothing=0.1)
    assert best(vanilla, "of_real") == pytest.approx(math.log(0.9 / 0.1), abs=0.005)
    assert best(squares, "of_real") == pytest.approx(0.9, abs=0.005)
    for smooth, plain in ((vanilla, Vanilla()), (squares, LeastSquares())):
        for side in ("of_fake", "of_made"):
            score = torch.tensor([-1.5, 0.25, 3.0])
            assert torch.equal(getattr(smooth, side)(score), getattr(plain, side)(score))


@pytest.mark.parametrize("objective", OBJECTIVES, ids=lambda objective: type(objective).__name__)
def test_a_score_between_real_and_fake_is_undecided(objective):
    """Where D's two terms pull alike on one picture that is as often real as fake."""
    if objective.undecided is None:
        assert type(objective) in (WGAN, WGANGP, Relativistic)
        return
    score = torch.tensor(objective.undecided, requires_grad=True)
    (objective.of_real(score) + objective.of_fake(score)).backward()
    # Smoothed, the best score for both is not the middle; the middle is what lies as far from either target.
    if not getattr(objective, "smoothing", 0):
        assert float(score.grad) == pytest.approx(0)
    elif isinstance(objective, LeastSquares):
        assert float(objective.of_real(score.detach())) == pytest.approx(float(objective.of_fake(score.detach())))


def test_vanilla_stays_finite_at_extreme_scores():
    found = values(Vanilla(), real=-1e4, fake=1e4)
    assert found == {"fake": pytest.approx(1e4), "real": pytest.approx(1e4)}


def test_least_squares_is_the_squared_distance_to_zero_and_one():
    assert values(LeastSquares(), real=0.5, fake=-2) == {"fake": pytest.approx(4), "real": pytest.approx(0.25)}
    assert values(LeastSquares(), real=1, fake=0) == {"fake": 0, "real": 0}
    assert of_generator(LeastSquares(), 3) == pytest.approx(4)
    assert slope(LeastSquares(), 3) == pytest.approx(4)


def test_hinge_stops_caring_beyond_its_margin():
    assert values(Hinge(), real=1.5, fake=-1.5) == {"fake": 0, "real": 0}
    assert values(Hinge(), real=0.25, fake=0.25) == {"fake": pytest.approx(1.25), "real": pytest.approx(0.75)}
    assert of_generator(Hinge(), 3) == pytest.approx(-3)
    assert slope(Hinge(), 99.0) == pytest.approx(-1)


def test_wasserstein_is_the_difference_of_mean_scores():
    assert values(WGANGP(), real=3, fake=-2) == {"fake": pytest.approx(-2), "real": pytest.approx(-3)}
    assert of_generator(WGANGP(), 3) == pytest.approx(-3)


def test_drift_costs_d_the_square_of_its_scores_of_what_is_real():
    found = values(WGANGP(lambda_drift=0.5), real=3, fake=-2)
    assert found == {"fake": pytest.approx(-2), "real": pytest.approx(-3 + 0.5 * 9)}
    assert of_generator(WGANGP(lambda_drift=0.5), 3) == pytest.approx(-3)


def test_the_penalty_is_a_part_of_wgan_gp_by_its_weight():
    critic = nn.Sequential(nn.Flatten(), nn.Linear(4, 1))
    with torch.no_grad():
        critic[1].weight.fill_(1.5)  # slope 3
    terms = WGANGP(lambda_penalty=7).discriminator(critic, real=pictures(1), fake=pictures(0))
    assert float(terms["penalty"].detach()) == pytest.approx(7 * 4)


@pytest.mark.parametrize("objective", OBJECTIVES, ids=lambda objective: type(objective).__name__)
def test_a_critic_that_tells_real_from_fake_has_the_smaller_loss(objective):
    torch.manual_seed(0)
    right = sum(values(objective, real=1, fake=-1).values())
    wrong = sum(values(objective, real=-1, fake=1).values())
    assert right < wrong


@pytest.mark.parametrize("objective", OBJECTIVES, ids=lambda objective: type(objective).__name__)
def test_of_several_scales_each_counts_the_same_whatever_its_number_of_patches(objective):
    """The first scale scores each of the four pixels, the second one the picture."""
    real, fake = pictures(0.8), pictures(-0.3)

    def fine(image: Tensor) -> Tensor:
        return 2 * image

    def found(critic) -> dict[str, float]:
        torch.manual_seed(0)
        terms = objective.discriminator(critic, real=real, fake=fake)
        made = objective.generator(critic, real=real, fake=fake)
        return {name: float(term.detach()) for name, term in (terms | {"made": made}).items()}

    one, two = found(fine), found(mean)
    both = found(lambda image: (fine(image), mean(image)))
    assert both == pytest.approx({name: (one[name] + two[name]) / 2 for name in one})


@pytest.mark.parametrize("objective", OBJECTIVES, ids=lambda objective: type(objective).__name__)
def test_the_generator_gains_by_being_taken_for_real(objective):
    assert of_generator(objective, 0.9) < of_generator(objective, -0.9)
    assert slope(objective, -0.5) < 0


@pytest.mark.parametrize("objective", OBJECTIVES, ids=lambda objective: type(objective).__name__)
def test_the_generators_term_teaches_through_the_fake_only(objective):
    real, fake = pictures(0.3), pictures(-0.3)
    objective.generator(mean, real=real, fake=fake).backward()
    assert real.grad is None
    assert fake.grad is not None
    assert fake.grad.any()


@pytest.mark.parametrize("objective", OBJECTIVES, ids=lambda objective: type(objective).__name__)
def test_every_term_is_a_float32_scalar(objective):
    torch.manual_seed(0)
    critic = nn.Conv2d(1, 1, 2)
    terms = objective.discriminator(critic, real=pictures(0.5), fake=pictures(-0.5).detach())
    made = objective.generator(critic, real=pictures(0.5), fake=pictures(-0.5))
    for term in (*terms.values(), made):
        assert term.shape == ()
        assert term.dtype is torch.float32
        assert term.requires_grad


@pytest.mark.parametrize(
    ("chosen", "built"),
    [
        (settings.Vanilla(), Vanilla),
        (settings.Vanilla(saturating=True, smoothing=0.1), Vanilla),
        (settings.LeastSquares(smoothing=0.2), LeastSquares),
        (settings.WGAN(clip=0.02), WGAN),
        (settings.Relativistic(form="least-squares", against="pair"), Relativistic),
        (settings.Hinge(), Hinge),
        (settings.WGANGP(lambda_penalty=3.0), WGANGP),
    ],
)
def test_settings_build_the_objective_they_name(chosen, built):
    objective = chosen.build()
    assert type(objective) is built
    for name, value in as_dict(chosen).items():
        assert name == "kind" or getattr(objective, name) == value, name
