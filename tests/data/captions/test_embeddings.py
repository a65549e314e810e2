"""Vectors of captions come from a file in which nothing runs, and what does not fit is one line."""

import numpy as np
import pytest
from safetensors.numpy import save_file

from i2i.data.captions.embeddings import Embeddings
from i2i.errors import DatasetError


def test_a_vector_is_that_of_its_caption_brought_to_length_1(tmp_path):
    save_file(
        {"a dog": np.array([3, 4], np.float16), "a cat": np.array([0, -2], np.float16)}, tmp_path / "e.safetensors"
    )
    given = Embeddings(tmp_path / "e.safetensors")
    assert given.length == 2
    assert given.vector("a dog").tolist() == pytest.approx([0.6, 0.8])
    assert given.vector("a dog").dtype == np.float32
    assert given.vector("a cat").tolist() == [0, -1]
    with pytest.raises(DatasetError, match=r"has no vector of 'a dgo'; did you mean a dog\?"):
        given.vector("a dgo")
    given.refuse_missing(["a cat", "a dog"])
    with pytest.raises(DatasetError, match="has no vector of 2 of 3 captions: a bird, a cow"):
        given.refuse_missing(["a cat", "a cow", "a bird"])


@pytest.mark.parametrize(
    ("tensors", "said"),
    [
        ({}, "shapes none"),
        ({"a": np.zeros((2, 2), np.float32)}, r"shapes \(2, 2\)"),
        ({"a": np.zeros(2, np.float32), "b": np.zeros(3, np.float32)}, r"shapes \(2,\), \(3,\)"),
        ({"a": np.zeros(0, np.float32)}, r"shapes \(0,\)"),
        ({"a": np.array([1, np.nan], np.float32)}, "infinite or none"),
    ],
)
def test_tensors_that_are_no_vectors_of_captions_are_one_line(tmp_path, tensors, said):
    save_file(tensors, tmp_path / "e.safetensors")
    with pytest.raises(DatasetError, match=said) as refusal:
        Embeddings(tmp_path / "e.safetensors")
    assert "\n" not in str(refusal.value)


def test_another_file_is_one_line(tmp_path):
    with pytest.raises(DatasetError, match="there is no such file"):
        Embeddings(tmp_path / "e.safetensors")
    (tmp_path / "e.safetensors").write_bytes(b"\x80\x04 a pickle")
    with pytest.raises(DatasetError, match="cannot be used"):
        Embeddings(tmp_path / "e.safetensors")
