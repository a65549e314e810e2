"""Two domains without pairs: every picture of the larger one once an epoch, with a random one of the other."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from torch import Tensor

from i2i.batches import Domains
from i2i.data.crops import numbers
from i2i.data.settings import DataSettings
from i2i.data.tensors import Index, as_tensor, decoded, epoch_and_index
from i2i.data.training_set import Crops, TrainingSet
from i2i.data.transforms import Transform
from i2i.images import probe, read_reduced
from i2i.images.pixels import Array


class UnpairedFolder(TrainingSet[Domains]):
    """Pictures of two domains, each resized, augmented and cropped for itself; domain x is the 'source' of settings.

    An item is Domains of (C, H, W) tensors: uint8, or float32 in [-1, 1] where the set is `deep` (16 bits). Keys are
    (epoch, index); a plain index is of epoch 0. In validation the smaller domain is gone through in order, so that an
    index is always the same two pictures. Groups are the pictures of x, then those of y.
    """

    def __init__(
        self,
        x: Sequence[Path],
        y: Sequence[Path],
        settings: DataSettings,
        seed: int = 0,
        *,
        channels: tuple[int, int] = (3, 3),
        deep: bool = False,
        train: bool = True,
    ) -> None:
        self.domains = x, y
        self.settings = settings
        self.seed = seed
        self.channels = channels
        self.deep = deep
        self.train = train
        self.failed = {}
        nearest = settings.labels in ("source", "both"), settings.labels in ("target", "both")
        self.sides = tuple(
            Transform(settings, train=train, nearest=[label], photometry=side == 0)
            for side, label in enumerate(nearest)
        )

    def __len__(self) -> int:
        return max(map(len, self.domains))

    def __getitem__(self, index: Index) -> Domains:
        key = epoch_and_index(index)
        return Domains(self._picture(0, key), self._picture(1, key))

    def _picture(self, side: int, key: tuple[int, int]) -> Tensor:
        (group,) = self._groups(side, [key])
        drawn = self._key(side, key)
        group, pictures = self.readable(group, drawn)
        (path,) = self.files(group)
        return as_tensor(self.sides[side](drawn, pictures, path)[0])

    def gather(self, keys: Sequence[tuple[int, int]], crops: Crops) -> Domains:
        return Domains(self._gather(0, keys, crops), self._gather(1, keys, crops))

    def _gather(self, side: int, keys: Sequence[tuple[int, int]], crops: Crops) -> Tensor:
        drawn = [self._key(side, key) for key in keys]
        places = self.standing(self._groups(side, keys), drawn)
        frames = self.sides[side].frames(drawn, *self.sizes(places))
        return crops(places, frames)

    def _key(self, side: int, key: tuple[int, int]) -> tuple[int, ...]:
        return self.seed, *key, side + 1

    def _groups(self, side: int, keys: Sequence[tuple[int, int]]) -> list[int]:
        """Which picture of a domain an index shows."""
        count, first = len(self.domains[side]), side * len(self.domains[0])
        if count == len(self) and (side == 0 or len(self.domains[0]) != len(self)):
            return [first + index for _, index in keys]
        if not self.train:
            return [first + index % count for _, index in keys]
        drawn = numbers([(*self._key(side, key), 1) for key in keys], 1)[:, 0]
        return [first + int(number * count) for number in drawn]

    def decode(self, group: int) -> list[Array]:
        side = int(group >= len(self.domains[0]))
        transform, (path,) = self.sides[side], self.files(group)
        (nearest,) = transform.nearest
        pixels, size = read_reduced(path, None if nearest else transform.target)
        return [decoded(transform.fit(pixels, nearest=nearest, size=size), self.channels[side], self.deep)]

    def shapes(self, group: int) -> list[tuple[int, int, int]]:
        side = int(group >= len(self.domains[0]))
        header = probe(self.files(group)[0])
        return [(self.channels[side], *self.sides[side].target((header.height, header.width)))]

    def files(self, group: int) -> tuple[Path, ...]:
        x, y = self.domains
        return (x[group] if group < len(x) else y[group - len(x)],)

    @property
    def groups(self) -> int:
        return sum(map(len, self.domains))

    @property
    def parts(self) -> tuple[range, ...]:
        first = len(self.domains[0])
        return range(first), range(first, self.groups)

    @property
    def transforms(self) -> tuple[Transform, ...]:
        return self.sides

    @property
    def identity(self) -> tuple[Any, ...]:
        return "domains", len(self.domains[0]), self.channels, [side.nearest for side in self.sides]

    @property
    def counted(self) -> str:
        return f"{len(self.domains[0])} and {len(self.domains[1])} pictures"
