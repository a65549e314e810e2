"""Reading, translating and writing at the same time, a bounded number of pictures in flight."""

import dataclasses
import functools
import os
import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Literal

from i2i import images
from i2i.conversion import job as stages
from i2i.conversion.job import Job
from i2i.conversion.plan import Half
from i2i.conversion.source import Source
from i2i.errors import PictureError
from i2i.images import Picture
from i2i.translator import Translator
from i2i.translator.tasks import shown

HELD_PIXELS = 64_000_000
"""Pixels read and waiting for the network, and as many behind it; so memory stays flat for large pictures too."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Pipeline:
    """Threads that read, one that translates, threads that write; each waits only for what it needs.

    Threads, since all that takes time lets other threads run: Pillow, OpenCV and zlib while they decode and encode,
    torch while it computes. Processes would have to hand every picture over.
    """

    translator: Translator
    workers: int
    """Threads that read, and as many that write."""
    half: Half | None = None
    open: Callable[[Job], bool] = lambda _: True
    """Whether a job is to be read at all; called in a thread that reads."""
    write: Callable[[Job], Job]
    """What becomes of a job that has a result; called in a thread that writes."""

    @functools.cached_property
    def _source(self) -> Source:
        return Source(self.translator.card.task)

    @property
    def read_ahead(self) -> int:
        """Pictures read, or being read, while a batch is translated: the next batch and one for every thread."""
        return self.translator.batch_size + 2 * self.workers

    @property
    def window(self) -> int:
        """Pictures that wait for others of their size, to go through the network together."""
        return 4 * self.translator.batch_size

    @property
    def behind(self) -> int:
        """Pictures translated and not yet written."""
        return 2 * self.translator.batch_size + 2 * self.workers

    def run(self, jobs: Iterable[Job], stop: threading.Event | None = None) -> Generator[Job, None, None]:
        """Each job as it is done, without its pixels; in the order in which they are, which is not quite theirs.

        Once `stop` is set nothing more is read; what the network has done, or is at, is written. Leaving the iteration
        early does the same. Pictures go through the network in batches that only their order and sizes decide, so
        that results do not depend on which thread was the quickest.
        """
        stop = stop or threading.Event()
        done: _Done = queue.SimpleQueue()
        # The network has a thread of its own, so that this one can be told to stop while a large picture is computed.
        with ThreadPoolExecutor(1, "translate") as thread:
            work = thread.submit(self._work, iter(jobs), stop, done)
            work.add_done_callback(lambda _: done.put(None))
            try:
                while (written := done.get()) is not None:
                    yield written.result()
                work.result()
            finally:
                stop.set()

    def _work(self, jobs: Iterator[Job], stop: threading.Event, done: "_Done") -> None:
        room = _Room(self.behind, HELD_PIXELS)
        readers, writers = ThreadPoolExecutor(self.workers, "read"), ThreadPoolExecutor(self.workers, "write")
        try:
            for batch in self._batches(self._ahead(readers, jobs, stop), done):
                if stop.is_set():
                    break
                self._translate(batch)
                for job in batch:
                    pixels = _pixels(job)
                    room.enter(pixels)
                    writers.submit(self._write, job, pixels, room).add_done_callback(done.put)
        finally:
            readers.shutdown(cancel_futures=True)
            writers.shutdown()

    def _write(self, job: Job, pixels: int, room: "_Room") -> Job:
        try:
            finish(self.translator, job)
            return self.write(job)
        finally:
            job.picture = job.small = job.result = None
            room.leave(pixels)

    def _ahead(self, pool: ThreadPoolExecutor, jobs: Iterator[Job], stop: threading.Event) -> Iterator[Job]:
        """The jobs in their order, read; more of them are read meanwhile, bounded in number and in pixels."""
        coming: deque[Future[Job]] = deque()
        seen: deque[int] = deque(maxlen=64)

        def more() -> None:
            while len(coming) < self.read_ahead and not stop.is_set():
                sizes = [_pixels(one.result()) if one.done() else None for one in coming]
                unknown = sizes.count(None) + 1
                # What is being read may be as large as the largest of late; at first nothing is known.
                expected = sum(filter(None, sizes)) + unknown * max(seen, default=HELD_PIXELS // self.workers)
                if coming and expected > HELD_PIXELS:
                    return
                job = next(jobs, None)
                if job is None:
                    return
                coming.append(pool.submit(self._read, job))

        more()
        while coming:
            job = coming.popleft().result()
            seen.append(_pixels(job))
            more()
            yield job

    def _read(self, job: Job) -> Job:
        if self.open(job):
            stages.read(job, self.half, self._source)
            prepare(self.translator, job)
        return job

    def _batches(self, read: Iterator[Job], done: "_Done") -> Iterator[list[Job]]:
        """Jobs of one size, as the network sees them; those that could not be read are done."""
        waiting: dict[Any, list[Job]] = {}
        pixels = 0
        before = None
        steady = self.translator.steady
        for job in read:
            if job.small is None:
                done.put(_ended(job))
                continue
            key = job.small.shape, job.small.dtype.name
            if steady and waiting and (key not in waiting or job.source.parent != before):
                yield from waiting.values()
                waiting, pixels = {}, 0
            if steady and job.source.parent != before:
                self.translator.new_sequence()
            before = job.source.parent
            waiting.setdefault(key, []).append(job)
            pixels += _pixels(job)
            while waiting:
                full = len(waiting[key]) >= self.translator.batch_size if key in waiting else False
                if not full and sum(map(len, waiting.values())) < self.window and pixels < HELD_PIXELS:
                    break
                # Where none is full, those that have waited longest: the first key.
                batch = waiting.pop(key if full else next(iter(waiting)))
                pixels -= sum(map(_pixels, batch))
                yield batch
        yield from waiting.values()

    def _translate(self, batch: Sequence[Job]) -> None:
        started = time.perf_counter()
        translate(self.translator, batch)
        share = (time.perf_counter() - started) / len(batch)
        for job in batch:
            job.seconds += share


_Done = queue.SimpleQueue[Future[Job] | None]


def _ended(job: Job) -> Future[Job]:
    future: Future[Job] = Future()
    future.set_result(job)
    return future


class _Room:
    """Room for what is translated and not yet written."""

    def __init__(self, pictures: int, pixels: int) -> None:
        self._most, self._most_pixels = pictures, pixels
        self._pictures = self._pixels = 0
        self._changed = threading.Condition()

    def enter(self, pixels: int) -> None:
        """Wait for room; a single picture has it, whatever its size."""
        with self._changed:
            while self._pictures and (self._pictures >= self._most or self._pixels + pixels > self._most_pixels):
                self._changed.wait()
            self._pictures += 1
            self._pixels += pixels

    def leave(self, pixels: int) -> None:
        with self._changed:
            self._pictures -= 1
            self._pixels -= pixels
            self._changed.notify()


def _pixels(job: Job) -> int:
    """Those that the job holds: of the picture, and of what the network sees where that is another."""
    if job.picture is None or job.small is None:
        return 0
    whole, small = (array.shape[0] * array.shape[1] for array in (job.picture.pixels, job.small))
    return whole if job.small is job.picture.pixels else whole + small


# --------------------------------------------------------------------------------------------- steps of a single stage


def prepare(translator: Translator, job: Job) -> None:
    """Bring what was read to the network's scale; a picture too large for the memory is named."""
    if job.picture is None:
        return
    started = time.perf_counter()
    height, width = job.picture.pixels.shape[:2]
    job.size = width, height
    try:
        translator.check_room((height, width), job.picture.pixels.dtype)
        job.small = translator.prepare(job.picture.pixels)
    except PictureError as error:
        job.error, job.picture = str(error), None
    job.seconds += time.perf_counter() - started


