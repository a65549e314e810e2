"""Aligned pairs for training: one crop and one flip drawn for both."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from i2i.batches import Pairs
from i2i.data.folders import Pair
from i2i.data.settings import DataSettings
from i2i.data.tensors import Index, as_tensor, decoded, epoch_and_index
from i2i.data.training_set import Crops, TrainingSet
from i2i.data.transforms import Transform
from i2i.errors import DatasetError
from i2i.images import Size, probe, read_reduced, shown
from i2i.images.pixels import Array

Target = Callable[[Size], Size]
_BLOCK = 8
"""Pixels that JPEG codes as one; reduced decoding would mix two pictures that meet inside of one."""


def read_pair(pair: Pair) -> tuple[Array, Array]:
    """Decode a pair: A and B, of the same height and width. Raises DatasetError and PictureError."""
    (a, b), _ = read_sides(pair, (None, None))
    return a, b


def read_sides(pair: Pair, targets: tuple[Target | None, Target | None]) -> tuple[tuple[Array, Array], Size]:
    """Decode A and B, no larger than their targets need, and say what size they have in full.

    Raises DatasetError and PictureError.
    """
    if pair.b is None:
        whole, size = read_reduced(pair.a, _of_both(targets[0]) if None not in targets else None)
        half = _half(pair.a, size)
        middle = whole.shape[1] // 2
        return (whole[:, :middle], whole[:, middle:]), half
    (a, size), (b, other) = read_reduced(pair.a, targets[0]), read_reduced(pair.b, targets[1])
    if size != other:
        raise DatasetError(
            f"{shown(pair.a)} is {size[1]} x {size[0]} and {shown(pair.b)} is {other[1]} x {other[0]}, but "
            "the pictures of a pair have the same size. Make them equal or remove the pair."
        )
    return (a, b), size


def _half(path: Path, size: Size) -> Size:
    height, width = size
    if width % 2:
        raise DatasetError(
            f"{shown(path)}: is {width} x {height}, but a pair side by side is 2W x H, A left and B right. "
            "Crop it to an even width or remove it."
        )
    return height, width // 2


def _of_both(target: Target | None) -> Target | None:
    """The target of two pictures side by side."""
    if target is None:
        return None

    def both(size: Size) -> Size:
        height, width = size
        if width % (2 * _BLOCK):
            return size
        height, width = target((height, width // 2))
        return height, 2 * width

    return both


class PairedFolder(TrainingSet[Pairs]):
    """Pairs as training wants them: resized, augmented together, cropped.

    An item is Pairs of (C, H, W) tensors: uint8, or float32 in [-1, 1] where the set is `deep` (16 bits). Keys are
    (epoch, index); a plain index is of epoch 0.
    """

    together = 2

    def __init__(
        self,
        pairs: Sequence[Pair],
        settings: DataSettings,
        seed: int = 0,
        *,
        channels: tuple[int, int] = (3, 3),
        deep: bool = False,
        train: bool = True,
    ) -> None:
        """`channels` are those of source and target, after the direction is applied."""
        self.pairs = pairs
        self.settings = settings
        self.seed = seed
        self.channels = channels
        self.deep = deep
        self.failed = {}
        self.nearest = settings.labels in ("source", "both"), settings.labels in ("target", "both")
        self.transform = Transform(settings, train=train, nearest=self.nearest, photometry=True)

    def __len__(self) -> int:
        return len(self.pairs)

    def __getitem__(self, index: Index) -> Pairs:
        epoch, index = epoch_and_index(index)
        key = self.seed, epoch, index
        group, pictures = self.readable(index, key)
        source, target = self.transform(key, pictures, self.files(group)[0])
        return Pairs(as_tensor(source), as_tensor(target))

    def gather(self, keys: Sequence[tuple[int, int]], crops: Crops) -> Pairs:
        drawn = [(self.seed, *key) for key in keys]
        groups = self.standing([index for _, index in keys], drawn)
        source, target = [2 * group for group in groups], [2 * group + 1 for group in groups]
        frames = self.transform.frames(drawn, *self.sizes(source))
        return Pairs(crops(source, frames), crops(target, frames))

    def decode(self, group: int) -> list[Array]:
        swapped = self.settings.direction == "BtoA"
        a, b = (None if nearest else self.transform.target for nearest in self.nearest[:: -1 if swapped else 1])
        sides, size = read_sides(self.pairs[group], (a, b))
        return [
            decoded(self.transform.fit(side, nearest=nearest, size=size), channels, self.deep)
            for side, channels, nearest in zip(
                sides[::-1] if swapped else sides, self.channels, self.nearest, strict=True
            )
        ]

    def shapes(self, group: int) -> list[tuple[int, int, int]]:
        pair = self.pairs[group]
        header = probe(pair.a)
        target = self.transform.target((header.height, header.width if pair.b else header.width // 2))
        return [(channels, *target) for channels in self.channels]

    def files(self, group: int) -> tuple[Path, ...]:
        pair = self.pairs[group]
        return (pair.a,) if pair.b is None else (pair.a, pair.b)

    @property
    def groups(self) -> int:
        return len(self.pairs)

    @property
    def transforms(self) -> tuple[Transform, ...]:
        return (self.transform,)

    @property
    def identity(self) -> tuple[Any, ...]:
        return "pairs", self.settings.direction, self.channels, self.nearest

    @property
    def counted(self) -> str:
        return f"{len(self.pairs)} pairs"
