import pickle

import numpy as np
import pytest
import torch

from i2i.data.store import InFile, InMemory, Store, opened

SHAPES = [(3, 4, 5), (1, 7, 2), (3, 1, 1)]
PICTURES = [np.random.default_rng(i).integers(0, 256, shape, dtype=np.uint8) for i, shape in enumerate(SHAPES)]


def add(sink):
    for picture in PICTURES:
        sink.add(torch.from_numpy(picture).reshape(-1), torch.tensor([picture.shape]))


def in_memory(expected=1000):
    sink = InMemory(expected)
    add(sink)
    return sink.store()


def in_file(path):
    with path.open("wb") as file:
        sink = InFile(file)
        add(sink)
        sink.finish()
    return path


def check(store: Store):
    assert store.bytes == sum(picture.size for picture in PICTURES)
    for place, picture in enumerate(PICTURES):
        assert np.array_equal(store.planes(place), picture)
        assert np.array_equal(store.picture(place), picture.transpose(1, 2, 0))


@pytest.mark.parametrize("expected", [0, 10, 1000])
def test_memory_gives_back_what_was_added_however_much_was_expected(expected):
    check(in_memory(expected))


def test_a_file_gives_back_what_was_added_also_in_another_process(tmp_path):
    store = opened(in_file(tmp_path / "a.pixels"))
    assert store is not None
    check(store)
    sent = pickle.dumps(store)
    assert len(sent) < 2000
    check(pickle.loads(sent))


def test_all_pixels_go_to_a_device(tmp_path):
    store = opened(in_file(tmp_path / "a.pixels"))
    assert store is not None
    for one in (store, in_memory()):
        assert np.array_equal(one.on(torch.device("cpu")).numpy(), one.flat())


def test_no_byte_of_a_file_can_be_wrong_or_missing(tmp_path):
    whole = in_file(tmp_path / "a.pixels").read_bytes()
    damaged = tmp_path / "b.pixels"
    for index in range(len(whole)):
        damaged.write_bytes(whole[:index] + bytes([whole[index] ^ 1]) + whole[index + 1 :])
        assert opened(damaged) is None, index
    for length in (0, 5, len(whole) - 1):
        damaged.write_bytes(whole[:length])
        assert opened(damaged) is None
    damaged.write_bytes(whole + b"\0")
    assert opened(damaged) is None
    assert opened(tmp_path / "none") is None
