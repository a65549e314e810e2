"""Importing torch takes most of a short command's time."""

import atexit
import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def importing() -> Iterator[None]:
    """Look for no garbage among what is imported, then or while the command runs: a tenth of a short one's time."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


# What is frozen at the end is not taken apart, and extensions built with nanobind (triton) complain on stderr.
atexit.register(gc.unfreeze)
