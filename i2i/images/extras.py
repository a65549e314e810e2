"""What a picture file holds beside its pixels."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Extras:
    """Each None where there is none of it."""

    icc: bytes | None = None
    exif: bytes | None = None
    """The bare block, without JPEG's prefix."""
    xmp: bytes | None = None
    dpi: tuple[float, float] | None = None
    """Across and down."""
