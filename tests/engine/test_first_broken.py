import torch

from i2i.batches import Pairs
from i2i.engine.first_broken import FirstBroken

CPU = torch.device("cpu")


def batch(value: float, size: int = 4) -> Pairs:
    return Pairs(torch.full((1, 3, size, size), value), torch.full((1, 3, size, size), -value))


def play(losses: list[list[float]], sizes: dict[int, int] | None = None) -> FirstBroken:
    watch = FirstBroken(CPU)
    for index, turns in enumerate(losses):
        for loss in turns:
            watch.see(torch.tensor(loss), batch(index / 10, (sizes or {}).get(index, 4)))
        watch.count()
    return watch


def test_a_run_of_numbers_has_none():
    assert play([[1.0, 2.0]] * 5).found() is None


def test_the_first_round_is_kept_with_its_batch_not_those_it_ruins():
    for broken in (float("nan"), float("inf"), -float("inf")):
        found = play([[1.0, 1.0], [1.0, 1.0], [1.0, broken], [broken, broken], [broken, broken]]).found()
        assert found is not None
        assert found[0] == 2
        assert found[1].keys() == {"source", "target"}
        assert torch.equal(found[1]["source"], batch(0.2).source)
        assert torch.equal(found[1]["target"], batch(0.2).target)


def test_batches_of_several_sizes_are_told_apart():
    nan = float("nan")
    found = play([[1.0], [1.0], [nan], [nan]], {1: 6, 2: 6}).found()
    assert found is not None
    assert (found[0], found[1]["source"].shape[-1]) == (2, 6)


def test_what_is_kept_stays_where_it_is_as_a_captured_graph_needs():
    watch = FirstBroken(CPU)
    watch.see(torch.tensor(1.0), batch(0.1))
    (kept,) = watch._kept.values()
    places = [tensor.data_ptr() for tensor in (*kept.batch.values(), kept.seen, kept.round)]
    for loss in (1.0, float("nan"), 1.0):
        watch.count()
        watch.see(torch.tensor(loss), batch(0.5))
    (kept,) = watch._kept.values()
    assert [tensor.data_ptr() for tensor in (*kept.batch.values(), kept.seen, kept.round)] == places
