"""All ways of matching are one: by stem."""

import random
from pathlib import Path

import pytest

from i2i.data import matching
from i2i.data.listing import Listing
from i2i.data.matching import partners
from i2i.data.sequences import Names
from i2i.errors import DatasetError


def listed(*names: str) -> Listing:
    return Listing(Path("somewhere"), Names.of(names), 0)


def matched(one: Listing, other: Listing) -> dict[str, str] | None:
    order = partners(one, other)
    return None if order is None else {name: other.names[int(index)] for name, index in zip(one.names, order)}  # noqa: B905


def test_folders_of_one_suffix_each_are_matched_in_step(monkeypatch):
    monkeypatch.setattr(matching, "_by_hash", None)
    assert matched(listed("a.1.jpg", "a/b.jpg"), listed("a.1.jpeg", "a/b.jpeg")) == {
        "a.1.jpg": "a.1.jpeg",
        "a/b.jpg": "a/b.jpeg",
    }


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (["a.jpg", "b.png", "c.jpg"], ["a.png", "b.jpg", "c.jpg"]),
        (["a.b.jpg", "a.jpg"], ["a.b.png", "a.png"][::-1]),
        (["café.jpg"], ["cafe\u0301.jpg"]),
    ],
)
@pytest.mark.parametrize("hashing", [True, False])
def test_mixed_suffixes_orders_and_accents_match_by_hash_and_without(one, other, hashing, monkeypatch):
    if hashing:
        monkeypatch.setattr(matching, "by_stem", None)
    else:
        monkeypatch.setattr(matching, "_by_hash", lambda one, other: None)
    found = matched(listed(*one), listed(*other))
    assert found is not None
    assert [matching.stem(name) for name in found] == [matching.stem(name) for name in found.values()]


def test_names_of_equal_hashes_are_told_apart(monkeypatch):
    monkeypatch.setattr(matching, "hash", lambda name: 7, raising=False)
    assert matched(listed("a.jpg", "b.png"), listed("a.jpg", "b.jpg")) == {"a.jpg": "a.jpg", "b.png": "b.jpg"}
    monkeypatch.setattr(matching, "hash", len, raising=False)
    assert matched(listed("a.jpg", "bb.png"), listed("b.jpg", "cc.jpg")) is None


@pytest.mark.parametrize("other", [["a.jpg"], ["a.jpg", "c.jpg"], ["a.jpg", "b.jpg", "c.jpg"]])
def test_what_lacks_a_partner_is_no_match(other):
    assert partners(listed("a.jpg", "b.jpg"), listed(*other)) is None


@pytest.mark.parametrize("other", [["a.jpg", "b.jpg"], ["a.jpg", "a.png"]])
def test_one_stem_twice_is_refused(other):
    with pytest.raises(DatasetError, match=r"a\.jpg and a\.png have the same name"):
        partners(listed("a.jpg", "a.png"), listed(*other))


def test_any_order_of_many_is_matched():
    draw = random.Random(0)
    one = [f"{index}.{draw.choice(['jpg', 'png'])}" for index in range(500)]
    other = [f"{index}.{draw.choice(['jpg', 'png'])}" for index in range(500)]
    draw.shuffle(other)
    found = matched(listed(*one), listed(*other))
    assert found == {name: next(o for o in other if o.split(".")[0] == name.split(".")[0]) for name in one}
