"""The C library's heap, told to keep what a step frees: the next step asks for the same again."""

import ctypes
import sys

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # malloc.h


def keep_freed_memory() -> bool:
    """Let glibc hold on to freed memory instead of handing it back to the system; True where that could be said.

    By default pages are given back and taken again, zeroed, in every step: in a virtual machine some 1500 faults of
    5 microseconds each in a step of 50 ms.
    """
    if not sys.platform.startswith("linux"):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # musl has none
    return mallopt is not None and bool(mallopt(_MMAP_THRESHOLD, 32 << 20) and mallopt(_TRIM_THRESHOLD, 2**31 - 1))
