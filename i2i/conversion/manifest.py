"""What became of each file, as lines of JSON."""

import dataclasses
import errno
import hashlib
import json
import os
from pathlib import Path
from typing import BinaryIO

from i2i.conversion.job import Job
from i2i.errors import DatasetError
from i2i.images import shown


@dataclasses.dataclass(frozen=True, slots=True)
class Record:
    """A line of the manifest."""

    input: str
    output: str | None
    """None where there is no result."""
    size: list[int] | None
    """[width, height] in pixels, where the file was read."""
    bytes: int | None
    """Of the output file."""
    checksum: str | None
    """SHA-256 of the output file, in hexadecimal."""
    seconds: float
    """That the picture was worked on, in all threads; of a batch its share."""
    skipped: bool
    """A result was there already; it was not looked into."""
    lost: list[str]
    """What the output's format cannot hold of the input: "16 bits", "alpha", "colour profile", "EXIF", "XMP"..."""
    error: str | None

    @classmethod
    def of(cls, job: Job) -> "Record":
        return cls(
            input=str(job.source),
            output=None if job.error else str(job.target),
            size=list(job.size) if job.size is not None else None,
            bytes=job.bytes,
            checksum=job.checksum,
            seconds=round(job.seconds, 4),
            skipped=job.skipped,
            lost=list(job.lost),
            error=job.error or None,
        )


def open_lines(path: Path) -> BinaryIO:
    """A manifest to add lines to, behind those it has. Raises DatasetError."""
    try:
        with path.open("ab+") as file:
            if file.tell():
                file.seek(-1, os.SEEK_END)
                if file.read(1) != b"\n":  # the last line of a killed process is not whole
                    file.write(b"\n")
        # Without a buffer, so that a line that found no room is not tried again when the file is closed.
        return path.open("ab", buffering=0)
    except OSError as error:
        reason = error.strerror or str(error)
        raise DatasetError(f"{shown(path)}: cannot be written ({reason}). Give another --manifest.") from None


def add_line(lines: BinaryIO, record: Record) -> None:
    """Add a line, as soon as its file is done. Raises OSError."""
    # A file name that is no text is written as its escape, which JSON knows.
    text = json.dumps(dataclasses.asdict(record), ensure_ascii=False) + "\n"
    data = text.encode("utf-8", "backslashreplace")
    # In one call, so that several processes may add to one file on a local disk.
    if lines.write(data) != len(data):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def add_checksum(job: Job) -> None:
    """Read a result back, and note its length and its SHA-256. Raises OSError."""
    with job.target.open("rb") as file:
        job.checksum = hashlib.file_digest(file, "sha256").hexdigest()
        job.bytes = file.tell()
