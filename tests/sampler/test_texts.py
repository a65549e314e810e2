"""A sampler that reads texts makes what they say, of words that it learnt or by vectors that it is given."""

import dataclasses
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file

from i2i import images
from i2i.data.captions.words import Words
from i2i.errors import DatasetError, ModelFileError, SettingsError
from i2i.networks.sampler import Sampler
from i2i.networks.settings import DCGANGenerator, TextGenerator
from i2i.sampler import Card, PictureSampler, describe, save_sampler
from i2i.sampler.noise import noise

sys.path.insert(0, str(Path(__file__).parents[1] / "networks"))
from hostile_files import described

WORDS = ("a", "red", "blue", "circle", "a red")
TINY = Card(
    architecture=TextGenerator(width=2, latent=8, described=4, text=5),
    out_channels=3,
    size="28",
    recipe="text-to-image",
    vocabulary=WORDS,
    captions=("a red circle", "a blue circle, rarely"),
)
GIVEN = dataclasses.replace(
    TINY, architecture=TextGenerator(width=2, latent=8, described=4, text=3), vocabulary=(), captions=(), embedding=3
)


def network(card: Card) -> Sampler:
    torch.manual_seed(0)
    made = card.architecture.build(3, (28, 28))
    with torch.no_grad():
        for value in made.parameters():
            value.copy_(0.4 * torch.randn(value.shape))
    return made


def sampler(card: Card = TINY, **options: Any) -> PictureSampler:
    return PictureSampler(network(card), card, device="cpu", **options)


def vectors(folder: Path, **named: list[float]) -> Path:
    save_file({name: np.array(vector, np.float32) for name, vector in named.items()}, folder / "e.safetensors")
    return folder / "e.safetensors"


def stacked(pictures: Any) -> np.ndarray:
    return np.stack([np.asarray(one) for one in pictures]).astype(int)


def test_a_text_is_what_the_network_is_told():
    one = sampler()
    made = stacked(one.sample(3, seed=4, text="A red circle!"))
    told = torch.from_numpy(np.stack([Words(WORDS).vector("a red circle")] * 3))
    with torch.no_grad():
        wanted = images.from_network(network(TINY).eval()(noise([4, 5, 6], 8), told))
    assert np.array_equal(made, wanted)
    assert not np.array_equal(made, stacked(one.sample(3, seed=4, text="a blue circle")))


def test_without_a_text_captions_that_it_learnt_from_come_in_turn():
    one = sampler()
    assert one.classes == TINY.captions
    turns = stacked(one.arrays([0, 1, 2]))
    assert np.array_equal(turns[[0, 2]], stacked(one.arrays([0, 2], text="a red circle")))
    assert np.array_equal(turns[1:2], stacked(one.arrays([1], label="a blue circle, rarely"))), "with a word it forgot"


def test_a_walk_is_of_one_text():
    walk = stacked(sampler().interpolate([1, 2], 2, text="a blue circle"))
    assert np.array_equal(walk[[0, 2]], stacked(sampler().arrays([1, 2], text="a blue circle")))


def test_a_file_reads_texts_as_it_did(tmp_path):
    save_sampler(network(TINY), TINY, tmp_path / "sampler.safetensors")
    loaded = PictureSampler.load(tmp_path, device="cpu")
    assert loaded.card == TINY
    assert np.array_equal(stacked(loaded.sample(2, text="red")), stacked(sampler().sample(2, text="red")))
    assert describe(TINY) == "text-to-image, text of width 2, 3 channels, 28 pixels, 4 words, 0 steps"


def test_vectors_are_given_where_it_learnt_from_such(tmp_path):
    file = vectors(tmp_path, dog=[0, 0, 2], cat=[1, 0, 0])
    one = sampler(GIVEN, embeddings=file)
    assert sorted(one.classes) == ["cat", "dog"]
    with torch.no_grad():
        wanted = images.from_network(network(GIVEN).eval()(noise([0], 8), torch.tensor([[0.0, 0, 1]])))
    assert np.array_equal(stacked(one.sample(text="dog")), wanted)
    with pytest.raises(DatasetError, match=r"has no vector of 'dgo'; did you mean dog\?"):
        one.sample(text="dgo")
    with pytest.raises(SettingsError, match=r"reads vectors of 3 numbers .* --embeddings"):
        sampler(GIVEN)
    with pytest.raises(SettingsError, match="vectors have 2 numbers, and the model learnt from 3"):
        sampler(GIVEN, embeddings=vectors(tmp_path, dog=[0, 1]))
    with pytest.raises(SettingsError, match="reads no vectors"):
        sampler(embeddings=file)


PLAIN = Card(architecture=DCGANGenerator(width=2, latent=8), out_channels=3, size="28")


@pytest.mark.parametrize(
    ("card", "asked", "said"),
    [
        (PLAIN, {"text": "red"}, "text 'red': this model reads none"),
        (TINY, {"text": " "}, "the text is empty"),
        (TINY, {"text": "a purple circle"}, "no caption that it learnt from has 'purple'. Among its 4 words are a, "),
        (TINY, {"text": "red", "label": "a red circle"}, "say one of them"),
        (TINY, {"label": "a red cirlce"}, r"did you mean a red circle\?"),
    ],
)
def test_what_cannot_be_read_is_one_line(card, asked, said):
    with pytest.raises(SettingsError, match=said) as refusal:
        sampler(card).sample(**asked)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("change", [{"vocabulary": WORDS[1:]}, {"embedding": 9}, {"vocabulary": ()}])
def test_a_file_whose_words_are_not_those_of_its_weights_is_refused(tmp_path, change):
    save_sampler(network(TINY), TINY, tmp_path / "s.safetensors")
    described(tmp_path / "s.safetensors", **change)
    with pytest.raises(ModelFileError, match="reads 5 numbers of a text, and texts become"):
        PictureSampler.load(tmp_path / "s.safetensors", device="cpu")
