"""The order of training: an endless stream of batches, a function of the seed, that can start anywhere."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch.utils.data import Sampler

from i2i.data.transforms import generator


class EpochSampler(Sampler[list[tuple[int, int]]]):
    """Batches of (epoch, index) keys, shuffled anew every epoch, without end.

    With several processes (`world`) each gets its part (`rank`) of every batch of world * batch_size: together they
    see what one process with such a batch would. The incomplete batch at the end of an epoch is left out; which
    pictures that meets changes with the epoch. A set smaller than one batch is one batch an epoch, of which every
    process gets the same number, some pictures twice if need be.

    With `labels` every class is drawn equally often, which in an epoch as long as before leaves out some pictures of
    large classes, others each time, and draws those of small ones more than once.

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
        labels: Sequence[int] | NDArray[np.int64] | None = None,
    ) -> None:
        """`start_batch` counts from `start_epoch` and may reach beyond it; `labels` are those of all pictures."""
        if length < 1 or batch_size < 1 or not 0 <= rank < world:
            raise ValueError(f"no batches of {batch_size} from {length} pictures for process {rank} of {world}")
        if labels is not None and len(labels) != length:
            raise ValueError(f"{len(labels)} labels of {length} pictures")
        self._classes = _by_class(np.asarray(labels)) if labels is not None else None
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
            order = self._order(epoch)
            whole = np.resize(order, self.batches_per_epoch * self.world * self.batch_size)
            batches = whole.reshape(-1, self.world, self.batch_size)
            for batch in batches[first:, self.rank]:
                yield [(epoch, int(index)) for index in batch]
            epoch, first = epoch + 1, 0

    def _order(self, epoch: int) -> NDArray[np.integer[Any]]:
        """The pictures of an epoch, as many as there are."""
        draw = generator((self.seed, epoch))
        if self._classes is None:
            return draw.permutation(self.length)
        share, more = divmod(self.length, len(self._classes))
        # What does not divide evenly goes to other classes in every epoch.
        counts = share + (draw.permutation(len(self._classes)) < more)
        parts = [_drawn(draw, part, int(count)) for part, count in zip(self._classes, counts, strict=True)]
        return draw.permutation(np.concatenate(parts))


def _by_class(labels: NDArray[np.integer[Any]]) -> list[NDArray[np.integer[Any]]]:
    """Indices of the pictures of each class that has any."""
    return [np.flatnonzero(labels == label) for label in np.unique(labels)]


def _drawn(draw: np.random.Generator, part: NDArray[np.integer[Any]], count: int) -> NDArray[np.integer[Any]]:
    """So many of a class: none a second time before all others have been drawn as often."""
    rounds = [draw.permutation(part) for _ in range(-(-count // len(part)))]
    return np.concatenate([part[:0], *rounds])[:count]
