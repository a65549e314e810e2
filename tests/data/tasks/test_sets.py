"""One folder of pictures as pairs."""

import pickle

import numpy as np
import pytest
import torch

from i2i import images
from i2i.data.cache import keep
from i2i.data.feeding import Feeding, feed
from i2i.data.opening import open_dataset
from i2i.data.sampler import EpochSampler
from i2i.data.settings import DataSettings
from i2i.data.tasks.frames import FrameFolder, Window, apart, natural, windows
from i2i.data.tasks.settings import Colorize, Inpaint, NextFrame, Sketch, SuperResolution
from i2i.errors import DatasetError

TASKS = [SuperResolution(), Colorize(), Inpaint(), Inpaint(mask=False), Sketch(), NextFrame()]


def fill(folder, count, size=(20, 24), channels=3, start=0):
    folder.mkdir(parents=True)
    for index in range(start, start + count):
        pixels = np.random.default_rng(index).integers(0, 256, (*size, channels), dtype=np.uint8)
        images.write(folder / f"{index}.png", pixels)


def settings(task, **changes):
    return DataSettings(size="16", resize="none", task=task, **changes)


@pytest.mark.parametrize("task", TASKS, ids=lambda task: f"{task.kind} {getattr(task, 'mask', '')}")
def test_a_folder_opens_as_pairs_of_what_the_task_says(task, tmp_path):
    fill(tmp_path / "train", 12)
    opened = open_dataset("pairs", tmp_path, settings(task))
    kinds = {"super-resolution": 3, "colorize": 1, "inpaint": 3 + bool(getattr(task, "mask", 0)), "sketch": 1}
    assert opened.channels == (kinds.get(task.kind, 6), 3)
    for part in (opened.train, opened.validation):
        source, target = part[(0, 0)]
        side = 4 if task.kind == "super-resolution" else 16
        assert source.shape == (opened.channels[0], side, side)
        assert target.shape == (3, 16, 16)
        assert source.dtype is target.dtype is torch.uint8


def test_the_target_is_the_picture_and_the_source_is_of_the_same_crop(tmp_path):
    fill(tmp_path / "train", 8)
    opened = open_dataset("pairs", tmp_path, settings(Colorize()))
    for epoch in range(3):
        source, target = opened.train[(epoch, 2)]
        crop = target.permute(1, 2, 0).numpy()
        assert np.array_equal(images.with_channels(crop, 1)[:, :, 0], source[0].numpy())


@pytest.mark.parametrize("task", TASKS, ids=lambda task: f"{task.kind} {getattr(task, 'mask', '')}")
def test_batches_are_the_same_however_they_are_fed(task, tmp_path):
    fill(tmp_path / "train", 8)

    def batches(cache, workers):
        opened = open_dataset("pairs", tmp_path, settings(task), seed=3)
        sampler = EpochSampler(opened.counts["train"], 2, 3)
        how = Feeding(workers=workers, cache=cache)
        fed = iter(feed(opened.train, sampler, how, device=torch.device("cpu"), passes=5))
        return [tuple(part.clone() for part in next(fed)) for _ in range(5)]

    first = batches("none", 0)
    for other in (batches("memory", 0), batches("memory", 2)):
        assert all(
            torch.equal(a, b) for one, two in zip(first, other, strict=True) for a, b in zip(one, two, strict=True)
        )


def test_decoded_pictures_are_kept(tmp_path):
    fill(tmp_path / "train", 8)
    train = open_dataset("pairs", tmp_path, settings(NextFrame())).train
    before = [train[(1, index)] for index in range(len(train))]
    assert "kept in memory" in keep(train, "memory", workers=0, passes=3)[0]
    for path in (tmp_path / "train").iterdir():
        path.unlink()
    after = [train[(1, index)] for index in range(len(train))]
    assert all(torch.equal(a, b) for one, two in zip(before, after, strict=True) for a, b in zip(one, two, strict=True))


@pytest.mark.parametrize("task", [Inpaint(), NextFrame()], ids=lambda task: task.kind)
def test_a_set_can_be_sent_to_a_worker(task, tmp_path):
    fill(tmp_path / "train", 6)
    train = open_dataset("pairs", tmp_path, settings(task, holdout=0)).train
    sent = pickle.loads(pickle.dumps(train))
    assert all(torch.equal(a, b) for a, b in zip(train[(2, 1)], sent[(2, 1)], strict=True))


