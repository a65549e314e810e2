import math

import pytest
import torch
from torch import Tensor

from i2i.losses.adversarial import Relativistic

FAKE, REAL = [-1.0, 0.5], [2.0, 0.25]


def pictures(scores: list[float]) -> Tensor:
    """Pictures of one pixel, which the critic takes for its scores."""
    return torch.tensor(scores, dtype=torch.float64).view(-1, 1, 1, 1).requires_grad_()


def critic(image: Tensor) -> Tensor:
    return image.flatten(1)


def logistic(lead: float) -> float:
    return math.log(1 + math.exp(-lead))


def squares(lead: float) -> float:
    return (lead - 1) ** 2


FORMS = {"vanilla": logistic, "least-squares": squares}


def played(form, against) -> tuple[dict[str, float], float]:
    objective = Relativistic(form, against)
    terms = objective.discriminator(critic, real=pictures(REAL), fake=pictures(FAKE))
    made = objective.generator(critic, real=pictures(REAL), fake=pictures(FAKE))
    return {name: float(term.detach()) for name, term in terms.items()}, float(made.detach())


@pytest.mark.parametrize("form", FORMS)
def test_against_the_average_each_score_leads_the_mean_of_the_other_side(form):
    cost = FORMS[form]
    of_real, of_fake = sum(REAL) / 2, sum(FAKE) / 2
    of_d, of_g = played(form, "average")
    assert of_d == {
        "real": pytest.approx(sum(cost(real - of_fake) for real in REAL) / 2),
        "fake": pytest.approx(sum(cost(of_real - fake) for fake in FAKE) / 2),
    }
    # G plays the same game with sides exchanged (Jolicoeur-Martineau 2018, Algorithm 2).
    assert (
        pytest.approx(sum(cost(fake - of_real) for fake in FAKE) / 2 + sum(cost(of_fake - real) for real in REAL) / 2)
        == of_g
    )


@pytest.mark.parametrize("form", FORMS)
def test_in_pairs_each_real_score_leads_that_of_its_fake(form):
    cost = FORMS[form]
    of_d, of_g = played(form, "pair")
    assert of_d == {"pairs": pytest.approx((cost(2 + 1) + cost(0.25 - 0.5)) / 2)}
    assert pytest.approx((cost(-1 - 2) + cost(0.5 - 0.25)) / 2) == of_g


def test_where_all_scores_are_equal_every_term_is_the_log_of_two():
    for against in ("average", "pair"):
        terms = Relativistic("vanilla", against).discriminator(critic, real=pictures([3.0]), fake=pictures([3.0]))
        assert [float(term.detach()) for term in terms.values()] == pytest.approx([math.log(2)] * len(terms))


@pytest.mark.parametrize("against", ["average", "pair"])
def test_a_score_that_is_higher_everywhere_changes_nothing(against):
    objective = Relativistic("vanilla", against)
    low, high = (
        objective.discriminator(
            critic, real=pictures([s + shift for s in REAL]), fake=pictures([s + shift for s in FAKE])
        )
        for shift in (0, 100)
    )
    assert {name: float(term.detach()) for name, term in low.items()} == pytest.approx(
        {n: float(t.detach()) for n, t in high.items()}
    )


def test_the_generators_gradient_in_pairs_is_the_chance_that_d_sees_through_it():
    fake = pictures(FAKE)
    Relativistic("vanilla", "pair").generator(critic, real=pictures(REAL), fake=fake).backward()
    assert fake.grad is not None
    leads = [made - real for made, real in zip(FAKE, REAL, strict=True)]
    assert fake.grad.flatten().tolist() == pytest.approx([-1 / (1 + math.exp(lead)) / 2 for lead in leads])
