"""Training sets whose items are made of one folder's pictures, beside more than pixels."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

from i2i.data.settings import DataSettings
from i2i.data.single import PictureFolder
from i2i.data.training_set import TrainingSet
from i2i.data.transforms import Transform
from i2i.images.pixels import Array

Batch = TypeVar("Batch", covariant=True)


class OfPictures(TrainingSet[Batch]):
    """Pictures decoded, kept and cropped as those of one folder are, in `pictures`, which become items when asked for.

    Keys are (epoch, index); a plain index is of epoch 0.
    """

    def __init__(
        self,
        pictures: Sequence[Path],
        settings: DataSettings,
        seed: int = 0,
        *,
        channels: int = 3,
        deep: bool = False,
        train: bool = True,
    ) -> None:
        """`channels` are the pictures'."""
        self.settings = settings
        self.seed = seed
        self.deep = deep
        self.train = train
        self.failed = {}
        # No picture is asked for its label.
        self.pictures = PictureFolder(pictures, (), settings, seed, channels=channels, deep=deep, train=train)

    def decode(self, group: int) -> list[Array]:
        return self.pictures.decode(group)

    def shapes(self, group: int) -> list[tuple[int, int, int]]:
        return self.pictures.shapes(group)

    def files(self, group: int) -> tuple[Path, ...]:
        return self.pictures.files(group)

    @property
    def groups(self) -> int:
        return self.pictures.groups

    @property
    def transforms(self) -> tuple[Transform, ...]:
        return self.pictures.transforms

    @property
    def identity(self) -> tuple[Any, ...]:
        return self.pictures.identity

    @property
    def counted(self) -> str:
        return self.pictures.counted
