"""Reading, translating and writing at the same time, a bounded number of pictures in flight."""

import itertools
import os
import time
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Literal

from i2i.conversion.job import Job, read
from i2i.conversion.plan import Half
from i2i.errors import PictureError
from i2i.translator import Translator

"""Pictures shown in a report."""
GROUP_PIXELS = 64_000_000
"""Pixels translated in one go, so that memory stays flat for large pictures too."""


def ahead(
    pool: ThreadPoolExecutor, jobs: Iterator[Job], half: Half | None, window: int, threads: int
) -> Iterator[list[Job]]:
    """Groups of decoded jobs, bounded in number and in pixels; what follows is decoded while one is translated."""
    coming = deque(pool.submit(read, job, half) for job in itertools.islice(jobs, min(window, 2 * threads)))
    group: list[Job] = []
    pixels = 0
    while coming:
        job = coming.popleft().result()
        coming.extend(pool.submit(read, job, half) for job in itertools.islice(jobs, 1))
        group.append(job)
        pixels += job.picture.pixels.shape[0] * job.picture.pixels.shape[1] if job.picture is not None else 0
        if len(group) >= window or pixels >= GROUP_PIXELS:
            yield group
            group, pixels = [], 0
    if group:
        yield group


def translate_group(translator: Translator, group: Sequence[Job]) -> None:
    """Translate what of a group was read. A picture too large for the memory is named, and the others go on."""
    started = time.perf_counter()
    readable = [job for job in group if job.picture is not None]
    try:
        _translate_together(translator, readable)
    except PictureError:
        for job in readable:
            try:
                _translate_together(translator, [job])
            except PictureError as error:
                job.error, job.picture = str(error), None
    share = (time.perf_counter() - started) / max(1, len(readable))
    for job in readable:
        job.seconds += share


def _translate_together(translator: Translator, jobs: Sequence[Job]) -> None:
    results = translator.arrays([job.picture.pixels for job in jobs if job.picture is not None])
    for job, result in zip(jobs, results, strict=True):
        job.result = result


def threads(workers: int | Literal["auto"]) -> int:
    return max(1, workers if workers != "auto" else min(8, os.cpu_count() or 1))
