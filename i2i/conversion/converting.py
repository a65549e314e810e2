"""Folder to folder: any number of files, their tree, names, format, depth and metadata kept."""

import os
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Literal

from i2i.conversion.contact_sheet import EXAMPLES, thumbnail, write_report
from i2i.conversion.job import Job, write
from i2i.conversion.manifest import add_line, open_lines
from i2i.conversion.pipeline import ahead, threads, translate_group
from i2i.conversion.plan import FORMATS, Format, Half, is_to_file, make_plan, prepare_folder
from i2i.conversion.summary import Progress, Summary
from i2i.data.listing import some
from i2i.errors import DatasetError
from i2i.images import shown
from i2i.settings import did_you_mean
from i2i.translator import Translator

Existing = Literal["refuse", "overwrite", "skip"]


def translate(
    translator: Translator,
    inputs: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    output: str | os.PathLike[str],
    *,
    half: Half | None = None,
    format: Format = "keep",
    quality: int = 95,
    workers: int | Literal["auto"] = "auto",
    existing: Existing = "refuse",
    dry_run: bool = False,
    manifest: Path | None = None,
    report: Path | None = None,
    on_progress: Callable[[Progress], None] | None = None,
) -> Summary:
    """Translate files, folders (recursively) or globs into a folder; one file also into a file.

    All output names are planned before the first picture, and nothing is overwritten unless `existing` says so. A
    picture that cannot be read or written is named in the summary, and the rest goes on. Alpha, EXIF, colour profile
    and resolution are carried over; alpha is never translated.
    Raises DatasetError where nothing can be done at all.
    """
    started = time.monotonic()
    given = [inputs] if isinstance(inputs, (str, os.PathLike)) else list(inputs)
    if format not in FORMATS:
        raise DatasetError(f"format {format!r}: {did_you_mean(format, FORMATS)}")
    sources = [Path(one) for one in given]
    to_file = is_to_file(sources, Path(output))
    plan = make_plan(sources, Path(output), format, half)
    summary = Summary(planned=plan)
    there = [target for _, target in plan if os.path.lexists(target)]
    if there and existing == "refuse":
        names = some([target.name for target in there])
        raise DatasetError(
            f"{shown(output)}: {len(there)} of {len(plan)} results are there already ({names}). Keep them and convert "
            f"the rest with --skip-existing, or replace them with --overwrite."
        )
    if existing == "skip":
        known = set(there)
        summary.skipped = len(known)
        plan = [(source, target) for source, target in plan if target not in known]
    if dry_run:
        return summary
    if plan:
        prepare_folder(Path(output).parent if to_file else Path(output))
    for file in (manifest, report):
        if file is not None:
            prepare_folder(Path(file).parent)

    count = threads(workers)
    pixels = 0
    examples: list[Job] = []
    chosen = {source for source, _ in plan[:: max(1, len(plan) // EXAMPLES)][:EXAMPLES]} if report else set()
    with ExitStack() as stack:
        readers = stack.enter_context(ThreadPoolExecutor(count, "read"))
        writers = stack.enter_context(ThreadPoolExecutor(count, "write"))
        lines = stack.enter_context(open_lines(manifest)) if manifest else None
        jobs = (Job(source, target) for source, target in plan)
        # Enough in flight to fill batches of one size from a mixed folder, few enough to stay flat in memory.
        window = 4 * translator.batch_size

        def settle(written: Iterable[Future[Job]]) -> None:
            nonlocal pixels
            for future in written:
                job = future.result()
                if job.error:
                    summary.failed += 1
                    summary.failures.append((job.source, job.error))
                else:
                    summary.converted += 1
                if job.picture is not None:
                    pixels += job.picture.pixels.shape[0] * job.picture.pixels.shape[1]
                if lines is not None:
                    add_line(lines, job)
                if job.source in chosen and not job.error:
                    examples.append(Job(job.source, job.target, thumbnail(job.picture)))
                if on_progress:
                    on_progress(Progress(summary.converted + summary.failed, len(plan), summary.failed, pixels))

        writing: list[Future[Job]] = []
        for group in ahead(readers, jobs, half, window, count):
            translate_group(translator, group)
            settle(writing)
            writing = [writers.submit(write, job, quality) for job in group]
        settle(writing)
    summary.seconds = time.monotonic() - started
    if report:
        write_report(report, summary, examples)
    return summary
