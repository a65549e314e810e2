"""How many pictures a second training is fed with, without a network behind it."""

import itertools
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from i2i.benchmark.spread import Spread
from i2i.benchmark.timing import calls_in, synchronize
from i2i.benchmark.train import READY_BATCHES, REPEAT_S
from i2i.data.feeding import Feeding, feed
from i2i.data.opening import open_dataset
from i2i.data.sampler import EpochSampler
from i2i.data.settings import Cache
from i2i.engine.device import choose_device
from i2i.experiment import Experiment


@dataclass(frozen=True, kw_only=True)
class LoadFigures:
    """The loader's rate. Of pairs and of two domains, one item is two pictures."""

    data: str
    size: str
    batch_size: int
    cache: Cache
    items: int
    """Items of the training set."""
    opening_s: float
    """Seconds until the folder was read through."""
    keeping_s: float
    """Seconds from there until pictures were kept decoded, where they are."""
    first_batch_s: float
    """Seconds from there to the first batch."""
    items_per_second: Spread
    notes: tuple[str, ...]
    """What was decided, in words."""


def measure_loading(
    experiment: Experiment,
    data: Path,
    *,
    device: str = "auto",
    workers: int | Literal["auto"] = "auto",
    cache: Cache = "auto",
    batches: int | None = None,
    repeats: int = 5,
) -> LoadFigures:
    """Read batches as training would, with its geometry; `batches` a repeat, or as many as fill REPEAT_S.

    What a run would keep on disk is kept in a folder that goes. Raises UserError.
    """
    settings, where = experiment.training, choose_device(device)
    started = time.perf_counter()
    opened = open_dataset(experiment.needs, data, experiment.data, seed=settings.seed)
    opening = time.perf_counter() - started
    sampler = EpochSampler(opened.counts["train"], settings.batch, settings.seed)
    notes: list[str] = []
    passes = settings.steps * settings.accumulate / sampler.batches_per_epoch if settings.steps else settings.epochs
    with tempfile.TemporaryDirectory(prefix="i2i-benchmark-", ignore_cleanup_errors=True) as folder:
        started = time.perf_counter()
        how = Feeding(workers=workers, cache=cache, cache_dir=Path(folder))
        source = iter(feed(opened.train, sampler, how, device=where, passes=passes, note=notes.append))
        keeping = time.perf_counter() - started
        started = time.perf_counter()
        next(source)
        first = time.perf_counter() - started

        def read(count: int) -> float:
            synchronize(where)
            began = time.perf_counter()
            items = sum(len(batch[0]) for batch in itertools.islice(source, count))
            synchronize(where)
            return items / (time.perf_counter() - began)

        read(READY_BATCHES)
        each = batches or calls_in(REPEAT_S, sampler.batch_size / read(READY_BATCHES))
        rates = Spread.of(read(each) for _ in range(repeats))
    return LoadFigures(
        data=str(data),
        size=experiment.data.size,
        batch_size=sampler.batch_size,
        cache=cache,
        items=opened.counts["train"],
        opening_s=opening,
        keeping_s=keeping,
        first_batch_s=first,
        items_per_second=rates,
        notes=tuple(notes),
    )
