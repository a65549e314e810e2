import pytest
import torch
from torch import Tensor

from i2i.models.history import History


def numbered(*numbers: float) -> Tensor:
    """Pictures that are recognised by their one value."""
    return torch.tensor(numbers, dtype=torch.float32)[:, None, None, None].expand(-1, 1, 2, 2).contiguous()


def numbers(pictures: Tensor) -> list[float]:
    return pictures[:, 0, 0, 0].tolist()


def full(capacity: int) -> History:
    history = History(capacity, (1, 2, 2))
    history(numbered(*range(capacity)))
    return history


def test_while_it_fills_it_returns_what_it_is_given():
    history = History(4, (1, 2, 2))
    assert numbers(history(numbered(1, 2))) == [1, 2]
    assert numbers(history(numbered(3))) == [3]
    assert numbers(history.pictures) == [1, 2, 3, 0]
    assert int(history.count) == 3


def test_once_full_it_returns_the_new_one_or_a_stored_one_that_it_then_replaces():
    torch.manual_seed(0)
    history = full(5)
    swaps = 0
    for new in range(100, 400):
        before = numbers(history.pictures)
        (returned,) = numbers(history(numbered(new)))
        after = numbers(history.pictures)
        if returned == new:
            assert after == before
        else:
            swaps += 1
            slot = before.index(returned)
            assert after == [*before[:slot], new, *before[slot + 1 :]]
    assert swaps == pytest.approx(150, abs=35)  # four standard deviations
    assert int(history.count) == 5


def test_every_slot_is_drawn():
    torch.manual_seed(0)
    history = full(5)
    for new in range(100, 300):
        history(numbered(new))
    assert min(numbers(history.pictures)) >= 100


def test_a_batch_is_shown_one_picture_after_another():
    together, alone = full(2), full(2)
    torch.manual_seed(7)
    returned = [numbers(together(numbered(*range(start, start + 6)))) for start in (10, 20, 30)]
    torch.manual_seed(7)
    one_by_one = [[numbers(alone(numbered(n)))[0] for n in range(start, start + 6)] for start in (10, 20, 30)]
    assert returned == one_by_one
    assert torch.equal(together.pictures, alone.pictures)
    # Within one batch a picture can be stored by its turn and come back by a later one's.
    assert any(
        back in range(10 * row, 10 * row + place)
        for row, batch in enumerate(returned, 1)
        for place, back in enumerate(batch)
    )


def test_a_batch_that_fills_it_halfway_is_stored_and_then_swapped():
    torch.manual_seed(0)
    history = History(2, (1, 2, 2))
    returned = numbers(history(numbered(1, 2, 3, 4, 5, 6)))
    assert returned[:2] == [1, 2]
    assert set(returned[2:]) <= {1, 2, 3, 4, 5, 6}
    assert int(history.count) == 2


def test_without_capacity_every_picture_passes():
    history = History(0, (1, 2, 2))
    assert numbers(history(numbered(1, 2, 3))) == [1, 2, 3]


@pytest.mark.parametrize("capacity", [0, 3])
def test_what_it_returns_is_detached(capacity):
    fakes = numbered(1, 2).requires_grad_()
    assert not History(capacity, (1, 2, 2))(fakes * 2).requires_grad


def test_changing_a_returned_or_given_picture_does_not_change_the_past():
    history = History(3, (1, 2, 2))
    given = numbered(1, 2)
    returned = history(given)
    given.zero_()
    returned.zero_()
    assert numbers(history.pictures) == [1, 2, 0]


def test_its_past_travels_in_the_state_dict():
    torch.manual_seed(0)
    history = full(3)
    restored = History(3, (1, 2, 2))
    restored.load_state_dict(history.state_dict())
    state = torch.get_rng_state()
    expected = [numbers(history(numbered(n))) for n in range(10, 30)]
    torch.set_rng_state(state)
    assert [numbers(restored(numbered(n))) for n in range(10, 30)] == expected


def test_bf16_fakes_are_kept_and_returned_in_float32():
    assert History(2, (1, 2, 2))(numbered(1.5).bfloat16()).dtype is torch.float32