def translate(translator: Translator, batch: Sequence[Job]) -> None:
    """Jobs of one size through the network. One too large for the memory is named, and the others go on."""
    try:
        _together(translator, batch)
    except PictureError:
        for job in batch:
            try:
                _together(translator, [job])
            except PictureError as error:
                job.error, job.picture, job.small = str(error), None, None


def _together(translator: Translator, batch: Sequence[Job]) -> None:
    results = translator.translate_together([job.small for job in batch if job.small is not None])
    for job, result in zip(batch, results, strict=True):
        job.result = result


def finish(translator: Translator, job: Job) -> None:
    """Bring the network's output to the picture's own size."""
    if job.picture is None or job.result is None or job.small is None:
        return
    started = time.perf_counter()
    job.result = translator.finish(job.result, job.small, job.picture.pixels)
    job.picture = _like(job.result, job.picture, translator)
    job.seconds += time.perf_counter() - started


def _like(result: Any, picture: Picture, translator: Translator) -> Picture:
    """The picture with an alpha of its result's size, and pixels that can be shown beside it."""
    alpha, task = picture.alpha, translator.card.task
    if alpha is not None and alpha.shape != result.shape[:2]:
        alpha = images.resize(alpha[:, :, None], result.shape[:2])[:, :, 0]
    if task.kind == "none":
        return picture
    return dataclasses.replace(picture, pixels=shown(task, picture.pixels), alpha=alpha)


def threads(workers: int | Literal["auto"]) -> int:
    """As many as asked for; otherwise one for each core this process may use, 16 at most."""
    return max(1, workers if workers != "auto" else min(16, cores()))


def cores() -> int:
    """That this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
