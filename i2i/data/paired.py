"""Aligned pairs for training: one crop and one flip drawn for both."""

from collections.abc import Sequence

from torch.utils.data import Dataset

from i2i.batches import Pairs
from i2i.data.folders import Pair
from i2i.data.settings import DataSettings
from i2i.data.tensors import Index, as_tensor, decoded, epoch_and_index
from i2i.data.transforms import Transform
from i2i.errors import DatasetError
from i2i.images import read, shown
from i2i.images.pixels import Array


def read_pair(pair: Pair) -> tuple[Array, Array]:
    """Decode a pair: A and B, of the same height and width. Raises DatasetError and PictureError."""
    a = read(pair.a)
    if pair.b is None:
        height, width = a.shape[:2]
        if width % 2:
            raise DatasetError(
                f"{shown(pair.a)}: is {width} x {height}, but a pair side by side is 2W x H, A left and B right. "
                "Crop it to an even width or remove it."
            )
        return a[:, : width // 2], a[:, width // 2 :]
    b = read(pair.b)
    if a.shape[:2] != b.shape[:2]:
        raise DatasetError(
            f"{shown(pair.a)} is {a.shape[1]} x {a.shape[0]} and {shown(pair.b)} is {b.shape[1]} x {b.shape[0]}, but "
            "the pictures of a pair have the same size. Make them equal or remove the pair."
        )
    return a, b


class PairedFolder(Dataset[Pairs]):
    """Pairs as training wants them: resized, augmented together, cropped.

    An item is Pairs of (C, H, W) tensors: uint8, or float32 in [-1, 1] where the set is `deep` (16 bits). Keys are
    (epoch, index); a plain index is of epoch 0.
    """

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
        self.nearest = settings.labels in ("source", "both"), settings.labels in ("target", "both")
        self.transform = Transform(settings, train=train, nearest=self.nearest, photometry=True)

    def __len__(self) -> int:
        return len(self.pairs)

    def __getitem__(self, index: Index) -> Pairs:
        epoch, index = epoch_and_index(index)
        pair = self.pairs[index]
        sides = read_pair(pair)
        if self.settings.direction == "BtoA":
            sides = sides[::-1]
        fitted = [
            decoded(self.transform.fit(side, nearest=nearest), channels, self.deep)
            for side, channels, nearest in zip(sides, self.channels, self.nearest, strict=True)
        ]
        source, target = self.transform((self.seed, epoch, index), fitted, pair.a)
        return Pairs(as_tensor(source), as_tensor(target))
