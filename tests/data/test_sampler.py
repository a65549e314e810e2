from itertools import chain, islice

import pytest

from i2i.data.sampler import EpochSampler


def take(count, *args, **kwargs):
    return list(islice(EpochSampler(*args, **kwargs), count))


def test_an_epoch_is_every_picture_once_in_an_order_of_its_own():
    batches = take(20, 10, 1, 7)
    epochs = [batches[:10], batches[10:]]
    orders = []
    for number, epoch in enumerate(epochs):
        assert {key[0] for batch in epoch for key in batch} == {number}
        orders.append([key[1] for batch in epoch for key in batch])
        assert sorted(orders[-1]) == list(range(10))
    assert orders[0] != orders[1]


def test_the_order_is_a_function_of_the_seed():
    assert take(9, 10, 2, 1) == take(9, 10, 2, 1) != take(9, 10, 2, 2)


@pytest.mark.parametrize("consumed", [0, 1, 4, 5, 23])
def test_starting_in_the_middle_goes_on_as_if_never_stopped(consumed):
    whole = take(30, 11, 2, 3)
    assert take(30 - consumed, 11, 2, 3, start_batch=consumed) == whole[consumed:]
    assert take(1, 11, 2, 3, start_epoch=2, start_batch=3) == whole[13:14]


def test_the_incomplete_batch_is_left_out():
    assert EpochSampler(11, 4).batches_per_epoch == 2
    assert [len(batch) for batch in take(6, 11, 4)] == [4] * 6


def test_a_set_smaller_than_a_batch_is_one_batch_an_epoch():
    sampler = EpochSampler(3, 8)
    assert sampler.batches_per_epoch == 1
    for epoch, batch in enumerate(islice(sampler, 4)):
        assert sorted(batch) == [(epoch, 0), (epoch, 1), (epoch, 2)]


def test_processes_together_see_the_batches_of_one():
    one = take(12, 50, 8, 5)
    parts = [take(12, 50, 2, 5, rank=rank, world=4) for rank in range(4)]
    assert [list(chain.from_iterable(batches)) for batches in zip(*parts, strict=True)] == one


def test_a_small_set_gives_every_process_the_same_number():
    parts = [take(3, 5, 4, rank=rank, world=2) for rank in range(2)]
    for mine, others in zip(*parts, strict=True):
        assert len(mine) == len(others) == 3
        assert {index for _, index in mine + others} == set(range(5))


def test_nothing_to_draw_from_is_refused():
    for args in ((0, 1), (1, 0)):
        with pytest.raises(ValueError, match="no batches"):
            EpochSampler(*args)


UNEVEN = [0] * 20 + [1] * 3 + [2] * 7


def test_balanced_every_class_is_drawn_equally_often():
    for epoch in range(3):
        drawn = [UNEVEN[index] for batch in take(15, 30, 2, 1, labels=UNEVEN, start_epoch=epoch) for _, index in batch]
        assert [drawn.count(label) for label in range(3)] == [10, 10, 10]
    assert drawn != sorted(drawn), "classes are mixed"


def test_balanced_no_picture_is_drawn_again_before_the_others_of_its_class():
    drawn = [index for batch in take(30, 30, 1, 2, labels=UNEVEN) for _, index in batch]
    counts = [drawn.count(index) for index in range(30)]
    assert set(counts[:20]) == {0, 1}
    assert sorted(counts[20:23]) == [3, 3, 4]
    assert set(counts[23:]) == {1, 2}
    later = {index for batch in take(600, 30, 1, 2, labels=UNEVEN) for _, index in batch}
    assert later == set(range(30)), "every picture of a large class has its turn"


def test_balanced_what_does_not_divide_goes_to_another_class_each_epoch():
    labels = [0] * 6 + [1] * 5
    batches = take(11 * 40, 11, 1, 3, labels=labels)
    first = [sum(labels[batch[0][1]] == 0 for batch in batches[start : start + 11]) for start in range(0, 440, 11)]
    assert set(first) == {5, 6}


def test_balanced_batches_go_on_from_anywhere_and_are_those_of_many_processes():
    one = take(12, 30, 8, 5, labels=UNEVEN)
    assert take(7, 30, 8, 5, labels=UNEVEN, start_batch=5) == one[5:]
    parts = [take(12, 30, 2, 5, rank=rank, world=4, labels=UNEVEN) for rank in range(4)]
    assert [list(chain.from_iterable(batches)) for batches in zip(*parts, strict=True)] == one


def test_a_class_without_pictures_is_no_class_and_labels_are_those_of_all_pictures():
    drawn = [index for batch in take(10, 4, 1, labels=[3, 3, 3, 7]) for _, index in batch]
    assert drawn.count(3) == 5
    with pytest.raises(ValueError, match="2 labels of 3"):
        EpochSampler(3, 1, labels=[0, 1])