def test_a_picture_that_cannot_be_read_is_stood_in_for(tmp_path):
    fill(tmp_path / "train", 9)
    (tmp_path / "train" / "4.png").write_bytes(b"nothing")
    for task in (Colorize(), NextFrame()):
        train = open_dataset("pairs", tmp_path, settings(task, unreadable=0.5, holdout=0)).train
        assert all(train[(0, index)].target.shape == (3, 16, 16) for index in range(len(train)))
        assert [train.files(group)[0].name for group in train.new_failures()] == ["4.png"]


def test_there_is_no_colour_to_learn_from_gray_pictures(tmp_path):
    fill(tmp_path / "train", 4, channels=1)
    with pytest.raises(DatasetError, match=r"4 pictures in .*train: all of them are gray, so there is no colour"):
        open_dataset("pairs", tmp_path, settings(Colorize()))
    assert open_dataset("pairs", tmp_path, settings(SuperResolution())).channels == (1, 1)


# -------------------------------------------------------------------------------------------------------------- frames


def test_frames_come_in_the_order_of_their_numbers(tmp_path):
    names = [tmp_path / name for name in ("f10.png", "f9.png", "f2.png", "f11.png")]
    found = windows(names, 2, "here")
    assert [[path.name for path in window.frames] for window in found] == [
        ["f2.png", "f9.png", "f10.png"],
        ["f9.png", "f10.png", "f11.png"],
    ]
    assert natural("a/2.png") < natural("a/10.png") < natural("b/1.png")


def test_sequences_never_cross_folders(tmp_path):
    fill(tmp_path / "train" / "a", 4)
    fill(tmp_path / "train" / "b", 3, start=10)
    fill(tmp_path / "train" / "c", 2, start=20)  # too short for a window
    opened = open_dataset("pairs", tmp_path, settings(NextFrame(), holdout=0))
    assert isinstance(opened.train, FrameFolder)
    found = [[opened.train.files(int(group))[0] for group in window] for window in opened.train.windows]
    assert [[f"{path.parent.name}{path.stem}" for path in window] for window in found] == [
        ["a0", "a1", "a2"],
        ["a1", "a2", "a3"],
        ["b10", "b11", "b12"],
    ]
    assert opened.train.groups == 7


def test_the_source_is_the_frames_before_the_oldest_first(tmp_path):
    for index in range(5):
        (tmp_path / "train").mkdir(exist_ok=True)
        images.write(tmp_path / "train" / f"{index}.png", np.full((16, 16, 3), 10 * index, np.uint8))
    train = open_dataset("pairs", tmp_path, settings(NextFrame(frames=3), holdout=0)).train
    source, target = train[(0, 1)]
    assert [int(source[3 * frame].float().mean()) for frame in range(3)] == [10, 20, 30]
    assert int(target.float().mean()) == 40


def test_one_frame_is_no_sequence(tmp_path):
    fill(tmp_path / "train", 1)
    with pytest.raises(DatasetError, match=r"the longest sequence has 1 frame, but .* takes 3 in a folder.*ffmpeg"):
        open_dataset("pairs", tmp_path, settings(NextFrame()))


def test_frames_of_a_sequence_have_one_size(tmp_path):
    fill(tmp_path / "train", 2)
    images.write(tmp_path / "train" / "9.png", np.zeros((24, 24, 3), np.uint8))
    train = open_dataset("pairs", tmp_path, settings(NextFrame(), holdout=0)).train
    with pytest.raises(DatasetError, match=r"0.png to .*9.png: the frames of a sequence differ in size"):
        train[(0, 0)]


def test_what_is_held_out_to_be_predicted_is_never_trained_on(tmp_path):
    fill(tmp_path / "train", 60)
    opened = open_dataset("pairs", tmp_path, settings(NextFrame()))
    assert len(opened.held) == 3
    assert isinstance(opened.train, FrameFolder)
    shown = {opened.train.files(int(group))[0].name for window in opened.train.windows for group in window}
    assert shown.isdisjoint(opened.held)
    assert opened.counts == {"train": len(opened.train), "validation": 3}
    assert opened.counts["train"] == len(opened.train.windows)


def test_windows_apart_share_no_frame_that_is_predicted(tmp_path):
    frames = [tmp_path / str(index) for index in range(6)]
    every = [Window(tuple(frames[end - 2 : end + 1])) for end in range(2, 6)]
    assert apart(every, [every[1]]) == [every[0]]
