"""One folder of pictures as pairs: each picture is a target, and a task makes its source."""

from abc import abstractmethod
from collections.abc import Sequence

from torch.utils.data import default_collate

from i2i.batches import Pairs
from i2i.data.crops import Key
from i2i.data.made import OfPictures
from i2i.data.tasks.settings import Inpaint
from i2i.data.tasks.sources import make_source
from i2i.data.tensors import Index, as_tensor, epoch_and_index
from i2i.data.training_set import Crops
from i2i.images.pixels import Array


class MadePairs(OfPictures[Pairs]):
    """Pictures that become pairs when they are asked for: each is a target.

    An item is Pairs of (C, H, W) tensors: uint8, or float32 in [-1, 1] where the set is `deep` (16 bits).
    """

    def __getitem__(self, index: Index) -> Pairs:
        epoch, index = epoch_and_index(index)
        source, target = self.made((self.seed, epoch, index))
        return Pairs(as_tensor(source), as_tensor(target))

    @abstractmethod
    def made(self, key: Key) -> tuple[Array, Array]:
        """Source and target, (H, W, C) each, of (seed, epoch, index). All draws are a function of that."""

    def gather(self, keys: Sequence[tuple[int, int]], crops: Crops) -> Pairs:
        return default_collate([self[key] for key in keys])

    @property
    def only_crops(self) -> bool:
        return False  # a source is made of each crop


class TaskFolder(MadePairs):
    """Each picture with the source that `settings.task` makes of its crop."""

    def __len__(self) -> int:
        return self.groups

    def made(self, key: Key) -> tuple[Array, Array]:
        group, pictures = self.readable(key[-1], key)
        (target,) = self.pictures.transform(key, pictures, self.files(group)[0])
        task = self.settings.task
        source = make_source(task, target, key, train=self.train)
        if isinstance(task, Inpaint) and not task.mask:
            source = source[:, :, 1:]
        return source, target
