"""What the task of a translator reads of a file: the picture, its transparency, or the frames before it."""

import dataclasses
import os
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np

from i2i.data.tasks.frames import natural
from i2i.data.tasks.settings import AnyTask, Inpaint, NextFrame, NoTask
from i2i.errors import PictureError
from i2i.images import Picture, is_picture, shown, with_alpha


class Source:
    """Reads pictures as a task takes them; folders of frames are listed once, from any thread."""

    def __init__(self, task: AnyTask) -> None:
        self.task = task
        self._folders: dict[Path, list[str]] = {}
        self._listing = threading.Lock()

    def __call__(self, path: Path, read: Callable[[Path], Picture]) -> Picture:
        """The picture of a file, which `read` reads; its pixels have the channels that the translator takes.

        Raises PictureError where it cannot be read, or lacks what the task needs.
        """
        picture = read(path)
        match self.task:
            case Inpaint():
                return dataclasses.replace(picture, pixels=with_alpha(picture.pixels, picture.alpha), alpha=None)
            case NextFrame():
                before = [read(other).pixels for other in self._before(path, self.task.frames - 1)]
                return dataclasses.replace(picture, pixels=_stacked(path, [*before, picture.pixels]))
            case _:
                return picture

    def _before(self, path: Path, count: int) -> list[Path]:
        """So many frames before that one, of its folder; where it begins, its first frame stands still."""
        if not count:
            return []
        with self._listing:
            if path.parent not in self._folders:
                names = [name for name in os.listdir(path.parent) if is_picture(name)]  # noqa: PTH208
                self._folders[path.parent] = sorted(names, key=natural)
        names = self._folders[path.parent]
        if len(names) == 1:
            raise PictureError(
                f"{shown(path)}: is the only frame of its folder, and the next one is predicted from {count + 1}; give "
                f"a folder of frames in the order of their names"
            )
        at = names.index(path.name)
        return [path.with_name(names[max(0, index)]) for index in range(at - count, at)]


def _stacked(path: Path, frames: list[np.ndarray]) -> np.ndarray:
    if len({(frame.shape, frame.dtype.name) for frame in frames}) > 1:
        raise PictureError(f"{shown(path)}: differs from the frames before it in size, colour or depth")
    return np.concatenate(frames, axis=2)


NO_TASK = Source(NoTask())
"""Reads the picture alone."""
