"""What every training set can do: decode, keep what is decoded, and cut batches from what is kept."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol, TypeVar

import numpy as np
from torch import Tensor
from torch.utils.data import Dataset

from i2i.data.crops import Frames, Key, numbers
from i2i.data.settings import DataSettings
from i2i.data.store import Store
from i2i.data.transforms import Transform
from i2i.errors import DatasetError, PictureError
from i2i.images import shown
from i2i.images.pixels import Array

Batch = TypeVar("Batch", covariant=True)

Places = Sequence[int]

_STAND_IN = 2
"""Sets the draws of who stands in apart from the others of a key."""
_TRIES = 100
"""Draws until one can be read: even where half of a set cannot, all of them miss once in 10**30 times."""


class Crops(Protocol):
    """Cuts the crops of a batch out of a Store."""

    def __call__(self, places: Places, frames: Frames) -> Tensor:
        """Pictures by their place, of equal channels. Shape: (N, C, h, w) uint8."""
        ...


class TrainingSet(Dataset[Batch], ABC):
    """Items that are decoded in groups of pictures: the two of a pair, or one.

    `__getitem__` takes (epoch, index). What a group decodes to is the same in every epoch, so it can be kept: picture
    k of group g is at g * `together` + k of the Store.

    In the place of a group that cannot be read stands another one, drawn by the item's key: so a run is the same again,
    stopped or not, however it is fed. What could not be read is in `failed` until somebody asks.
    """

    settings: DataSettings
    seed: int
    deep: bool
    kept: Store | None = None
    """The groups, decoded and resized, where they are kept."""
    together: int = 1
    """Pictures in a group."""
    root: Path | None = None
    """The folder that the set was found in."""
    failed: dict[int, str]
    """Groups that could not be read since `new_failures` was last asked, and why."""

    @property
    @abstractmethod
    def transforms(self) -> Sequence[Transform]:
        """One for all pictures of an item, or one for each."""

    @property
    @abstractmethod
    def groups(self) -> int:
        """How many there are to decode."""

    @property
    def parts(self) -> Sequence[range]:
        """Groups that may stand in for each other: all of them, or those of each domain."""
        return (range(self.groups),)

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
        if self.kept.empty[first]:
            raise PictureError(f"{shown(self.files(group)[0])}: could not be read when the set was decoded")
        return [self.kept.picture(place) for place in range(first, first + self.together)]

    def readable(self, group: int, key: Key) -> tuple[int, list[Array]]:
        """A group and its pictures; another one's where it cannot be read. Raises DatasetError where too few can."""
        failed: dict[int, str] = {}
        for candidate in self._candidates(group, key):
            try:
                return candidate, self.fitted(candidate)
            except PictureError as error:
                failed[candidate] = str(error)
                if self.kept is None:  # or it was told when the set was decoded
                    self.failed[candidate] = str(error)
        raise too_many(self, list(failed.values()), len(self._part(group)))

    def standing(self, groups: Sequence[int], keys: Sequence[Key]) -> list[int]:
        """Of groups that are kept those that `readable` would give."""
        assert self.kept is not None
        if self.kept.whole:
            return list(groups)
        empty = self.kept.empty[:: self.together]
        return [
            next(one for one in self._candidates(group, key) if not empty[one])
            for group, key in zip(groups, keys, strict=True)
        ]

    def _candidates(self, group: int, key: Key) -> Iterator[int]:
        yield group
        part = self._part(group)
        for number in numbers([(*key, _STAND_IN)], _TRIES)[0]:
            yield part[int(number * len(part))]

    def _part(self, group: int) -> range:
        return next(part for part in self.parts if group in part)

    def new_failures(self) -> dict[int, str]:
        """Groups that could not be read since this was last asked, and why."""
        found, self.failed = self.failed, {}
        return found

    def all_files(self) -> Iterator[Path]:
        """Of all groups, in their order."""
        for group in range(self.groups):
            yield from self.files(group)

    def sizes(self, places: Places) -> tuple[Array, Array]:
        """Heights and widths of kept pictures, (N,) each."""
        assert self.kept is not None
        shapes = self.kept.shapes[np.asarray(places)]
        return shapes[:, 1], shapes[:, 2]


def too_many(dataset: TrainingSet[Any], reasons: Sequence[str], total: int) -> DatasetError:
    """More of a set's groups cannot be read than may be left out."""
    what = "pairs" if dataset.together > 1 else "pictures"
    more = f"; and {len(reasons) - 3} more" if len(reasons) > 3 else ""
    root = shown(dataset.root) if dataset.root else "DATA"
    return DatasetError(
        f"{len(reasons)} of {total} {what} cannot be read, but training leaves out {dataset.settings.unreadable:g} of "
        f"them at most (--data.unreadable): {'; '.join(reasons[:3])}{more}. i2i check {root} names all there are: mend "
        f"or remove them."
    )
