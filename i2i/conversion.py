"""Folder to folder: any number of files, their tree, names, format, depth and metadata kept."""

import dataclasses
import glob
import itertools
import json
import os
import time
import unicodedata
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Literal, TextIO

import numpy as np

from i2i import images
from i2i.data.folders import sampled
from i2i.data.listing import scan, some
from i2i.errors import DatasetError, PictureError
from i2i.files import make_writable
from i2i.images import Picture, shown
from i2i.settings import did_you_mean
from i2i.translator import Translator

Array = np.ndarray[Any, Any]
Format = Literal["keep", "jpg", "png", "webp", "tif", "bmp"]
FORMATS: tuple[Format, ...] = ("keep", "jpg", "png", "webp", "tif", "bmp")
Existing = Literal["refuse", "overwrite", "skip"]
Half = Literal["A", "B", "whole"]
EXAMPLES = 24
"""Pictures shown in a report."""
GROUP_PIXELS = 64_000_000
"""Pixels translated in one go, so that memory stays flat for large pictures too."""


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


@dataclasses.dataclass(slots=True)
class _Job:
    """One picture on its way: read, translated, written."""

    source: Path
    target: Path
    picture: Picture | None = None
    result: Array | None = None
    error: str = ""
    seconds: float = 0.0


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
    to_file = _is_to_file(sources, Path(output))
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
        _make_writable(Path(output).parent if to_file else Path(output))
    for file in (manifest, report):
        if file is not None:
            _make_writable(Path(file).parent)

    threads = _threads(workers)
    pixels = 0
    examples: list[_Job] = []
    chosen = {source for source, _ in plan[:: max(1, len(plan) // EXAMPLES)][:EXAMPLES]} if report else set()
    with ExitStack() as stack:
        readers = stack.enter_context(ThreadPoolExecutor(threads, "read"))
        writers = stack.enter_context(ThreadPoolExecutor(threads, "write"))
        lines = stack.enter_context(_open_lines(manifest)) if manifest else None
        jobs = (_Job(source, target) for source, target in plan)
        # Enough in flight to fill batches of one size from a mixed folder, few enough to stay flat in memory.
        window = 4 * translator.batch_size

        def settle(written: Iterable[Future[_Job]]) -> None:
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
                    _add_line(lines, job)
                if job.source in chosen and not job.error:
                    examples.append(_Job(job.source, job.target, _thumbnail(job.picture)))
                if on_progress:
                    on_progress(Progress(summary.converted + summary.failed, len(plan), summary.failed, pixels))

        writing: list[Future[_Job]] = []
        for group in _ahead(readers, jobs, half, window, threads):
            _translate(translator, group)
            settle(writing)
            writing = [writers.submit(_write, job, quality) for job in group]
        settle(writing)
    summary.seconds = time.monotonic() - started
    if report:
        _report(report, summary, examples)
    return summary


def make_plan(inputs: Sequence[Path], output: Path, format: Format, half: Half | None) -> list[tuple[Path, Path]]:
    """Every input and the output it will have, before anything is read or written. Raises DatasetError."""
    found = list(_listed(inputs, output))
    if not found:
        raise DatasetError(
            f"{some([str(one) for one in inputs])}: no pictures in there. Wanted: jpg, png, webp, bmp or tif files."
        )
    if _is_to_file(inputs, output):
        target = output if format == "keep" else output.with_suffix(f".{format}")
        plan = [(found[0][0], target)]
    else:
        if output.exists() and not output.is_dir():
            raise DatasetError(f"{shown(output)}: is a file, wanted a folder for {len(found)} results.")
        plan = [(source, output / _renamed(relative, format)) for source, relative in found]
        _refuse_ways_out(plan, output)
    _refuse_collisions(plan)
    if half is None:
        _refuse_glued([source for source, _ in plan])
    return plan


def _is_to_file(inputs: Sequence[Path], output: Path) -> bool:
    """Whether one file goes into one file, rather than into a folder."""
    return len(inputs) == 1 and inputs[0].is_file() and not output.is_dir() and output.suffix.lower() in images.SUFFIXES


def _listed(inputs: Sequence[Path], output: Path) -> Iterator[tuple[Path, Path]]:
    """(file, its name relative to the output) of every picture that the inputs name."""
    folders = [one for one in inputs if one.is_dir()]
    result = _real(output)
    for one in inputs:
        if one.is_dir():
            root = _real(one)
            if root == result:
                raise DatasetError(
                    f"{shown(one)}: is the input and the output, and no picture is replaced by its translation. Give "
                    f"another output folder."
                )
            # Several folders keep their own names, so that their trees do not mix.
            prefix = Path(_real(one).name) if len(folders) > 1 else Path()
            inside = result.is_relative_to(root)
            for name, path in zip((listing := scan(one)).names, listing.paths(), strict=True):
                if inside and _real(path).is_relative_to(result):
                    continue  # what an earlier call left there
                yield path, prefix / name
        elif one.exists() or one.is_symlink():
            yield one, Path(one.name)
        elif glob.has_magic(str(one)):
            matched = sorted(glob.glob(str(one), recursive=True))  # noqa: PTH207  Path.glob takes no absolute pattern
            yield from ((Path(name), Path(Path(name).name)) for name in matched if images.is_picture(Path(name).name))
        else:
            raise DatasetError(
                f"{shown(one)}: does not exist. Give pictures, folders or a glob such as 'photos/*.jpg'."
            )


def _real(path: Path) -> Path:
    """Without links; of a link to itself, which Path.resolve() refuses, the link."""
    return Path(os.path.realpath(path))


def _renamed(relative: Path, format: Format) -> Path:
    return relative if format == "keep" else relative.with_suffix(f".{format}")


def _refuse_ways_out(plan: Sequence[tuple[Path, Path]], output: Path) -> None:
    """A link inside the output to another folder, through which results would be written there."""
    root = _real(output)
    for folder in dict.fromkeys(target.parent for _, target in plan):
        real = _real(folder)
        if not real.is_relative_to(root):
            raise DatasetError(
                f"{shown(folder)}: is a link out of the output folder, to {shown(real)}, and nothing is written "
                f"outside of it. Remove the link, or give another output folder."
            )


def _refuse_collisions(plan: Sequence[tuple[Path, Path]]) -> None:
    """Two inputs for one output, also where a file system does not tell case or the spelling of an accent."""
    taken: dict[str, Path] = {}
    sources = {_real(source) for source, _ in plan}
    for source, target in plan:
        other = taken.setdefault(unicodedata.normalize("NFC", str(target)).casefold(), source)
        if other is not source:
            raise DatasetError(
                f"{shown(other)} and {shown(source)} would both become {shown(target)}. Convert them in two calls, or "
                f"with --format keep."
            )
        if target.exists() and _real(target) in sources:
            raise DatasetError(
                f"{shown(target)}: is an input too, and no picture is replaced by a translation. Give another output."
            )


def _refuse_glued(sources: list[Path]) -> None:
    """Pairs that lie side by side in one picture are told by the folder of a split that holds nothing else."""
    folders = sorted({source.parent for source in sources})
    if any(_real(folder).name not in ("train", "val", "test") for folder in folders):
        return
    headers = sampled(sources)
    if headers and all(header.width == 2 * header.height for header in headers.values()):
        raise DatasetError(
            f"{shown(folders[0])}: every picture is twice as wide as high, as pairs side by side are. Say which half "
            f"is the source: --half A (left) or --half B (right); --half whole takes the pictures as they are."
        )


def _make_writable(folder: Path) -> None:
    try:
        make_writable(folder)
    except OSError as error:
        reason = error.strerror or str(error)
        raise DatasetError(f"{shown(folder)}: cannot be written to ({reason}). Give another output folder.") from None


def _ahead(
    pool: ThreadPoolExecutor, jobs: Iterator[_Job], half: Half | None, window: int, threads: int
) -> Iterator[list[_Job]]:
    """Groups of decoded jobs, bounded in number and in pixels; what follows is decoded while one is translated."""
    coming = deque(pool.submit(_read, job, half) for job in itertools.islice(jobs, min(window, 2 * threads)))
    group: list[_Job] = []
    pixels = 0
    while coming:
        job = coming.popleft().result()
        coming.extend(pool.submit(_read, job, half) for job in itertools.islice(jobs, 1))
        group.append(job)
        pixels += job.picture.pixels.shape[0] * job.picture.pixels.shape[1] if job.picture is not None else 0
        if len(group) >= window or pixels >= GROUP_PIXELS:
            yield group
            group, pixels = [], 0
    if group:
        yield group


def _read(job: _Job, half: Half | None) -> _Job:
    started = time.perf_counter()
    try:
        job.picture = images.read_picture(job.source)
        if half in ("A", "B"):
            job.picture = _cut(job.picture, half, job.source)
    except PictureError as error:
        job.error = _reason(error, job.source)
    job.seconds += time.perf_counter() - started
    return job


def _cut(picture: Picture, half: str, source: Path) -> Picture:
    width = picture.pixels.shape[1]
    if width % 2:
        raise PictureError(f"{shown(source)}: is {width} pixels wide, which cannot be halved into a pair")
    where = slice(None, width // 2) if half == "A" else slice(width // 2, None)
    alpha = picture.alpha[:, where] if picture.alpha is not None else None
    return dataclasses.replace(picture, pixels=np.ascontiguousarray(picture.pixels[:, where]), alpha=alpha)


def _translate(translator: Translator, group: Sequence[_Job]) -> None:
    """Translate what of a group was read. A picture too large for the memory is named, and the others go on."""
    started = time.perf_counter()
    readable = [job for job in group if job.picture is not None]
    try:
        _translate_together(translator, readable)
    except PictureError:
        for job in readable:
            try:
                _translate_together(translator, [job])
            except PictureError as error:
                job.error, job.picture = str(error), None
    share = (time.perf_counter() - started) / max(1, len(readable))
    for job in readable:
        job.seconds += share


def _translate_together(translator: Translator, jobs: Sequence[_Job]) -> None:
    results = translator.arrays([job.picture.pixels for job in jobs if job.picture is not None])
    for job, result in zip(jobs, results, strict=True):
        job.result = result


def _write(job: _Job, quality: int) -> _Job:
    if job.picture is None or job.result is None:
        return job
    started = time.perf_counter()
    kept = job.picture
    try:
        job.target.parent.mkdir(parents=True, exist_ok=True)
        images.write(
            job.target,
            job.result,
            alpha=kept.alpha,
            quality=quality,
            icc=kept.icc,
            exif=kept.exif,
            dpi=kept.dpi,
        )
    except (PictureError, OSError) as error:
        job.error = _reason(error, job.source)
    job.seconds += time.perf_counter() - started
    return job


def _reason(error: Exception, source: Path) -> str:
    return str(error).removeprefix(f"{shown(source)}: ")


def _open_lines(path: Path) -> TextIO:
    try:
        # A file name that is no text is written as its escape, which JSON knows.
        return Path(path).open("a", encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        raise DatasetError(f"{shown(path)}: cannot be written ({error.strerror}). Give another --manifest.") from None


def _add_line(lines: TextIO, job: _Job) -> None:
    size = [job.picture.pixels.shape[1], job.picture.pixels.shape[0]] if job.picture is not None else None
    record = {
        "input": str(job.source),
        "output": None if job.error else str(job.target),
        "size": size,
        "seconds": round(job.seconds, 4),
        "error": job.error or None,
    }
    lines.write(json.dumps(record, ensure_ascii=False) + "\n")
    lines.flush()


def _thumbnail(picture: Picture | None) -> Picture | None:
    """The source at the size of a report, so that a report of large pictures stays small in memory."""
    if picture is None:
        return None
    height, width = picture.pixels.shape[:2]
    factor = min(1.0, 512 / max(height, width))
    size = max(1, round(height * factor)), max(1, round(width * factor))
    return Picture(pixels=images.to_depth(images.resize(picture.pixels, size), np.uint8))


def _report(path: Path, summary: Summary, examples: Sequence[_Job]) -> None:
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


def _threads(workers: int | Literal["auto"]) -> int:
    return max(1, workers if workers != "auto" else min(8, os.cpu_count() or 1))
