"""Importing torch takes most of a short command's time."""

import atexit
import gc
import sys
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


@atexit.register
def _let_go() -> None:
    """Have what was imported taken apart where triton is in it, which complains on stderr otherwise; half a second."""
    if "triton" in sys.modules:
        gc.unfreeze()
