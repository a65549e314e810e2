"""A video file through a translator, a few frames at a time."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from i2i.conversion.plan import prepare_folder
from i2i.conversion.summary import Progress, Summary
from i2i.conversion.video_files import SUFFIXES, Frame, Reader, Writer, is_video
from i2i.data.tasks.settings import Inpaint, NextFrame, scale_of
from i2i.errors import DatasetError, PictureError
from i2i.images import shown, unfinished
from i2i.translator import Translator

if TYPE_CHECKING:
    import av

Items = list["Frame | av.Packet"]
GROUP_PIXELS = 32_000_000
"""Pixels of the frames that are translated in one go, so that memory stays flat for large ones too."""


def translate_video(
    translator: Translator,
    source: Path,
    output: Path,
    *,
    quality: int | Literal["keep"] = "keep",
    existing: Literal["refuse", "overwrite", "skip"] = "refuse",
    dry_run: bool = False,
    on_progress: Callable[[Progress], None] | None = None,
    stop: threading.Event | None = None,
) -> Summary:
    """Translate a video into a file, or under its own name into a folder; counted in frames.

    Times, size, sound and what the file says of itself are kept; it is turned upright. The result is there whole or
    not at all, also once `stop` is set. Of a damaged file the readable part is translated, and the summary says so.
    Raises DatasetError or PictureError where nothing can be done at all.
    """
    started = time.monotonic()
    _refuse_task(translator, source)
    target = output / source.name if output.is_dir() else output
    _refuse(source, target)
    summary = Summary(planned=[(source, target)])
    if target.exists():
        if existing == "refuse":
            raise DatasetError(
                f"{shown(target)}: is there already. Keep it with --skip-existing, or replace it with --overwrite."
            )
        if existing == "skip":
            summary.skipped = 1
            return summary
    if dry_run:
        return summary
    prepare_folder(target.parent)
    with Reader(source) as reader:
        beside = target.with_name(unfinished.name(target.suffix.lower()))
        try:
            scale = scale_of(translator.card.task)
            writer = Writer(beside, reader, None if quality == "keep" else quality, scale=scale)
            try:
                whole = _translate(translator, reader, writer, summary, on_progress, stop or threading.Event())
                if whole:
                    writer.finish()
                    beside.replace(target)
            finally:
                writer.discard()
        except OSError as error:
            raise PictureError(f"{shown(target)}: cannot be written: {error.strerror or error}") from None
        if not whole:
            summary.left, summary.converted = max(1, reader.frames), 0
        for reason in filter(None, (f"{reader.broken} of its frames are damaged" * bool(reader.broken), reader.damage)):
            summary.failed += 1
            summary.failures.append((source, f"{reason}; what could be read is in {shown(target)}"))
    summary.seconds = time.monotonic() - started
    return summary


def _translate(
    translator: Translator,
    reader: Reader,
    writer: Writer,
    summary: Summary,
    on_progress: Callable[[Progress], None] | None,
    stop: threading.Event,
) -> bool:
    """All that is readable; the next frames are read and the last ones written meanwhile. False once it is stopped."""
    translator.new_sequence()
    groups = _groups(iter(reader), max(1, min(translator.batch_size, GROUP_PIXELS // (reader.width * reader.height))))
    with ThreadPoolExecutor(1, "read") as read, ThreadPoolExecutor(1, "write") as write:
        coming = read.submit(next, groups, None)
        writing: Future[None] | None = None
        while (items := coming.result()) is not None:
            if stop.is_set():
                return False
            coming = read.submit(next, groups, None)
            frames = [item for item in items if isinstance(item, Frame)]
            for frame, pixels in zip(frames, translator.arrays([frame.pixels for frame in frames]), strict=True):
                frame.pixels = pixels
            if writing is not None:
                writing.result()
            writing = write.submit(writer.add, items)
            summary.converted += len(frames)
            summary.pixels += len(frames) * reader.width * reader.height
            if on_progress:
                total = max(reader.frames, summary.converted)
                on_progress(Progress(summary.converted, total, reader.broken, summary.pixels))
        if writing is not None:
            writing.result()
    return not stop.is_set()


def _groups(items: "Iterator[Frame | av.Packet]", frames: int) -> Iterator[Items]:
    """So many frames each, and the sound between them."""
    for first in items:
        group: Items = [first]
        count = isinstance(first, Frame)
        while count < frames and (item := next(items, None)) is not None:
            group.append(item)
            count += isinstance(item, Frame)
        yield group


def _refuse_task(translator: Translator, source: Path) -> None:
    match translator.card.task:
        case Inpaint():
            reason = "inpainting fills what is transparent, and a video is opaque"
        case NextFrame():
            reason = "frames are predicted from pictures in a folder (ffmpeg -i VIDEO frames/%06d.png)"
        case _:
            return
    raise DatasetError(f"{shown(source)}: is a video; {reason}. Give pictures.")


def _refuse(source: Path, target: Path) -> None:
    if not is_video(target):
        known = ", ".join(sorted(SUFFIXES))
        raise DatasetError(f"{shown(target)}: a video goes into a folder that is there, or a file ending in {known}.")
    if target.exists() and target.resolve() == source.resolve():
        raise DatasetError(f"{shown(target)}: is the input too, and is not replaced. Give another output.")
