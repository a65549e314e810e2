"""Where a sequence of frames begins another scene."""

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np

from i2i import images

Array = np.ndarray[Any, Any]

CUT = 0.1
"""Mean difference of two frames' thumbnails, of white, from which on the second begins another scene."""
SIDE = 16
"""Of the thumbnails, in which noise and what moves a little are averaged away."""


class Scenes:
    """Tells the first frame of a scene by how little it has in common with the frame before it."""

    def __init__(self) -> None:
        self._last: Array | None = None
        self._shape: tuple[int, ...] = ()

    def begins(self, frames: Sequence[Array]) -> list[bool]:
        """Whether each of the coming frames, in order, begins a scene: the first, after a cut or in another size.

        Shape: (H, W, C) each, uint8, uint16 or float32 in [0, 1].
        """
        return [self._begins(frame) for frame in frames]

    def forget(self) -> None:
        """What comes next begins a sequence."""
        self._last = None

    def _begins(self, frame: Array) -> bool:
        small = cv2.resize(frame, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
        small = images.to_depth(small, np.float32)
        last, same = self._last, frame.shape == self._shape
        self._last, self._shape = small, frame.shape
        return last is None or not same or float(np.abs(small - last).mean()) > CUT
