"""Names of inputs from somewhere else: `find`, a database, a file; and where each lies below the output."""

import os
import re
from dataclasses import dataclass
from pathlib import PurePath
from typing import BinaryIO

from i2i.data.sequences import Names
from i2i.images import is_picture


@dataclass(frozen=True, slots=True)
class Listed:
    """Names of pictures, in order, each once."""

    names: Names
    ignored: int = 0
    """Names that were no picture's, by their suffix, or hidden."""


def read_list(stream: BinaryIO) -> Listed:
    """The names in a stream, one a line, or ended by zeros as `find -print0` writes them. Raises OSError.

    They are sorted, since `find` has no order of its own and a split into shards needs one.
    """
    data = stream.read()
    given = data.split(b"\0") if b"\0" in data else [one.rstrip(b"\r") for one in data.split(b"\n")]
    # PurePath makes one name of ./a.png, a.png and .//a.png.
    names = {str(PurePath(os.fsdecode(one))) for one in given if one}
    pictures = sorted(name for name in names if is_picture(os.path.basename(name)))  # noqa: PTH119  (a million)
    return Listed(Names.of(pictures), len(names) - len(pictures))


def place(name: str) -> str:
    """Where the translation of a listed file lies below the output, whatever else is in the list.

    A relative name keeps its folders. Of an absolute one all folders are kept too, from the root down. What leads
    upwards is worked out where it can be, and left off in front: ../day/a.png lies under day/a.png.
    """
    if os.sep == "/" and not name.startswith("/") and ".." not in name:  # as nearly all of a million are
        return name
    bare = os.path.splitdrive(name)[1]
    parts = re.split(r"[/\\]+" if os.sep == "\\" else "/+", os.path.normpath(bare))
    return "/".join(part for part in parts if part not in ("", ".."))
