"""How far a conversion is, and what it did."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path


@dataclasses.dataclass(frozen=True, slots=True)
class Progress:
    """How far a conversion is."""

    done: int
    total: int
    failed: int
    pixels: int


@dataclasses.dataclass(slots=True)
class Summary:
    """What a conversion did."""

    converted: int = 0
    skipped: int = 0
    """Whose result was there already."""
    failed: int = 0
    seconds: float = 0.0
    failures: list[tuple[Path, str]] = dataclasses.field(default_factory=list)
    planned: Sequence[tuple[Path, Path]] = ()
    """Every (input, output) that was to be converted, without those skipped at the start."""
    pixels: int = 0
    """Of the pictures that were read."""
    left: int = 0
    """Not converted, since it was stopped before."""
    ended: str = ""
    """Why it ended before its end: it was asked to, or nothing more could be written."""
    ignored: int = 0
    """Names of a list that were no picture's."""
