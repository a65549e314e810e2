"""A page of pictures before and after."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from i2i import images
from i2i.conversion.job import Job
from i2i.conversion.summary import Summary
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


def write_report(path: Path, summary: Summary, examples: Sequence[Job]) -> None:
    from i2i.report import Example, conversion_report

    conversion_report(
        path,
        title="Translated pictures",
        summary={
            "converted": str(summary.converted),
            "skipped": str(summary.skipped),
            "failed": str(summary.failed),
            "seconds": f"{summary.seconds:.1f}",
        },
        examples=[
            Example(shown(job.source.name), {"before": job.picture.pixels, "after": job.target})
            for job in examples
            if job.picture is not None
        ],
        failures=[(shown(source), reason) for source, reason in summary.failures],
    )
