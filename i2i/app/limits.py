"""What a page takes from whoever opens it."""

from dataclasses import dataclass

from i2i.data.archives import Limits as ArchiveLimits


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much one upload and one translation may be. Whatever is beyond them is refused in a line that says so."""

    megabytes: int = 200
    """Of one upload, whether one file or many."""
    pictures: int = 200
    """Translated in one go."""
    megapixels: int = 64
    """Of one picture."""
    seconds: int = 900
    """Of one translation; the picture that is computed then is finished, and those after it are left."""

    @property
    def upload_bytes(self) -> int:
        """Of one upload."""
        return self.megabytes * 1_000_000

    @property
    def archive(self) -> ArchiveLimits:
        """What a zip may unpack to: pictures hardly compress, and beside them is little."""
        return ArchiveLimits(entries=10 * self.pictures + 100, total_bytes=4 * self.upload_bytes)
