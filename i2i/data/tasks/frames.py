"""Folders of frames: each folder is a sequence, in the order of its numbers, and sequences never cross folders."""

import os
import re
from collections.abc import Iterable, Sequence
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

import numpy as np

from i2i.data.crops import Key, numbers
from i2i.data.settings import DataSettings
from i2i.data.tasks.folder import MadePairs
from i2i.data.training_set import too_many
from i2i.data.transforms import Transform
from i2i.errors import DatasetError, PictureError
from i2i.images import shown
from i2i.images.pixels import Array

_STAND_IN, _TRIES = 2, 100


class Window(NamedTuple):
    """Frames that follow each other in one folder; the last one is to be predicted."""

    frames: tuple[Path, ...]


def natural(name: str) -> tuple[str, list[tuple[int, str]]]:
    """Sorts frame2 before frame10: the folder, and the name as numbers (value, as written) and text (0, text)."""
    folder, name = os.path.split(name)
    parts = re.split(r"(\d+)", name)
    return folder, [(int(part) if index % 2 else 0, part) for index, part in enumerate(parts)]


def windows(pictures: Iterable[Path], frames: int, place: str) -> list[Window]:
    """Every run of `frames` frames and the one after them. Raises DatasetError where no folder has as many."""
    ordered = sorted(map(str, pictures), key=natural)
    found: list[Window] = []
    longest = 0
    for _, group in groupby(ordered, key=os.path.dirname):
        sequence = [Path(name) for name in group]
        longest = max(longest, len(sequence))
        found += [Window(tuple(sequence[end - frames : end + 1])) for end in range(frames, len(sequence))]
    if not found:
        raise DatasetError(
            f"{place}: the longest sequence has {longest} frame{'s' * (longest > 1)}, but to predict one from the "
            f"{frames} before it takes {frames + 1} in a folder. Frames are pictures of one folder in the order of "
            f"their names; of a video, ffmpeg writes them: ffmpeg -i video.mp4 frames/%06d.png."
        )
    return found


def apart(kept: Sequence[Window], held: Sequence[Window]) -> list[Window]:
    """Of windows those that show none of the frames that the others predict."""
    unseen = {window.frames[-1] for window in held}
    return [window for window in kept if unseen.isdisjoint(window.frames)]


class FrameFolder(MadePairs):
    """Windows of frames: the source is the frames before the last one, their channels stacked, the oldest first.

    One crop and one flip are drawn for all frames of a window. Groups are frames, each of which is decoded once.
    """

    def __init__(
        self,
        items: Sequence[Window],
        settings: DataSettings,
        seed: int = 0,
        *,
        channels: int = 3,
        deep: bool = False,
        train: bool = True,
    ) -> None:
        found = list(dict.fromkeys(frame for window in items for frame in window.frames))
        super().__init__(found, settings, seed, channels=channels, deep=deep, train=train)
        place = {frame: index for index, frame in enumerate(found)}
        self.windows = np.array([[place[frame] for frame in window.frames] for window in items])
        nearest = self.pictures.transform.nearest * self.windows.shape[1]
        self.transform = Transform(settings, train=train, nearest=nearest, photometry=False)

    def __len__(self) -> int:
        return len(self.windows)

    def made(self, key: Key) -> tuple[Array, Array]:
        groups, pictures = self._window(key)
        sizes = {picture.shape[:2] for picture in pictures}
        if len(sizes) > 1:
            first, last = (shown(self.files(groups[index])[0]) for index in (0, -1))
            raise DatasetError(
                f"{first} to {last}: the frames of a sequence differ in size. Make them equal, or part them by folders."
            )
        cropped = self.transform(key, pictures, self.files(groups[-1])[0])
        return np.concatenate(cropped[:-1], axis=2), cropped[-1]

    def _window(self, key: Key) -> tuple[list[int], list[Array]]:
        """The frames of an item; another window's where one of them cannot be read."""
        others = (int(number * len(self)) for number in numbers([(*key, _STAND_IN)], _TRIES)[0])
        failed: dict[int, str] = {}
        for window in (key[-1], *others):
            groups = [int(group) for group in self.windows[window]]
            reading, pictures = groups[0], []
            try:
                for reading in groups:
                    pictures += self.fitted(reading)
                return groups, pictures
            except PictureError as error:
                failed[reading] = str(error)
                if self.kept is None:
                    self.failed[reading] = str(error)
        raise too_many(self, list(failed.values()), self.groups)

    @property
    def counted(self) -> str:
        return f"{self.groups} frames"
