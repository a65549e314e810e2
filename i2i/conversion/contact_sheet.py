"""A page of pictures before and after."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from i2i import images
from i2i.conversion.job import Job
from i2i.conversion.summary import Summary
from i2i.data.listing import spread
from i2i.images import Picture, shown

EXAMPLES = 24
"""Pictures shown in a report."""


def thumbnail(picture: Picture | None) -> Picture | None:
    """The source at the size of a report, so that a report of large pictures stays small in memory."""
    if picture is None:
        return None
    height, width = picture.pixels.shape[:2]
    factor = min(1.0, 512 / max(height, width))
    size = max(1, round(height * factor)), max(1, round(width * factor))
    return Picture(pixels=images.to_depth(images.resize(picture.pixels, size), np.uint8))


class Sheet:
    """Some pictures of a conversion, evenly over its plan, kept small until its end."""

    def __init__(self, plan: Sequence[tuple[Path, Path]]) -> None:
        self._chosen = {source for source, _ in spread(plan, EXAMPLES)}
        self._kept: dict[Path, tuple[Picture, Path]] = {}

    def add(self, job: Job) -> None:
        """Keep a converted picture, if it is one of those."""
        small = thumbnail(job.picture) if job.source in self._chosen else None
        if small is not None:
            self._kept[job.source] = small, job.target

    def write(self, path: Path, summary: Summary) -> None:
        """Write the page. Raises OSError."""
        from i2i.report import Example, conversion_report

        counts = {"converted": summary.converted, "skipped": summary.skipped, "failed": summary.failed}
        if summary.left:
            counts["left"] = summary.left
        conversion_report(
            path,
            title="Translated pictures",
            summary={name: str(count) for name, count in counts.items()} | {"seconds": f"{summary.seconds:.1f}"},
            examples=[
                Example(shown(source.name), {"before": before.pixels, "after": after})
                for source, (before, after) in sorted(self._kept.items())
            ],
            failures=[(shown(source), reason) for source, reason in summary.failures],
        )
