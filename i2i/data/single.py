"""One folder of pictures, with the index of the class folder each lies in."""

from collections.abc import Sequence
from pathlib import Path

import torch
from torch.utils.data import Dataset

from i2i.batches import Labelled
from i2i.data.settings import DataSettings
from i2i.data.tensors import Index, as_tensor, decoded, epoch_and_index
from i2i.data.transforms import Transform
from i2i.images import read


class PictureFolder(Dataset[Labelled]):
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
        self.seed = seed
        self.channels = channels
        self.deep = deep
        nearest = settings.labels in ("target", "both")
        self.transform = Transform(settings, train=train, nearest=[nearest], photometry=False)

    def __len__(self) -> int:
        return len(self.pictures)

    def __getitem__(self, index: Index) -> Labelled:
        epoch, index = epoch_and_index(index)
        path = self.pictures[index]
        fitted = decoded(self.transform.fit(read(path), nearest=self.transform.nearest[0]), self.channels, self.deep)
        image = as_tensor(self.transform((self.seed, epoch, index), [fitted], path)[0])
        return Labelled(image, torch.tensor(self.labels[index]))
