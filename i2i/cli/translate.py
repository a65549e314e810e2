"""`i2i translate`: pictures and folders through a trained model."""

import dataclasses
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro

from i2i.cli.importing import importing
from i2i.cli.parsing import Switch, Where, flag, parse, positive
from i2i.errors import SettingsError
from i2i.settings import Direction

if TYPE_CHECKING:
    from i2i import conversion


@dataclasses.dataclass(frozen=True, kw_only=True)
class Translate:
    """The flags of a conversion; its words are MODEL INPUT... OUTPUT."""

    words: Annotated[tuple[str, ...], tyro.conf.Positional, flag(metavar="MODEL INPUT... OUTPUT")] = ()
    """A run, a translator file, a reference .pth or hf://user/name; files, folders, globs or - for names on standard
    input; a folder, or a file for one input."""
    fit: Annotated[Literal["trained", "native"] | int | None, flag(metavar="trained|native|INT")] = None
    """Scale at which the network sees a picture: training's, its own, or this short side; the model knows which."""
    detail: Annotated[Literal["none", "guided"], flag(metavar="none|guided")] = "none"
    """guided brings the original's fine detail back into an enlarged result."""
    half: Annotated[Literal["A", "B", "whole"] | None, flag(metavar="A|B|whole")] = None
    """Of pairs side by side, the half that is the source: A is left, B is right."""
    direction: Annotated[Direction | None, flag(metavar="AtoB|BtoA")] = None
    """Which translator of a CycleGAN run; AtoB where nothing is said."""
    norm_mode: Annotated[Literal["running", "picture"] | None, flag(metavar="running|picture")] = None
    """Batch norm by its running statistics or by each picture's own; the model says which is better."""
    device: Annotated[str, flag(metavar=Where)] = "auto"
    """Where to compute; auto takes the GPU where there is one."""
    precision: Annotated[Literal["auto", "fp32", "bf16"], flag(metavar="auto|fp32|bf16")] = "auto"
    """auto is bf16 where the device has arithmetic for it."""
    steady: Annotated[bool | None, tyro.conf.arg(help_behavior_hint="")] = None
    """Frames of a sequence, in the order of their names, share what norms measure, so that they do not flicker: off
    for pictures, on for a video."""
    backend: Annotated[
        Literal["auto", "torch", "onnxruntime", "openvino"], flag(metavar="auto|torch|onnxruntime|openvino")
    ] = "auto"
    """What runs the network; auto is torch, or what is installed and pays for so many pictures."""
    batch_size: Annotated[int, tyro.conf.arg()] = 8
    """Pictures of one size that go through the network together."""
    tile: Annotated[Literal["auto"] | int, flag(metavar="auto|INT")] = "auto"
    """Rows of the strips that a large picture goes through the network in, to the same result; 0 is whole, auto cuts
    what would take more than 2 GB or a quarter of the free memory."""
    overlap: Annotated[Literal["auto"] | int, flag(metavar="auto|INT")] = "auto"
    """Strips overlap by what the network's layers need, so they have no seams; any number is taken as auto."""
    workers: Annotated[Literal["auto"] | int, flag(metavar="auto|INT")] = "auto"
    """Threads that read and write pictures."""
    format: Annotated[Literal["keep", "png", "jpg", "webp", "tif", "bmp"], tyro.conf.arg()] = "keep"
    """Format of the results; keep is that of each input."""
    quality: Annotated[Literal["keep"] | int, flag(metavar="keep|INT")] = "keep"
    """Of JPEG and WebP, 1 to 100, where WebP is lossless; keep is that of each input, and 95 where it has none."""
    subsampling: Annotated[Literal["keep", "444", "422", "420"], flag(metavar="keep|444|422|420")] = "keep"
    """Of a JPEG's colours: whole, halved across, halved both ways; keep is that of each input."""
    overwrite: Switch = False
    """Replace results that are there already."""
    skip_existing: Switch = False
    """Keep results that are there already, and convert the rest."""
    shard: Annotated[str | None, flag(metavar="i/n|auto")] = None
    """Convert only the i-th of n parts, counted from 0; auto asks torchrun's or Slurm's environment."""
    dry_run: Switch = False
    """Say what would become what, and convert nothing."""
    manifest: Annotated[Path | None, flag(metavar="FILE.jsonl")] = None
    """Add a line of JSON a picture to this file."""
    report: Annotated[Path | None, flag(metavar="FILE.html")] = None
    """Write a page with pictures before and after."""


