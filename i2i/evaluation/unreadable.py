"""Pictures that cannot be read: left out of every row alike, and named."""

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from i2i.errors import DatasetError, PictureError

T = TypeVar("T")


def readable(items: Iterable[T], read: Callable[[T], Any]) -> tuple[list[T], list[str]]:
    """Those that can be read, and in a line each why the others cannot.

    Every one is decoded once more for it, before the first is translated: all rows are means over the same pictures.
    """
    kept: list[T] = []
    reasons: list[str] = []
    for item in items:
        try:
            read(item)
        except (PictureError, DatasetError) as error:
            reasons.append(str(error))
        else:
            kept.append(item)
    return kept, reasons


def noted(reasons: Iterable[str]) -> list[str]:
    """What a table says of them."""
    return [f"left out: {reason}" for reason in reasons]
