import pytest

from i2i.evaluation.agreement import agreement, verdict


def scores(**kids: float):
    """KID by features, each with an error of 0.01."""
    return {f"{name}/kid": value for name, value in kids.items()} | {f"{name}/kid error": 0.01 for name in kids}


@pytest.mark.parametrize(
    ("kid", "said"), [(0.1, "nearer"), (0.175, "undecided"), (0.225, "undecided"), (0.3, "farther")]
)
def test_a_verdict_needs_two_standard_errors_of_the_difference(kid, said):
    # The error of the difference is 0.01 * sqrt(2): 0.025 is less than twice that, 0.1 is more.
    assert verdict("a", scores(a=kid), scores(a=0.2)) == said


def test_nothing_strays_nothing_is_said():
    still = {"a/kid": 0.2, "a/kid error": 0.0}
    assert verdict("a", still, still) == "undecided"


@pytest.mark.parametrize(
    ("a", "b", "line"),
    [
        (0.1, 0.1, "both features agree that the translations are nearer to the domain than the copied input"),
        (0.3, 0.3, "both features agree that the translations are farther from the domain than the copied input"),
        (0.2, 0.2, "both features find no difference"),
        (0.1, 0.2, "the features do not agree that the translations are nearer"),
        (0.1, 0.3, "the features do not agree that the translations are nearer"),
    ],
)
def test_a_claim_needs_all_features(a, b, line):
    said = agreement(["a", "b"], scores(a=a, b=b), scores(a=0.2, b=0.2))
    assert said.startswith(line)
    assert f"KID {a:.3f} ± 0.010 beside 0.200 ± 0.010" in said


def test_one_voice_is_no_agreement():
    said = agreement(["a"], scores(a=0.1), scores(a=0.2))
    assert "alone: a nearer" in said
    assert "A claim needs two that agree" in said


def test_three_that_agree_are_all_three():
    names = dict.fromkeys("abc", 0.1)
    assert agreement(list(names), scores(**names), scores(a=0.2, b=0.2, c=0.2)).startswith("all 3 features agree")