def main(args: Sequence[str]) -> int:
    """Convert; returns 1 where some pictures could not be, 2 where none could."""
    asked, behind = parse(
        Translate(),
        args,
        "i2i translate",
        "Convert pictures and whole folders; nothing is overwritten unless you say so.\n\n"
        "Example: i2i translate runs/facades 'photos/*.jpg' translated/ --report translated.html",
    )
    words = [*asked.words, *behind]
    if len(words) < 3:
        raise SettingsError(
            f"wanted a model, inputs and an output, as in: i2i translate runs/facades photos/ translated/; "
            f"got {len(words)} of these. See i2i translate --help"
        )
    if asked.overwrite and asked.skip_existing:
        raise SettingsError("--overwrite replaces results that are there, --skip-existing keeps them: say one of them.")
    positive("--batch-size", asked.batch_size)
    positive("--workers", asked.workers)
    positive("--tile", asked.tile, least=0)
    positive("--overlap", asked.overlap, least=0)
    if asked.quality != "keep" and not 1 <= asked.quality <= 100:
        raise SettingsError(f"--quality {asked.quality}: wanted keep, or 1 to 100.")

    with importing():
        from i2i import conversion
        from i2i.cli.progress import Bar, Stage
        from i2i.cli.stopping import Stopping
        from i2i.translator import Translator

    model, *inputs, output = words
    shard = conversion.parse_shard(asked.shard) if asked.shard is not None else None
    names = [conversion.read_list(sys.stdin.buffer) if one == "-" else one for one in inputs]
    video = any(conversion.is_video(Path(one)) for one in inputs)
    if video:
        _refuse_for_video(asked, inputs)
    bar = Bar(*(("frame", "frames") if video else ("picture", "images")))
    translator = Translator.load(
        model,
        device=_device(shard, asked.device),
        direction=asked.direction,
        precision=asked.precision,
        fit=asked.fit,
        detail=asked.detail,
        norm_mode=asked.norm_mode,
        batch_size=asked.batch_size,
        backend=asked.backend,
        steady=video if asked.steady is None else asked.steady,
        tile=asked.tile,
        tell=bar.note,
    )
    if asked.steady and not translator.frames_matter:
        print("Frames are steady already: this model normalises all by the same statistics.", file=sys.stderr)
    with bar:
        stage, began = Stage(bar), time.monotonic()

        def progress(at: conversion.Progress) -> None:
            passed = time.monotonic() - began
            stage(at.done, at.total, _detail(at, passed))

        with Stopping("Stopping once the pictures in flight are written; once more ends at once.") as stopping:
            summary = conversion.translate(
                translator,
                names,
                Path(output),
                half=asked.half,
                format=asked.format,
                quality=asked.quality,
                subsampling=asked.subsampling,
                workers=asked.workers,
                existing="overwrite" if asked.overwrite else "skip" if asked.skip_existing else "refuse",
                shard=shard,
                dry_run=asked.dry_run,
                manifest=asked.manifest,
                report=asked.report,
                on_progress=progress,
                stop=stopping.event,
            )
    code = _tell(summary, asked, output)
    return stopping.code if stopping.caught and summary.left else code


def _device(shard: "conversion.Shard | None", device: str) -> str:
    """Of several processes on a machine each takes a GPU of its own."""
    if shard is None or shard.local is None:
        return device
    import torch

    from i2i.conversion import device_of

    return device_of(shard, device, torch.cuda.device_count())


def _refuse_for_video(asked: Translate, inputs: Sequence[str]) -> None:
    if len(inputs) > 1:
        raise SettingsError(f"{len(inputs)} inputs, one of them a video: wanted one video, and one result.")
    default = Translate()
    for name in ("half", "format", "subsampling", "workers", "shard", "manifest", "report"):
        if getattr(asked, name) != getattr(default, name):
            raise SettingsError(f"--{name} is for pictures, and {inputs[0]} is a video: leave it away.")


def _detail(at: "conversion.Progress", seconds: float) -> str:
    rate = f"{at.pixels / 1e6 / seconds:.1f} MP/s" if seconds > 0.5 else ""
    return ", ".join(part for part in (rate, f"{at.failed} failed" if at.failed else "") if part)


def _tell(summary: "conversion.Summary", asked: Translate, output: str) -> int:
    from i2i.images import shown

    if summary.ignored:
        print(f"{summary.ignored} names of the list are no pictures'.", file=sys.stderr)
    if asked.dry_run:
        for source, target in summary.planned:
            print(f"{shown(source)} -> {shown(target)}")
        print(f"{len(summary.planned)} to convert, {summary.skipped} there already.", file=sys.stderr)
        return 0
    for path, reason in summary.failures:
        print(f"{shown(path)}: {reason}", file=sys.stderr)
    rate = summary.converted / summary.seconds if summary.seconds else 0.0
    parts = [f"{summary.converted} converted"]
    parts += [f"{summary.skipped} there already"] if summary.skipped else []
    parts += [f"{summary.failed} failed"] if summary.failed else []
    parts += [f"{summary.left} left"] if summary.left else []
    speed = f"{rate:.1f} images/s"
    if summary.pixels and summary.seconds:
        speed += f", {summary.pixels / 1e6 / summary.seconds:.1f} MP/s"
    print(f"{', '.join(parts)} in {summary.seconds:.1f} s ({speed}): {output}")
    if asked.report is not None:
        print(f"Before and after: {asked.report}")
    if summary.ended:
        print(
            f"i2i: {summary.ended}. What is converted stays and is whole; the same command with --skip-existing "
            f"converts the rest.",
            file=sys.stderr,
        )
    if not summary.failed and not summary.left:
        return 0
    return 1 if summary.converted or summary.skipped else 2
