"""One folder of pictures, with the index of the class folder each lies in."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from i2i.batches import Labelled
from i2i.data.settings import DataSettings
from i2i.data.tensors import Index, as_tensor, decoded, epoch_and_index
from i2i.data.training_set import Crops, TrainingSet
from i2i.data.transforms import Transform
from i2i.images import probe, read_reduced
from i2i.images.pixels import Array


class PictureFolder(TrainingSet[Labelled]):
    """Pictures resized, augmented in geometry and cropped: what is learned here is a target, never a source.

    An item is Labelled of a (C, H, W) tensor, uint8, or float32 in [-1, 1] where the set is `deep` (16 bits), and an
    int64 scalar. Keys are (epoch, index); a plain index is of epoch 0.
    """

    def __init__(
        self,
        pictures: Sequence[Path],
        labels: Sequence[int],
        settings: DataSettings,
        seed: int = 0,
        *,
        channels: int = 3,
        deep: bool = False,
        train: bool = True,
    ) -> None:
        self.pictures = pictures
        self.labels = labels
        self.settings = settings
        self.seed = seed
        self.channels = channels
        self.deep = deep
        self.failed = {}
        nearest = settings.labels in ("target", "both")
        self.transform = Transform(settings, train=train, nearest=[nearest], photometry=False)

    def __len__(self) -> int:
        return len(self.pictures)

    def __getitem__(self, index: Index) -> Labelled:
        epoch, index = epoch_and_index(index)
        key = self.seed, epoch, index
        group, pictures = self.readable(index, key)
        image = self.transform(key, pictures, self.pictures[group])[0]
        return Labelled(as_tensor(image), torch.tensor(self.labels[group]))

    def gather(self, keys: Sequence[tuple[int, int]], crops: Crops) -> Labelled:
        drawn = [(self.seed, *key) for key in keys]
        places = self.standing([index for _, index in keys], drawn)
        frames = self.transform.frames(drawn, *self.sizes(places))
        return Labelled(crops(places, frames), torch.tensor([self.labels[index] for index in places]))

    def decode(self, group: int) -> list[Array]:
        (nearest,) = self.transform.nearest
        pixels, size = read_reduced(self.pictures[group], None if nearest else self.transform.target)
        return [decoded(self.transform.fit(pixels, nearest=nearest, size=size), self.channels, self.deep)]

    def shapes(self, group: int) -> list[tuple[int, int, int]]:
        header = probe(self.pictures[group])
        return [(self.channels, *self.transform.target((header.height, header.width)))]

    def files(self, group: int) -> tuple[Path, ...]:
        return (self.pictures[group],)

    @property
    def groups(self) -> int:
        return len(self.pictures)

    @property
    def transforms(self) -> tuple[Transform, ...]:
        return (self.transform,)

    @property
    def identity(self) -> tuple[Any, ...]:
        return "pictures", self.channels, self.transform.nearest

    @property
    def counted(self) -> str:
        return f"{len(self.pictures)} pictures"
