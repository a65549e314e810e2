"""One picture on its way: read, translated, written."""

import dataclasses
import time
from pathlib import Path
from typing import Any

import numpy as np

from i2i import images
from i2i.conversion.plan import Half
from i2i.conversion.source import NO_TASK, Source
from i2i.errors import PictureError
from i2i.images import Picture, Quality, Subsampling, shown

Array = np.ndarray[Any, Any]


@dataclasses.dataclass(slots=True)
class Job:
    """One picture on its way: read, translated, written."""

    source: Path
    target: Path
    picture: Picture | None = None
    small: Array | None = None
    """The picture as the network sees it."""
    result: Array | None = None
    error: str = ""
    lost: tuple[str, ...] = ()
    """What the result's format cannot hold of the source: alpha, 16 bits, EXIF."""
    code: int | None = None
    """The system's number of an error of writing, such as errno.ENOSPC."""
    written: bool = False
    skipped: bool = False
    """A result was there already."""
    size: tuple[int, int] | None = None
    """(width, height), kept when the pixels are gone."""
    bytes: int | None = None
    """Of the result's file, as is its checksum, where they are wanted."""
    checksum: str | None = None
    seconds: float = 0.0
    """That this picture was worked on, in all threads; of a batch its share."""


def read(job: Job, half: Half | None, source: Source = NO_TASK) -> Job:
    """`source` gathers what a task takes, where that is not the picture alone."""
    started = time.perf_counter()

    def one(path: Path) -> Picture:
        picture = images.read_picture(path)
        return _cut(picture, half, path) if half in ("A", "B") else picture

    try:
        job.picture = source(job.source, one)
    except PictureError as error:
        job.error = _reason(error, job.source)
    job.seconds += time.perf_counter() - started
    return job


def _cut(picture: Picture, half: str, source: Path) -> Picture:
    width = picture.pixels.shape[1]
    if width % 2:
        raise PictureError(f"{shown(source)}: is {width} pixels wide, which cannot be halved into a pair")
    where = slice(None, width // 2) if half == "A" else slice(width // 2, None)
    alpha = picture.alpha[:, where] if picture.alpha is not None else None
    return dataclasses.replace(picture, pixels=np.ascontiguousarray(picture.pixels[:, where]), alpha=alpha)


def write(job: Job, quality: Quality = "keep", subsampling: Subsampling = "keep") -> Job:
    if job.picture is None or job.result is None:
        return job
    started = time.perf_counter()
    kept = job.picture
    try:
        job.target.parent.mkdir(parents=True, exist_ok=True)
        job.lost = images.write(
            job.target,
            job.result,
            alpha=kept.alpha,
            quality=quality,
            subsampling=subsampling,
            like=kept.coding,
            icc=kept.icc,
            exif=kept.exif,
            xmp=kept.xmp,
            dpi=kept.dpi,
        )
    except (PictureError, OSError) as error:
        job.error = _reason(error, job.source)
        cause = error if isinstance(error, OSError) else error.__cause__
        job.code = cause.errno if isinstance(cause, OSError) else None
    job.seconds += time.perf_counter() - started
    return job


def _reason(error: Exception, source: Path) -> str:
    return str(error).removeprefix(f"{shown(source)}: ")
