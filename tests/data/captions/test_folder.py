"""A picture comes with a caption of its own and one that is none of its own, however it is fed."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file

from i2i import images
from i2i.data.captions.folder import CaptionedFolder
from i2i.data.captions.words import Words, vocabulary_of
from i2i.data.feeding import Feeding, feed
from i2i.data.opening import open_dataset
from i2i.data.sampler import EpochSampler
from i2i.data.settings import DataSettings
from i2i.errors import DatasetError

SETTINGS = DataSettings(size="8", load="crop", resize="short")
CAPTIONS = [("red", "a red one"), ("blue",), ("Red!", "blue", "green"), ("green",)]


def filled(root: Path, captions: list[tuple[str, ...]] = CAPTIONS) -> Path:
    for index, own in enumerate(captions):
        path = root / "train" / f"{index}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        images.write(path, np.full((8, 8, 3), 10 * index, np.uint8))
        path.with_suffix(".txt").write_text("\n".join(own))
    return root


def folder(captions: list[tuple[str, ...]], train: bool = True) -> CaptionedFolder:
    every = [caption for own in captions for caption in own]
    paths = [Path(f"{index}.png") for index in range(len(captions))]
    return CaptionedFolder(paths, captions, Words(vocabulary_of(every)), SETTINGS, train=train)


def test_captions_are_drawn_and_wrong_ones_never_fit():
    found = folder(CAPTIONS)
    drawn = {group: Counter(found.texts_of(group, (0, epoch, group)) for epoch in range(200)) for group in range(4)}
    wrong = {group: {other for _, other in pairs} for group, pairs in drawn.items()}
    assert wrong == {0: {"blue", "green"}, 1: {"red", "a red one", "Red!", "green"}, 2: {"a red one"}, 3: {
        "red", "a red one", "Red!", "blue"}}  # fmt: skip
    own = Counter(caption for (caption, _), count in drawn[2].items() for _ in range(count))
    assert set(own) == set(CAPTIONS[2])
    assert min(own.values()) > 30, "each is drawn as often"
    assert found.texts_of(1, (0, 5, 1)) == found.texts_of(1, (0, 5, 1))


@pytest.mark.parametrize("captions", [[("red",), ("Red",)], [("red", "blue"), ("blue",)]])
def test_a_picture_for_which_no_caption_is_wrong_is_refused(captions):
    with pytest.raises(DatasetError, match=r"0\.png: has every caption that there is"):
        folder(captions)
    assert folder(captions, train=False).texts_of(0, (0, 0, 0))[0] in captions[0], "nothing is learnt from it"


@pytest.mark.parametrize(("cache", "workers"), [("none", 0), ("none", 1), ("memory", 0)])
def test_batches_are_the_same_however_they_are_fed(tmp_path, cache, workers):
    opened = open_dataset("captions", filled(tmp_path), SETTINGS)
    assert opened.counts == {"train": 3, "validation": 1}
    assert opened.notes[0] == f"4 pictures with 7 captions in {tmp_path}/train"
    assert set(opened.captions) <= {"red", "blue", "Red!", "green"}
    assert opened.classes == ()
    sampler = EpochSampler(3, 3)
    how = Feeding(cache=cache, workers=workers)
    batch = next(iter(feed(opened.train, sampler, how, device=torch.device("cpu"), passes=1)))
    keys = next(iter(sampler))
    wanted = [opened.train[key] for key in keys]
    assert torch.equal(batch.images, torch.stack([one.images for one in wanted]))
    assert torch.equal(batch.captions, torch.stack([one.captions for one in wanted]))
    assert torch.equal(batch.others, torch.stack([one.others for one in wanted]))
    for picture, own, other in zip(*batch, strict=True):
        captions = CAPTIONS[int(picture[0, 0, 0]) // 10]
        assert any(np.array_equal(own, opened.train.texts.vector(text)) for text in captions)
        assert not torch.equal(own, other)


def test_embeddings_stand_in_the_place_of_words(tmp_path):
    every = {caption for own in CAPTIONS for caption in own}
    file = tmp_path / "e.safetensors"
    save_file({caption: np.array([len(caption), 1], np.float32) for caption in every}, file)
    settings = DataSettings(size="8", load="crop", resize="short", embeddings=str(file), embedding=2)
    opened = open_dataset("captions", filled(tmp_path), settings)
    assert opened.train[0].captions.shape == (2,)
    other = DataSettings(size="8", embeddings=str(file), embedding=3)
    with pytest.raises(DatasetError, match="its vectors have 2 numbers, and the model learnt from vectors of 3"):
        open_dataset("captions", tmp_path, other)
    save_file({"red": np.ones(2, np.float32)}, file)
    with pytest.raises(DatasetError, match="has no vector of"):
        open_dataset("captions", tmp_path, settings)
