"""One process a run folder: the second is refused, and the lock of one that died is gone with it."""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from i2i.errors import TrainingError

NAME = "training.lock"
_HELD: set[int] = set()
"""Files whose locks this process holds. A worker that is forked gives them back: it may outlive a trainer that dies."""


@contextmanager
def alone(run: Path) -> Iterator[None]:
    """Be the only process that trains in a folder that is there; reading it stays open to all.

    The lock is the operating system's: it ends with the process, however that ends. Where a file system has none,
    nothing is refused. Raises TrainingError.
    """
    path = run / NAME
    try:
        handle = _locked(path)
    except OSError as error:
        raise TrainingError(f"{run}: cannot be written to ({error.strerror}). Choose another with --out.") from None
    if handle is None:
        raise TrainingError(
            f"{run}: another process is training it{_holder(path)}. Wait until it is done or stop it, or choose "
            f"another folder with --out."
        )
    _HELD.add(handle)
    try:
        with suppress(OSError):  # a full disk; who it is, is only told for convenience
            os.ftruncate(handle, 0)
            # Behind the byte that Windows locks, which nobody else could read there.
            os.lseek(handle, 1, os.SEEK_SET)
            os.write(handle, f"process {os.getpid()} on {socket.gethostname()}".encode())
        yield
    finally:
        if handle in _HELD:  # not in a process that was forked within
            if os.name == "posix":
                path.unlink(missing_ok=True)
            _HELD.discard(handle)
            os.close(handle)
            if os.name != "posix":
                with suppress(OSError):  # somebody else may have opened it by now
                    path.unlink()


def _locked(path: Path) -> int | None:
    """The file, opened and locked; None where another process has it. Raises OSError where it cannot be opened."""
    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        kept = False
        try:
            if not _take(handle):
                return None
            # The one before takes its file away: a lock on a file that is gone would not be seen by the next.
            with suppress(FileNotFoundError):
                kept = os.name != "posix" or path.stat().st_ino == os.fstat(handle).st_ino
            if kept:
                return handle
        finally:
            if not kept:
                os.close(handle)


def _take(handle: int) -> bool:
    """Lock the file for this process; False where another one has it."""
    try:
        import fcntl
    except ImportError:
        return _take_on_windows(handle)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a network's file system without locks
        return True
    return True


def _take_on_windows(handle: int) -> bool:
    import msvcrt

    try:
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)  # pyright: ignore[reportAttributeAccessIssue]
    except OSError:
        return False
    return True


def _holder(path: Path) -> str:
    """Who has the lock, in brackets, as far as it says."""
    with suppress(OSError), path.open("rb") as file:
        file.seek(1)
        said = file.read(300).decode("utf-8", "replace")
        return f" ({said})" if said else ""
    return ""


def _give_back() -> None:
    for handle in _HELD:
        with suppress(OSError):
            os.close(handle)
    _HELD.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_give_back)
