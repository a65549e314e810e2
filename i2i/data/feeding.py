"""Feed training: batches cut from pictures that are kept decoded, or decoded by worker processes."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset, default_collate

from i2i.data import machine
from i2i.data.cache import Progress, keep
from i2i.data.crops import Frames
from i2i.data.loading import make_loader
from i2i.data.sampler import EpochSampler
from i2i.data.settings import Cache
from i2i.data.store import Store
from i2i.data.training_set import Crops, Places, TrainingSet
from i2i.data.unreadable import Tell, Unreadable, merged

OF_DEVICE = 0.25
"""Share of a GPU's free memory that kept pictures may take; the rest is the networks'."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Feeding:
    """How a run is fed; of its numbers nothing depends on it."""

    workers: int | Literal["auto"] = "auto"
    cache: Cache = "auto"
    cache_dir: Path | None = None
    """None: the user's cache folder."""


def feed(
    dataset: TrainingSet[Any],
    sampler: EpochSampler,
    how: Feeding,
    *,
    device: torch.device,
    passes: float,
    note: Callable[[str], None] = lambda text: None,
    progress: Progress = lambda done, total: None,
    skipped: Tell = lambda reason: None,
) -> Iterable[Any]:
    """The batches of a run in the order of `sampler`, uint8 or in [-1, 1]; with CUDA they are on the device.

    `passes` is how often the run will go through the set, `note` is told what was decided, `progress` how far decoding
    is, `skipped` once of each picture that cannot be read, here or when its turn comes. Raises UserError where they are
    too many, or where one cannot be used.
    """
    cores = machine.cores()
    if isinstance(how.workers, int) and how.workers > cores:
        note(f"{how.workers} workers on {cores} cores: they will wait for each other; --workers auto takes fewer")
    filling = how.workers if isinstance(how.workers, int) else max(1, cores // machine.siblings())
    unreadable = Unreadable(dataset, skipped)
    for line in keep(
        dataset, how.cache, how.cache_dir, workers=filling, passes=passes, progress=progress, unreadable=unreadable
    ):
        note(line)
    cuda = device.type == "cuda"
    store = dataset.kept
    if store is not None and dataset.only_crops and _at_hand(store):
        if cuda and store.bytes <= OF_DEVICE * torch.cuda.mem_get_info(device)[0]:
            return Cut(dataset, sampler, OnDevice(store, dataset.settings.crop, device))
        batches: Iterable[Any] = Cut(dataset, sampler, OnHost(store, dataset.settings.crop, pin=cuda))
    else:
        workers = auto_workers() if how.workers == "auto" else how.workers
        if how.workers == "auto" and passes:
            work = "decode" if store is None else "augment"
            note(f"{workers} worker process{'es' if workers > 1 else ''} {work}{'' if workers > 1 else 's'} pictures")
        batches = Heard(make_loader(Sending(dataset), sampler, workers, pin=cuda, collate=sent), unreadable)
    return Moved(batches, device) if cuda else batches


def auto_workers() -> int:
    """Loader processes: one less than this process's share of the cores, at most 16 and at least 1."""
    return max(1, min(16, machine.cores() // machine.siblings() - 1))


def _at_hand(store: Store) -> bool:
    """Whether reading is not waiting for a disk: in memory, or a file that the system can keep there."""
    return store.path is None or store.bytes <= machine.free_memory()


class Sending(Dataset[tuple[Any, dict[int, str]]]):
    """Items, each with what could not be read on the way to it: so what a worker meets reaches the trainer."""

    def __init__(self, dataset: TrainingSet[Any]) -> None:
        self.dataset = dataset

    def __getitem__(self, key: tuple[int, int]) -> tuple[Any, dict[int, str]]:
        item = self.dataset[key]
        return item, self.dataset.new_failures()


def sent(items: list[tuple[Any, dict[int, str]]]) -> tuple[Any, dict[int, str]]:
    """Items to a batch, with what could not be read on the way to any of them."""
    return default_collate([item for item, _ in items]), merged(failed for _, failed in items)


class Heard:
    """Batches without what came with them: pictures that could not be read, which `unreadable` hears of."""

    def __init__(self, batches: Iterable[tuple[Any, dict[int, str]]], unreadable: Unreadable) -> None:
        self.batches, self.unreadable = batches, unreadable

    def __iter__(self) -> Iterator[Any]:
        for batch, failed in self.batches:
            self.unreadable.hear(failed)
            yield batch


class Cut:
    """Batches cut from kept pictures, without any process."""

    def __init__(self, dataset: TrainingSet[Any], sampler: EpochSampler, crops: Crops) -> None:
        self.dataset, self.sampler, self.crops = dataset, sampler, crops

    def __iter__(self) -> Iterator[Any]:
        for keys in self.sampler:
            yield self.dataset.gather(keys, self.crops)


class OnHost:
    """Crops copied out of a Store one by one; `pin` puts them where a GPU can fetch them meanwhile."""

    def __init__(self, store: Store, crop: tuple[int, int], *, pin: bool = False) -> None:
        self.store, self.crop, self.pin = store, crop, pin

    def __call__(self, places: Places, frames: Frames) -> Tensor:
        height, width = self.crop
        channels = int(self.store.shapes[places[0], 0])
        batch = torch.empty((len(places), channels, height, width), dtype=torch.uint8, pin_memory=self.pin)
        for cropped, place, top, left, mirrored in zip(
            batch.numpy(), places, frames.top.tolist(), frames.left.tolist(), frames.mirrored.tolist(), strict=True
        ):
            picture = self.store.planes(place)[:, top : top + height, left : left + width]
            np.copyto(cropped, picture[:, :, ::-1] if mirrored else picture)
        return batch


class OnDevice:
    """Crops gathered by the device from pictures that all lie there; of the host it takes a few microseconds."""

    def __init__(self, store: Store, crop: tuple[int, int], device: torch.device) -> None:
        self.store, self.crop, self.device = store, crop, device
        self.pixels = store.on(device)

    def __call__(self, places: Places, frames: Frames) -> Tensor:
        height, width = self.crop
        chosen = np.asarray(places)
        shapes = self.store.shapes[chosen]
        channels = int(shapes[0, 0])
        across = np.arange(width)
        # Where each plane, row and column of a crop lies among all pixels, to be added up there.
        planes = self.store.offsets[chosen][:, None] + (shapes[:, 1] * shapes[:, 2])[:, None] * np.arange(channels)
        rows = (frames.top[:, None] + np.arange(height)) * shapes[:, 2:]
        columns = frames.left[:, None] + np.where(frames.mirrored[:, None], across[::-1], across)
        table = torch.from_numpy(np.concatenate([planes, rows, columns], axis=1))
        if self.device.type == "cuda":
            table = table.pin_memory().to(self.device, non_blocking=True)
        plane, row, column = table.split([channels, height, width], dim=1)
        return self.pixels[(plane[:, :, None, None] + row[:, None, :, None]) + column[:, None, None, :]]


class Moved:
    """Batches on a GPU: copied on a stream of their own, while the GPU computes the round before.

    The copy is asked for when a batch is: the host is ahead of the GPU by then, and never waits here for a batch that
    is not needed yet.
    """

    def __init__(self, batches: Iterable[Any], device: torch.device) -> None:
        self.batches, self.device = batches, device

    def __iter__(self) -> Iterator[Any]:
        copying = torch.cuda.Stream(self.device)
        for batch in self.batches:
            with torch.cuda.stream(copying):
                moved = [tensor.to(self.device, non_blocking=True) for tensor in batch]
            computing = torch.cuda.current_stream(self.device)
            computing.wait_stream(copying)
            for tensor in moved:
                tensor.record_stream(computing)  # or its memory could be given to the next copy too early
            yield type(batch)(*moved)
