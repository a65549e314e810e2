"""Names of files that are being written, and which of them nobody will ever finish."""

import contextlib
import functools
import os
import re
import secrets
import socket
import time
import zlib
from pathlib import Path

_NAME = re.compile(r"\.i2i-([0-9a-f]{8})-(\d+)-[0-9a-f]{12}\.\w+")
_STALE_S = 3600.0
"""A picture is written in one go, within seconds; an hour later nobody is at it, on whichever machine."""


def name(suffix: str) -> str:
    """A name for a result that is not whole yet: hidden, of its own, and telling whose it is."""
    return f".i2i-{_machine()}-{os.getpid()}-{secrets.token_hex(6)}{suffix}"


def is_abandoned(path: Path) -> bool:
    """Whether a file has such a name, and the process that wrote it is gone (killed; the power failed).

    Of a process on another machine nothing is known, so its file is abandoned after an hour.
    """
    found = _NAME.fullmatch(path.name)
    if found is None:
        return False
    if found[1] == _machine() and int(found[2]) != os.getpid() and not _runs(int(found[2])):
        return True
    with contextlib.suppress(OSError):
        return time.time() - path.stat().st_mtime > _STALE_S
    return False


@functools.cache
def _machine() -> str:
    """This machine and its numbering of processes, of which every container has its own."""
    try:
        numbering = str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        numbering = ""
    return f"{zlib.crc32(f'{socket.gethostname()} {numbering}'.encode()):08x}"


def _runs(process: int) -> bool:
    if os.name != "posix":  # where os.kill with 0 would end it
        return True
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:  # somebody else's
        pass
    return True
