"""How many pictures a second the loader alone brings, without a network behind it."""

import itertools
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from i2i.benchmark.spread import Spread
from i2i.benchmark.timing import calls_in
from i2i.benchmark.train import READY_BATCHES, REPEAT_S
from i2i.data.loading import make_loader
from i2i.data.opening import open_dataset
from i2i.data.sampler import EpochSampler
from i2i.experiment import Experiment


@dataclass(frozen=True, kw_only=True)
class LoadFigures:
    """The loader's rate. Of pairs and of two domains, one item is two pictures."""

    data: str
    size: str
    batch_size: int
    workers: int
    items: int
    """Items of the training set."""
    opening_s: float
    """Seconds until the folder was read through."""
    first_batch_s: float
    """Seconds from there to the first batch."""
    items_per_second: Spread


def measure_loading(
    experiment: Experiment,
    data: Path,
    *,
    workers: int | Literal["auto"] = "auto",
    batches: int | None = None,
    repeats: int = 5,
) -> LoadFigures:
    """Read batches as training would, with its geometry; `batches` a repeat, or as many as fill REPEAT_S.

    Raises DatasetError.
    """
    settings = experiment.training
    started = time.perf_counter()
    opened = open_dataset(experiment.needs, data, experiment.data, seed=settings.seed)
    opening = time.perf_counter() - started
    processes = default_workers() if workers == "auto" else workers
    sampler = EpochSampler(opened.counts["train"], settings.batch_size, settings.seed)
    started = time.perf_counter()
    source = iter(make_loader(opened.train, sampler, processes))
    next(source)
    first = time.perf_counter() - started

    def read(count: int) -> float:
        began = time.perf_counter()
        items = sum(len(batch[0]) for batch in itertools.islice(source, count))
        return items / (time.perf_counter() - began)

    read(READY_BATCHES)
    each = batches or calls_in(REPEAT_S, sampler.batch_size / read(READY_BATCHES))
    return LoadFigures(
        data=str(data),
        size=experiment.data.size,
        batch_size=sampler.batch_size,
        workers=processes,
        items=opened.counts["train"],
        opening_s=opening,
        first_batch_s=first,
        items_per_second=Spread.of(read(each) for _ in range(repeats)),
    )


def default_workers() -> int:
    """Loader processes that training takes where nothing is said."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(8, cores - 1))
