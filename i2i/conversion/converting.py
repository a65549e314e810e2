"""Folder to folder: any number of files, their tree, names, format, depth and metadata kept."""

import errno
import os
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import BinaryIO, Literal

from i2i.conversion.contact_sheet import Sheet
from i2i.conversion.frames import in_order
from i2i.conversion.job import Job, write
from i2i.conversion.listed import Listed
from i2i.conversion.manifest import Record, add_checksum, add_line, open_lines
from i2i.conversion.pipeline import Pipeline, threads
from i2i.conversion.plan import FORMATS, Format, Half, is_to_file, make_plan, prepare_folder
from i2i.conversion.shards import Shard
from i2i.conversion.summary import Progress, Summary
from i2i.conversion.there import is_there, remove_unfinished, what_is_there
from i2i.conversion.video import translate_video
from i2i.conversion.video_files import is_video
from i2i.errors import DatasetError
from i2i.images import Quality, Subsampling, shown
from i2i.settings import did_you_mean
from i2i.translator import Translator

Existing = Literal["refuse", "overwrite", "skip"]
Input = str | os.PathLike[str] | Listed

NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EFBIG})
"""What the system says where no result can be written any more."""
IN_A_ROW = 3
"""So many results that found no room end a conversion."""


def translate(
    translator: Translator,
    inputs: Input | Sequence[Input],
    output: str | os.PathLike[str],
    *,
    half: Half | None = None,
    format: Format = "keep",
    quality: Quality = "keep",
    subsampling: Subsampling = "keep",
    workers: int | Literal["auto"] = "auto",
    existing: Existing = "refuse",
    shard: Shard | None = None,
    dry_run: bool = False,
    manifest: Path | None = None,
    report: Path | None = None,
    on_progress: Callable[[Progress], None] | None = None,
    stop: threading.Event | None = None,
) -> Summary:
    """Translate files, folders (recursively), globs or a list of names into a folder; one file also into a file. A
    single video becomes a video, and its frames are what is counted.

    All output names are planned before the first picture, and nothing is overwritten unless `existing` says so. A
    picture that cannot be read or written is named in the summary, and the rest goes on. Alpha, EXIF, XMP, colour
    profile and resolution are carried over; alpha is never translated. A JPEG is coded as its input is, unless a
    `quality` or a `subsampling` is given.

    Of a `shard` every process converts its own part of one plan. Once `stop` is set, what was translated is written
    and the summary says what is left. Raises DatasetError where nothing can be done at all.
    """
    started = time.monotonic()
    given = [inputs] if isinstance(inputs, (str, os.PathLike, Listed)) else list(inputs)
    if format not in FORMATS:
        raise DatasetError(f"format {format!r}: {did_you_mean(format, FORMATS)}")
    sources = [one if isinstance(one, Listed) else Path(one) for one in given]
    output = Path(output)
    if len(sources) == 1 and isinstance(sources[0], Path) and is_video(sources[0]) and sources[0].is_file():
        return translate_video(
            translator,
            sources[0],
            output,
            quality=quality,
            existing=existing,
            dry_run=dry_run,
            on_progress=on_progress,
            stop=stop,
        )
    whole = make_plan(sources, output, format, half)
    if translator.steady:
        whole = in_order(whole, shard)
    ours = whole.only(shard.files) if shard is not None else whole
    there = what_is_there(ours, whole, existing == "refuse")
    plan = ours.only(~there) if existing == "skip" and there.any() else ours
    summary = Summary(
        planned=plan,
        skipped=len(ours) - len(plan),
        ignored=sum(one.ignored for one in sources if isinstance(one, Listed)),
    )
    if dry_run:
        return summary
    if plan:
        prepare_folder(output.parent if is_to_file(sources, output) else output)
        remove_unfinished(plan)
    for file in (manifest, report):
        if file is not None:
            prepare_folder(Path(file).parent)
    translator.expect(len(plan))
    with ExitStack() as stack:
        lines = stack.enter_context(open_lines(Path(manifest))) if manifest else None
        if lines is not None and summary.skipped:
            for source, target in ours.only(there):
                add_line(lines, Record.of(Job(source, target, skipped=True)))
        conversion = _Conversion(
            summary, plan, existing, (quality, subsampling), lines, on_progress, Sheet(plan) if report else None
        )
        conversion.run(conversion.pipeline(translator, workers, half), stop or threading.Event())
    summary.seconds = time.monotonic() - started
    if report and conversion.sheet:
        try:
            conversion.sheet.write(Path(report), summary)
        except OSError as error:  # every picture is converted
            summary.failures.append((Path(report), f"cannot be written ({error.strerror or error})"))
            summary.failed += 1
    return summary


