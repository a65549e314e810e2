import pytest

from i2i.engine.schedule import Schedule
from i2i.game import Progress


def factor_in_epoch(epoch: int, epochs: int, rounds: int = 7) -> set[float]:
    """Of every round of that epoch, from 1."""
    schedule = Schedule("linear", units=epochs, rounds_per_unit=rounds)
    return {schedule.factor(Progress((epoch - 1) * rounds + step)) for step in range(rounds)}


@pytest.mark.parametrize(("epoch", "rate"), [(1, 2e-4), (100, 2e-4), (101, 1.980e-4), (150, 1.010e-4), (200, 1.980e-6)])
def test_rate_of_200_epochs_is_the_references(epoch, rate):
    (factor,) = factor_in_epoch(epoch, 200)
    assert 2e-4 * factor == pytest.approx(rate, rel=1e-3)


@pytest.mark.parametrize("epoch", range(1, 41))
def test_forty_epochs_are_twenty_and_twenty(epoch):
    assert factor_in_epoch(epoch, 40) == {1 - max(0, epoch - 20) / 21}


def test_a_run_of_steps_is_constant_for_half_and_ends_almost_at_zero():
    schedule = Schedule("linear", units=1000, rounds_per_unit=1)
    factors = [schedule.factor(Progress(step)) for step in range(1000)]
    assert set(factors[:500]) == {1.0}
    assert factors[500:] == sorted(factors[500:], reverse=True)
    assert 0 < factors[-1] < 0.003


@pytest.mark.parametrize("units", [1, 2, 3, 7, 200])
def test_the_rate_never_rises_and_never_reaches_zero(units):
    schedule = Schedule("linear", units=units, rounds_per_unit=3)
    factors = [schedule.factor(Progress(step)) for step in range(3 * units + 5)]
    assert factors == sorted(factors, reverse=True)
    assert factors[-1] == pytest.approx(1 / (units - units // 2 + 1))


def test_constant_is_constant():
    schedule = Schedule("constant", units=2, rounds_per_unit=1)
    assert {schedule.factor(Progress(step)) for step in range(9)} == {1.0}


def test_pictures_do_not_matter_only_rounds():
    schedule = Schedule("linear", units=10, rounds_per_unit=1)
    assert schedule.factor(Progress(8, images=1)) == schedule.factor(Progress(8, images=10**6))
