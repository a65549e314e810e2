"""One picture on its way: read, translated, written."""

import dataclasses
import time
from pathlib import Path
from typing import Any

import numpy as np

from i2i import images
from i2i.conversion.plan import Half
from i2i.errors import PictureError
from i2i.images import Picture, shown

Array = np.ndarray[Any, Any]


@dataclasses.dataclass(slots=True)
class Job:
    """One picture on its way: read, translated, written."""

    source: Path
    target: Path
    picture: Picture | None = None
    result: Array | None = None
    error: str = ""
    seconds: float = 0.0


def read(job: Job, half: Half | None) -> Job:
    started = time.perf_counter()
    try:
        job.picture = images.read_picture(job.source)
        if half in ("A", "B"):
            job.picture = _cut(job.picture, half, job.source)
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


def write(job: Job, quality: int) -> Job:
    if job.picture is None or job.result is None:
        return job
    started = time.perf_counter()
    kept = job.picture
    try:
        job.target.parent.mkdir(parents=True, exist_ok=True)
        images.write(
            job.target,
            job.result,
            alpha=kept.alpha,
            quality=quality,
            icc=kept.icc,
            exif=kept.exif,
            dpi=kept.dpi,
        )
    except (PictureError, OSError) as error:
        job.error = _reason(error, job.source)
    job.seconds += time.perf_counter() - started
    return job


def _reason(error: Exception, source: Path) -> str:
    return str(error).removeprefix(f"{shown(source)}: ")
