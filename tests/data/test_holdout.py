import pytest

from i2i.data.holdout import hold_out
from i2i.errors import DatasetError


@pytest.mark.parametrize(("total", "held"), [(3, 0), (4, 1), (20, 1), (40, 2), (320, 16), (100_000, 16)])
def test_auto_holds_out_five_percent_between_one_and_sixteen_and_a_quarter_at_most(total, held):
    train, out = hold_out(range(total), "auto", False, 1)
    assert len(out) == held
    assert sorted([*train, *out]) == list(range(total))


def test_what_is_held_out_is_a_function_of_the_seed_and_spread_over_the_list():
    draws = [list(hold_out(range(1000), 10, False, seed)[1]) for seed in (1, 1, 2)]
    assert draws[0] == draws[1] != draws[2]
    assert [index // 100 for index in draws[0]] == list(range(10))


def test_zero_or_a_validation_split_holds_nothing_out():
    assert hold_out(range(9), 0, False, 1) == (range(9), [])
    assert hold_out(range(9), 3, True, 1) == (range(9), [])


def test_holding_out_everything_is_refused():
    with pytest.raises(DatasetError, match="--holdout 9 leaves nothing to train on"):
        hold_out(range(9), 9, False, 1)
