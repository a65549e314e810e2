"""Uploads to results, within the limits, step by step."""

import os
import queue
import threading
import zipfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from i2i import conversion, images
from i2i.app.intake import Refused, keep_apart, pictures_in, take
from i2i.app.limits import Limits
from i2i.app.workspace import JobFolder
from i2i.errors import DatasetError, UserError
from i2i.translator import Translator


@dataclass(frozen=True, slots=True)
class Done:
    """What became of an upload."""

    made: list[tuple[Path, Path]]
    """(picture, its translation), in the order of their names."""
    refused: list[Refused] = field(default_factory=list)
    zipped: Path | None = None
    """All translations in one file, where there are several."""
    note: str = ""
    """Why some are left; empty where none are."""
    seconds: float = 0.0


def translate(
    translator: Translator,
    uploads: Sequence[Path],
    folder: JobFolder,
    limits: Limits,
    *,
    format: conversion.Format = "keep",
    stop: threading.Event | None = None,
) -> Iterator[conversion.Progress | Done]:
    """Take uploads, translate them and zip the results: how far it is, again and again, and what became of it last.

    Sizes, names, folders, alpha, colour profile and metadata are kept, as `i2i translate` keeps them. Once `stop` is
    set, or the iterator is closed, what is begun is finished and the rest left. Raises UserError where nothing can be
    done at all.
    """
    if not uploads:
        raise DatasetError("no pictures yet: drop some, choose them, or take one with the camera.")
    stop = stop or threading.Event()
    refused = take(uploads, folder.inputs, limits)
    if not pictures_in(folder.inputs):
        yield Done([], refused)
        return
    if format != "keep":
        keep_apart(folder.inputs)
    late = threading.Event()

    def end() -> None:
        late.set()
        stop.set()

    # A progress, or None at the end.
    news: queue.SimpleQueue[conversion.Progress | None] = queue.SimpleQueue()
    clock = threading.Timer(limits.seconds, end)
    clock.daemon = True
    with ThreadPoolExecutor(1) as thread:
        future = thread.submit(
            conversion.translate,
            translator,
            folder.inputs,
            folder.outputs,
            half="whole",
            format=format,
            on_progress=news.put,
            stop=stop,
        )
        future.add_done_callback(lambda _: news.put(None))
        clock.start()
        try:
            while (at := news.get()) is not None:
                yield at
        finally:
            clock.cancel()
            stop.set()
        try:
            summary = future.result()
        except UserError as error:
            raise DatasetError(_plain(str(error), folder)) from None
    refused += [Refused(_below(path, folder), _plain(reason, folder)) for path, reason in summary.failures]
    made = [(source, target) for source, target in summary.planned if target.is_file()]
    note = ""
    if summary.left:
        why = f"the {limits.seconds} s of one translation here are over" if late.is_set() else "it was stopped"
        note = f"{summary.left} of {len(summary.planned)} not translated: {why}."
    yield Done(made, refused, zip_up(folder) if len(made) > 1 else None, note, summary.seconds)


def zip_up(folder: JobFolder) -> Path:
    """All results in one zip, as pictures are packed already: stored."""
    path = folder.root / "translated.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as zipped:
        for picture in pictures_in(folder.outputs):
            zipped.write(picture, picture.relative_to(folder.outputs).as_posix())
    return path


def _below(path: Path, folder: JobFolder) -> str:
    return images.shown(path.relative_to(folder.inputs) if path.is_relative_to(folder.inputs) else path.name)


def _plain(reason: str, folder: JobFolder) -> str:
    """A reason without our own folders' names."""
    for path in (folder.inputs, folder.outputs, folder.root):
        reason = reason.replace(f"{path}{os.sep}", "")
    return reason.replace(str(folder.root), "here")
