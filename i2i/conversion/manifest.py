"""What became of each file, as lines of JSON."""

import json
from pathlib import Path
from typing import TextIO

from i2i.conversion.job import Job
from i2i.errors import DatasetError
from i2i.images import shown


def open_lines(path: Path) -> TextIO:
    try:
        # A file name that is no text is written as its escape, which JSON knows.
        return Path(path).open("a", encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        raise DatasetError(f"{shown(path)}: cannot be written ({error.strerror}). Give another --manifest.") from None


def add_line(lines: TextIO, job: Job) -> None:
    size = [job.picture.pixels.shape[1], job.picture.pixels.shape[0]] if job.picture is not None else None
    record = {
        "input": str(job.source),
        "output": None if job.error else str(job.target),
        "size": size,
        "seconds": round(job.seconds, 4),
        "error": job.error or None,
    }
    lines.write(json.dumps(record, ensure_ascii=False) + "\n")
    lines.flush()
