import pickle
from pathlib import Path

import numpy as np
import pytest

from i2i.data.sequences import Chosen, Joined, Mapped, Names

WORDS = ["", "a", "b/1.jpg", "café", "caf\u0065\u0301", "日本.png", "byte\udcff"]
MANY = [f"{index}" for index in range(20_000)]


def sequences():
    yield Names.of(WORDS), WORDS
    yield Names.of(iter(MANY)), MANY
    yield Names.of([]), []
    yield Chosen(MANY, np.array([3, 1, 1])), ["3", "1", "1"]
    yield Mapped(Path, Names.of(["a", "b/1"])), [Path("a"), Path("b/1")]
    yield Mapped(pow, [2, 3], np.array([3, 2])), [8, 9]
    yield Joined(range(3), [], [7], range(2)), [0, 1, 2, 7, 0, 1]
    yield Joined(), []


@pytest.mark.parametrize(("lazy", "plain"), list(sequences()))
def test_a_lazy_sequence_is_what_a_list_would_be(lazy, plain):
    assert len(lazy) == len(plain)
    assert list(lazy) == plain
    assert [lazy[index] for index in range(-len(plain), len(plain))] == plain * 2
    assert list(reversed(lazy)) == plain[::-1]
    for part in (slice(None), slice(1, -1), slice(None, None, -2), slice(5, 2), slice(0, 10**9)):
        assert list(lazy[part]) == plain[part]
        assert list(lazy[part][::-1]) == plain[part][::-1]
    for outside in (len(plain), -len(plain) - 1):
        with pytest.raises(IndexError):
            lazy[outside]
    assert list(pickle.loads(pickle.dumps(lazy))) == plain  # as spawned loaders get it
    assert bool(lazy) == bool(plain)


def test_an_index_of_numpy_will_do():
    assert Names.of(MANY)[np.int64(7)] == "7"


def test_an_item_is_made_when_asked_for_and_not_before():
    made = []
    lazy = Mapped(made.append, range(10**12))[5:][::2]
    assert made == []
    assert lazy[1] is None
    assert made == [7]


def test_names_take_little_more_than_their_letters():
    names = Names.of(MANY)
    assert len(pickle.dumps(names)) < sum(map(len, MANY)) + 9 * len(MANY) + 1000
