"""How far a conversion is, and what it did."""

import dataclasses
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
    failed: int = 0
    seconds: float = 0.0
    failures: list[tuple[Path, str]] = dataclasses.field(default_factory=list)
    planned: list[tuple[Path, Path]] = dataclasses.field(default_factory=list)
    """Every (input, output) that was to be converted."""
