"""Two domains without pairs: every picture of the larger one once an epoch, with a random one of the other."""

from collections.abc import Sequence
from pathlib import Path

from torch import Tensor
from torch.utils.data import Dataset

from i2i.batches import Domains
from i2i.data.settings import DataSettings
from i2i.data.tensors import Index, as_tensor, decoded, epoch_and_index
from i2i.data.transforms import Transform, generator
from i2i.images import read


class UnpairedFolder(Dataset[Domains]):
    """Pictures of two domains, each resized, augmented and cropped for itself; domain x is the 'source' of settings.

    An item is Domains of (C, H, W) tensors: uint8, or float32 in [-1, 1] where the set is `deep` (16 bits). Keys are
    (epoch, index); a plain index is of epoch 0. In validation the smaller domain is gone through in order, so that an
    index is always the same two pictures.
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
        self.seed = seed
        self.channels = channels
        self.deep = deep
        self.train = train
        nearest = settings.labels in ("source", "both"), settings.labels in ("target", "both")
        self.transforms = tuple(
            Transform(settings, train=train, nearest=[label], photometry=side == 0)
            for side, label in enumerate(nearest)
        )

    def __len__(self) -> int:
        return max(map(len, self.domains))

    def __getitem__(self, index: Index) -> Domains:
        epoch, index = epoch_and_index(index)
        return Domains(self._picture(0, epoch, index), self._picture(1, epoch, index))

    def _picture(self, side: int, epoch: int, index: int) -> Tensor:
        paths, transform = self.domains[side], self.transforms[side]
        key = self.seed, epoch, index, side + 1
        if len(paths) == len(self) and (side == 0 or len(self.domains[0]) != len(self)):
            path = paths[index]
        elif self.train:
            path = paths[int(generator((*key, 1)).integers(len(paths)))]
        else:
            path = paths[index % len(paths)]
        fitted = decoded(transform.fit(read(path), nearest=transform.nearest[0]), self.channels[side], self.deep)
        return as_tensor(transform(key, [fitted], path)[0])
