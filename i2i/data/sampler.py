"""The order of training: an endless stream of batches, a function of the seed, that can start anywhere."""

from collections.abc import Iterator

import numpy as np
from torch.utils.data import Sampler

from i2i.data.transforms import generator


class EpochSampler(Sampler[list[tuple[int, int]]]):
    """Batches of (epoch, index) keys, shuffled anew every epoch, without end.

    With several processes (`world`) each gets its part (`rank`) of every batch of world * batch_size: together they
    see what one process with such a batch would. The incomplete batch at the end of an epoch is left out; which
    pictures that meets changes with the epoch. A set smaller than one batch is one batch an epoch, of which every
    process gets the same number, some pictures twice if need be.

    To resume, give the batches consumed so far, not those fetched ahead, as `start_batch`.
    """

    def __init__(
        self,
        length: int,
        batch_size: int,
        seed: int = 0,
        *,
        start_epoch: int = 0,
        start_batch: int = 0,
        rank: int = 0,
        world: int = 1,
    ) -> None:
        """`start_batch` counts from `start_epoch` and may reach beyond it."""
        if length < 1 or batch_size < 1 or not 0 <= rank < world:
            raise ValueError(f"no batches of {batch_size} from {length} pictures for process {rank} of {world}")
        self.length = length
        self.seed = seed
        self.rank = rank
        self.world = world
        self.batch_size = min(batch_size, -(-length // world))
        self.start(start_batch, start_epoch)

    def start(self, batch: int, epoch: int = 0) -> None:
        """Where the next iterator begins: at a batch, counted from the start of an epoch, perhaps beyond its end."""
        epochs, self.start_batch = divmod(batch, self.batches_per_epoch)
        self.start_epoch = epoch + epochs

    @property
    def batches_per_epoch(self) -> int:
        """Batches of each process in an epoch; at least 1."""
        return max(1, self.length // (self.batch_size * self.world))

    def __iter__(self) -> Iterator[list[tuple[int, int]]]:
        epoch, first = self.start_epoch, self.start_batch
        while True:
            order = generator((self.seed, epoch)).permutation(self.length)
            whole = np.resize(order, self.batches_per_epoch * self.world * self.batch_size)
            batches = whole.reshape(-1, self.world, self.batch_size)
            for batch in batches[first:, self.rank]:
                yield [(epoch, int(index)) for index in batch]
            epoch, first = epoch + 1, 0
