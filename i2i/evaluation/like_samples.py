"""Real pictures as a sampler would have made them: of its size and channels, and labelled by its classes."""

from pathlib import Path

import numpy as np

from i2i import images
from i2i.data.folders import find_pictures
from i2i.data.sequences import Lazy
from i2i.data.settings import DataSettings
from i2i.data.single import PictureFolder
from i2i.evaluation.scores import Array
from i2i.evaluation.unreadable import readable
from i2i.images import shown
from i2i.sampler import Card


class LikeSamples(Lazy[Array]):
    """The pictures of a split, brought to the size of training as validation does: the middle of each.

    An item is (H, W, 1 or 3) uint8. What cannot be read is left out, and named in `unreadable`. Raises DatasetError
    for a split that is not there.
    """

    def __init__(self, root: Path, split: str, card: Card, most: int | None = None) -> None:
        """`most` of them, evenly from all."""
        found = find_pictures(root, split)
        self.total = len(found.pictures)
        count = min(self.total, most or self.total)
        chosen = [index * (self.total - 1) // max(count - 1, 1) for index in range(count)]
        chosen, self.unreadable = readable(chosen, lambda index: images.read(found.pictures[index]))
        count = len(chosen)
        self.paths = [found.pictures[index] for index in chosen]
        self.classes = found.classes
        self.labels = np.array([found.labels[index] for index in chosen], np.int64)
        settings = DataSettings(size=card.size, resize=card.resize, load=card.load)
        self._folder = PictureFolder(self.paths, [0] * count, settings, channels=card.out_channels, train=False)

    def __len__(self) -> int:
        return len(self.paths)

    def _at(self, index: int) -> Array:
        pixels = self._folder.fitted(index)[0]
        return self._folder.transform((0, 0, index), [pixels], self.paths[index])[0]

    def name(self, index: int) -> str:
        """The picture's name, with that of its class where there are some, as a line of text."""
        path = self.paths[index]
        return shown(f"{path.parent.name}/{path.name}" if self.classes else path.name)
