"""What every training set can do: decode, keep what is decoded, and cut batches from what is kept."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol, TypeVar

import numpy as np
from torch import Tensor
from torch.utils.data import Dataset

from i2i.data.crops import Frames
from i2i.data.settings import DataSettings
from i2i.data.store import Store
from i2i.data.transforms import Transform
from i2i.images.pixels import Array

Batch = TypeVar("Batch", covariant=True)

Places = Sequence[int]


class Crops(Protocol):
    """Cuts the crops of a batch out of a Store."""

    def __call__(self, places: Places, frames: Frames) -> Tensor:
        """Pictures by their place, of equal channels. Shape: (N, C, h, w) uint8."""
        ...


class TrainingSet(Dataset[Batch], ABC):
    """Items that are decoded in groups of pictures: the two of a pair, or one.

    `__getitem__` takes (epoch, index). What a group decodes to is the same in every epoch, so it can be kept: picture
    k of group g is at g * `together` + k of the Store.
    """

    settings: DataSettings
    seed: int
    deep: bool
    kept: Store | None = None
    """The groups, decoded and resized, where they are kept."""
    together: int = 1
    """Pictures in a group."""

    @property
    @abstractmethod
    def transforms(self) -> Sequence[Transform]:
        """One for all pictures of an item, or one for each."""

    @property
    @abstractmethod
    def groups(self) -> int:
        """How many there are to decode."""

    @abstractmethod
    def files(self, group: int) -> tuple[Path, ...]:
        """What a group is decoded from."""

    @abstractmethod
    def decode(self, group: int) -> list[Array]:
        """Decode and resize, (H, W, C) each: uint8, or float32 in [0, 1] where `deep`. Raises UserError."""

    @abstractmethod
    def shapes(self, group: int) -> list[tuple[int, int, int]]:
        """(C, H, W) of what `decode` will return, by the headers alone. Raises PictureError."""

    @abstractmethod
    def gather(self, keys: Sequence[tuple[int, int]], crops: Crops) -> Batch:
        """A batch from the kept pictures, the same as its items one by one; only where `only_crops`."""

    @property
    def only_crops(self) -> bool:
        """Whether nothing is done to a kept picture but to crop and mirror it."""
        return all(transform.only_crops for transform in self.transforms)

    @property
    @abstractmethod
    def identity(self) -> tuple[Any, ...]:
        """All that decoding depends on, besides the files."""

    @property
    @abstractmethod
    def counted(self) -> str:
        """How many of what: '400 pairs'."""

    def fitted(self, group: int) -> list[Array]:
        """A group's pictures: as kept, or decoded now."""
        if self.kept is None:
            return self.decode(group)
        first = group * self.together
        return [self.kept.picture(place) for place in range(first, first + self.together)]

    def all_files(self) -> Iterator[Path]:
        """Of all groups, in their order."""
        for group in range(self.groups):
            yield from self.files(group)

    def sizes(self, places: Places) -> tuple[Array, Array]:
        """Heights and widths of kept pictures, (N,) each."""
        assert self.kept is not None
        shapes = self.kept.shapes[np.asarray(places)]
        return shapes[:, 1], shapes[:, 2]
