"""`i2i benchmark convert`: a folder, stage by stage."""

import dataclasses
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

import tyro

from i2i.cli.benchmark.flags import Common
from i2i.cli.benchmark.tables import console, leave, milliseconds, number, share, spread, table
from i2i.cli.parsing import flag, parse, positive
from i2i.errors import SettingsError


@dataclasses.dataclass(frozen=True, kw_only=True)
class ConvertPart(Common):
    """The flags of measuring conversion; its words are [MODEL FOLDER]."""

    words: Annotated[tuple[str, ...], tyro.conf.Positional, flag(metavar="[MODEL FOLDER]")] = ()
    """A model and its pictures; nothing measures networks that have learnt nothing, on random pictures."""
    network: Annotated[Literal["unet", "resnet", "both"], flag(metavar="unet|resnet|both")] = "both"
    """Without a model: which network."""
    width: Annotated[int, tyro.conf.arg()] = 64
    """Without a model: base channels."""
    size: Annotated[int, tyro.conf.arg()] = 256
    """Without a model: side of the pictures."""
    pictures: Annotated[int, tyro.conf.arg()] = 64
    """Pictures that the stages are measured on, at most; without a model as many are made."""
    precision: Annotated[Literal["auto", "fp32", "bf16"], flag(metavar="auto|fp32|bf16")] = "auto"
    """auto is bf16 where the device has arithmetic for it."""
    batch_size: Annotated[int, tyro.conf.arg()] = 8
    """Pictures that go through the network together."""
    workers: Annotated[Literal["auto"] | int, flag(metavar="auto|INT")] = "auto"
    """Threads that read and write pictures."""
    against: Annotated[Path | None, flag(metavar="DIR")] = None
    """A checkout of the reference: whole commands, its test.py and i2i translate in turns, start-up included."""


def main(args: Sequence[str]) -> int:
    """Measure, and print."""
    asked, behind = parse(
        ConvertPart(),
        args,
        "i2i benchmark convert",
        "Convert a folder: decode, translate and encode alone, and all together beside the slowest of them.\n\n"
        "Example: i2i benchmark convert runs/facades photos",
    )
    words = [*asked.words, *behind]
    if len(words) not in (0, 2):
        raise SettingsError(f"wanted a model and a folder, or neither; got {len(words)} words.")
    for name in ("repeats", "width", "size", "pictures", "batch_size", "workers"):
        positive(f"--{name.replace('_', '-')}", getattr(asked, name))

    if asked.against is not None:
        if words:
            raise SettingsError("--against makes its own model and pictures: give no words.")
        return _beside(asked, asked.against)

    from i2i.benchmark.convert import measure_conversion, random_translator, write_pictures
    from i2i.translator import Translator

    with tempfile.TemporaryDirectory(prefix="i2i-benchmark-") as scratch:
        if words:
            folder = Path(words[1])
            model = Translator.load(
                words[0], device=asked.device, precision=asked.precision, batch_size=asked.batch_size
            )
            translators = {words[0]: model}
        else:
            folder = Path(scratch) / "pictures"
            write_pictures(folder, asked.pictures, asked.size)
            kinds: tuple[Literal["unet", "resnet"], ...] = ("unet", "resnet")
            translators = {
                kind: random_translator(
                    kind,
                    asked.size,
                    width=asked.width,
                    device=asked.device,
                    precision=asked.precision,
                    batch_size=asked.batch_size,
                )
                for kind in kinds
                if asked.network in (kind, "both")
            }
        found = tuple(
            measure_conversion(
                translator,
                folder,
                model=name,
                workers=asked.workers,
                most=asked.pictures,
                repeats=asked.repeats,
            )
            for name, translator in translators.items()
        )
    leave(asked.json, "convert", found)
    stages = ("decode", "translate", "encode", "whole")
    rows = [
        ("together" if stage == "whole" else stage, *(spread(getattr(one, stage), number) for one in found))
        for stage in stages
    ]
    first = found[0]
    title = f"images/s of {first.pictures} pictures, {first.device}, batch {first.batch_size}, {first.workers} threads"
    table(title, ("", *(one.model for one in found)), rows)
    for one in found:
        console().print(f"{one.model}: together at {share(one.of_slowest)} of the slowest stage, {one.slowest}.")
        cpu = ", ".join(f"{name} {milliseconds(seconds)}" for name, seconds in one.cpu.items())
        console().print(
            f"{one.model}: CPU time a picture, in ms: {cpu}. {one.cores} cores have that for {number(one.bound)} "
            f"images/s; together at {share(one.of_bound)} of what is possible here."
        )
    return 0


def _beside(asked: ConvertPart, checkout: Path) -> int:
    from i2i.benchmark.against import check_checkout
    from i2i.benchmark.commands import Kind, measure_commands
    from i2i.benchmark.convert import write_pictures

    checkout = check_checkout(checkout)
    kinds: tuple[Kind, ...] = ("unet", "resnet")
    found = []
    with tempfile.TemporaryDirectory(prefix="i2i-benchmark-") as scratch:
        for kind in kinds:
            for count in dict.fromkeys((1, asked.pictures)) if asked.network in (kind, "both") else ():
                place = Path(scratch) / f"{kind}-{count}"
                write_pictures(place / "pictures", count, asked.size)
                found.append(
                    measure_commands(
                        checkout,
                        kind,
                        place / "pictures",
                        place / "made",
                        width=asked.width,
                        pictures=count,
                        repeats=asked.repeats,
                    )
                )
    leave(asked.json, "convert against", found)
    rows = [
        (f"{one.network}, {one.pictures}", *(spread(part, number) for part in (one.reference, one.ours, one.ratio)))
        for one in found
    ]
    title = f"seconds from the command to the last picture, {asked.size} px, width {asked.width}"
    table(title, ("network, pictures", "reference", "ours", "times as fast"), rows)
    return 0