def convert(
    translator: Translator,
    pairs: Sequence[tuple[Path, Path]],
    *,
    half: Half | None = None,
    quality: Quality = "keep",
    existing: Existing = "refuse",
    workers: int | Literal["auto"] = "auto",
) -> list[Record]:
    """Translate files of a plan that is made already, and say of each what became of it.

    For engines that share out a plan themselves. Raises OSError where no result can be written any more.
    """
    conversion = _Conversion(Summary(), pairs, existing, (quality, "keep"), None, None, None)
    conversion.records = []
    conversion.run(conversion.pipeline(translator, workers, half), threading.Event())
    if conversion.summary.ended:
        raise OSError(errno.ENOSPC, conversion.summary.ended)
    return conversion.records


class _Conversion:
    """A conversion under way: what is written, and what is made of each job that is done."""

    def __init__(
        self,
        summary: Summary,
        plan: Sequence[tuple[Path, Path]],
        existing: Existing,
        coding: tuple[Quality, Subsampling],
        lines: BinaryIO | None,
        on_progress: Callable[[Progress], None] | None,
        sheet: Sheet | None,
    ) -> None:
        self.summary, self.plan, self.existing, self.coding = summary, plan, existing, coding
        self.lines, self.on_progress, self.sheet = lines, on_progress, sheet
        self.records: list[Record] | None = None
        self._no_room = 0
        self._full = False

    def pipeline(self, translator: Translator, workers: int | Literal["auto"], half: Half | None) -> Pipeline:
        """What reads, translates and writes for it."""
        return Pipeline(
            translator=translator, workers=threads(workers), half=half, open=self.is_wanted, write=self.write
        )

    def is_wanted(self, job: Job) -> bool:
        """Whether a job is to be read; another process may have done it since the start."""
        job.skipped = self.existing == "skip" and is_there(job.target)
        return not job.skipped

    def write(self, job: Job) -> Job:
        """In a thread that writes."""
        if job.result is None or self._full:
            return job
        if self.existing != "overwrite" and is_there(job.target):
            job.skipped = self.existing == "skip"
            job.error = "" if job.skipped else f"{shown(job.target)} has appeared meanwhile, and is not overwritten"
            return job
        write(job, *self.coding)
        if job.error:
            return job
        job.written = True
        if self.lines is not None or self.records is not None:
            try:
                add_checksum(job)
            except OSError as error:
                job.error = f"its result could not be read back ({error.strerror or error})"
        if self.sheet is not None:
            self.sheet.add(job)
        return job

    def run(self, pipeline: Pipeline, stop: threading.Event) -> None:
        """Convert all of the plan, or until it is told to stop."""
        summary = self.summary
        jobs = (Job(source, target) for source, target in self.plan)
        done = 0
        with closing(pipeline.run(jobs, stop)) as finished:
            for job in finished:
                if self._settle(job, stop):
                    done += 1
                if self.on_progress:
                    self.on_progress(Progress(done, len(self.plan), summary.failed, summary.pixels))
        summary.left = len(self.plan) - done
        if summary.left and not summary.ended:
            summary.ended = "stopped before its end"
        summary.failures.sort(key=lambda failure: str(failure[0]))

    def _settle(self, job: Job, stop: threading.Event) -> bool:
        """Count a job, and write it down. False where it is left for another time."""
        summary = self.summary
        if self._full and (job.code in NO_ROOM or not (job.error or job.skipped or job.written)):
            return False
        if job.error:
            summary.failed += 1
            summary.failures.append((job.source, job.error))
        elif job.skipped:
            summary.skipped += 1
        else:
            summary.converted += 1
        if job.size is not None:
            summary.pixels += job.size[0] * job.size[1]
        if self.lines is not None:
            try:
                add_line(self.lines, Record.of(job))
            except OSError as error:
                self._end(f"the manifest cannot be written ({error.strerror})", stop)
        if self.records is not None:
            self.records.append(Record.of(job))
        self._no_room = self._no_room + 1 if job.code in NO_ROOM else 0
        if self._no_room == IN_A_ROW:
            why = os.strerror(job.code or 0)
            self._end(f"{shown(job.target.parent)}: {why}, {IN_A_ROW} results in a row", stop)
        return True

    def _end(self, why: str, stop: threading.Event) -> None:
        self.summary.ended = self.summary.ended or why
        self._full = True
        self.lines = None
        stop.set()
