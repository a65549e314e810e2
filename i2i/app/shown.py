"""What the page shows, as HTML: every name in it may be a stranger's, so templates escape it all."""

import functools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jinja2
import numpy as np

from i2i import images
from i2i.app.drawing import FACADES, Canvas, as_hex
from i2i.app.intake import Refused
from i2i.app.live import View
from i2i.app.translating import Done
from i2i.errors import PictureError
from i2i.images.pixels import Array
from i2i.report import curves
from i2i.report.album import embed
from i2i.report.pages import duration
from i2i.report.sheets import as_rgb, within
from i2i.report.templating import templates_of
from i2i.translator import Card, describe

WEIGHT = 3_000_000
"""Bytes of two pictures beside each other, or of a run's samples."""
SIDE = 1600
"""Of a picture on the page; downloads are whole."""
THUMBNAIL = 240


def about(card: Card) -> str:
    """A model in a line: the names in its file are whatever its author wrote."""
    return _render("about.html.jinja", text=describe(card))


def comparison(before: Path | Array, after: Path | Array, name: str) -> str:
    """A picture before and after, one over the other, and a slider between them."""
    pictures = embed([before, after], weight=WEIGHT, side=SIDE)
    return _render("comparison.html.jinja", before=pictures[0], after=pictures[1], name=name)


def progress(done: int, total: int, failed: int = 0) -> str:
    """How far a translation is."""
    return _render("progress.html.jinja", done=done, total=total, failed=failed)


def outcome(done: Done) -> str:
    """What became of an upload, in a line, and what was refused, a line each."""
    return _render("outcome.html.jinja", done=done, took=duration(done.seconds))


def problem(message: str) -> str:
    """Something that went wrong as a whole."""
    return outcome(Done([], [Refused("", message)]))


def run(view: View, sample: Path | None) -> str:
    """A run as it stands, with one of its samples."""
    pictures = embed([sample], weight=WEIGHT, side=SIDE) if sample else [None]
    return _render(
        "run.html.jinja",
        view=view,
        picture=pictures[0],
        sample_step=f"{int(sample.stem):,}" if sample else "",
        quiet=duration(view.quiet),
        chart=curves,
    )


def legend(canvas: Canvas) -> str:
    """What the colours of a canvas mean, where that is known, and how to begin."""
    names = [(as_hex(colour), FACADES.get(colour, "")) for colour in canvas.colours]
    if canvas.pens == "ink":
        hint = "Draw in black; the model paints it with every stroke. A label map of yours brings its colours."
    else:
        hint = "Paint areas in these colours; the model paints them with every stroke."
    return _render("legend.html.jinja", chips=names if all(name for _, name in names) else [], hint=hint)


def thumbnail(path: Path) -> Array:
    """A small picture of a file for the strip; gray where it cannot be read. Shape: (H, W, 3) uint8."""
    try:
        return within(as_rgb(images.read(path)), THUMBNAIL)
    except PictureError:
        return np.full((THUMBNAIL, THUMBNAIL, 3), 128, np.uint8)


def names(done: Sequence[tuple[Path, Path]], root: Path) -> list[str]:
    """Their sources as people named them."""
    return [images.shown(source.relative_to(root)) for source, _ in done]


@functools.cache
def _templates() -> jinja2.Environment:
    return templates_of("i2i.app", "i2i.report")  # the charts are the report's


def _render(template: str, **content: Any) -> str:
    return _templates().get_template(template).render(**content)
