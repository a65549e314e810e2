"""A caption is the words that it has, and which of them are neighbours."""

import numpy as np
import pytest

from i2i.data.captions import words
from i2i.data.captions.words import Words, vocabulary_of

CAPTIONS = ["a red circle", "A RED square.", "a blue circle", "the circle is blue"]


def test_a_vocabulary_is_words_by_how_often_they_come_and_neighbours_that_come_twice():
    assert vocabulary_of(CAPTIONS) == ("a", "circle", "blue", "red", "is", "square", "the", "a red")
    assert vocabulary_of(["red red red"]) == ("red",), "each caption counts once"
    assert vocabulary_of(["...", ""]) == ()


def test_a_vocabulary_keeps_the_most_frequent(monkeypatch):
    monkeypatch.setattr(words, "MOST", 3)
    assert vocabulary_of(CAPTIONS) == ("a", "circle", "blue")


def test_a_vector_is_of_length_1_and_says_which_terms_there_are():
    known = Words(vocabulary_of(CAPTIONS))
    vector = known.vector("Red circle, red!")
    assert vector.dtype == np.float32
    assert vector.tolist() == pytest.approx([0, 2**-0.5, 0, 2**-0.5, 0, 0, 0, 0])
    assert np.linalg.norm(known.vector("a red square")) == pytest.approx(1)
    assert not known.vector("dogs").any()


def test_neighbours_tell_what_belongs_to_what():
    one, other = "red circle and blue square", "blue circle and red square"
    known = Words(vocabulary_of([one, other] * 2))
    assert not np.array_equal(known.vector(one), known.vector(other))


def test_unknown_words_are_named_once():
    assert Words(vocabulary_of(CAPTIONS)).unknown("a purple circle, a Purple dog") == ["purple", "dog"]
