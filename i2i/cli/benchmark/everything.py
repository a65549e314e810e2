"""`i2i benchmark all`: every part in a process of its own, so that what one breaks is lost to no other."""

import dataclasses
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import Annotated

import tyro

from i2i.cli.benchmark.tables import table, tell
from i2i.cli.parsing import Where, flag, no_words, parse
from i2i.errors import SettingsError, UserError
from i2i.files import make_writable, write_text

LEAST_S = 15.0
"""A part that has less time than this is not begun."""
CLEARING_S = 10.0
"""How long a part may clear up that had no more time."""
SMALL = ("--size", "128", "--width", "32")
"""What two cores train in reasonable time."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class AllParts:
    """The flags of measuring everything."""

    out: Annotated[Path | None, flag(metavar="DIR")] = None
    """Leave every part's figures there, as JSON and as text, each as soon as it is known."""
    data_dir: Annotated[Path | None, flag(name="data", metavar="DIR")] = None
    """A folder of pairs for the parts that train on pictures; 32 drawn pairs where nothing is said."""
    against: Annotated[Path | None, flag(metavar="DIR")] = None
    """A checkout of the reference, PyTorch CycleGAN and pix2pix, to measure in the same minutes."""
    device: Annotated[str, flag(metavar=Where)] = "auto"
    """Where to compute; auto takes the GPU where there is one."""
    minutes: Annotated[float, tyro.conf.arg()] = 8.0
    """Time for all parts; those that would begin later are left out, and named."""


@dataclasses.dataclass(frozen=True)
class Section:
    """One command of ours, and the most seconds that it may take."""

    name: str
    args: tuple[str, ...]
    limit_s: float


def main(args: Sequence[str]) -> int:
    """Measure everything; returns 1 where a part failed or had no time."""
    asked, words = parse(
        AllParts(),
        args,
        "i2i benchmark all",
        "Check that every recipe plays here, then measure everything; a shorter list without a GPU.\n\n"
        "Example: i2i benchmark all --data facades --out figures",
    )
    no_words(words, "see i2i benchmark all --help")
    if asked.minutes <= 0:
        raise SettingsError(f"--minutes {asked.minutes}: wanted more than 0.")
    deadline = time.monotonic() + 60 * asked.minutes
    out = asked.out.resolve() if asked.out is not None else None
    if out is not None:
        try:
            make_writable(out)
        except OSError as error:
            raise UserError(f"{out}: cannot be written to ({error.strerror}). Give another --out.") from None

    from i2i.benchmark.against import check_checkout
    from i2i.benchmark.scratch import drawn_pairs
    from i2i.engine.device import choose_device

    against = check_checkout(asked.against) if asked.against is not None else None
    device = choose_device(asked.device)
    if asked.data_dir is not None and not asked.data_dir.is_dir():
        raise SettingsError(f"--data {asked.data_dir}: no such folder.")
    gpu = device.type == "cuda"
    drawn = drawn_pairs((286, 286) if gpu else (143, 143)) if asked.data_dir is None else nullcontext(asked.data_dir)
    with drawn as folder:
        data = folder.resolve()
        results = list(_run(list(sections(gpu, data, against)), str(device), out, deadline))
    for _, said, _ in results:  # tables last, in one place
        print(said, end="")
    rows = [(name, outcome) for name, _, outcome in results]
    table("Parts", ("part", "outcome"), rows)
    if out is not None:
        _write(out / "outcomes.json", json.dumps(dict(rows), indent=1) + "\n")
        print(f"Figures: {out}")
    return 0 if all(outcome.startswith("done") for _, outcome in rows) else 1


def sections(gpu: bool, data: Path, against: Path | None) -> Iterator[Section]:
    """What is measured, in the order of what is missed most where time runs out."""
    beside = ("--against", str(against)) if against is not None else ()
    folder = ("--data", str(data))
    yield Section("check", ("check",), 90)
    yield Section("hardware", ("hardware",), 40)
    if gpu:
        yield Section("pix2pix", ("train", "pix2pix", *beside), 70)
        yield Section("pix2pix-data", ("train", "pix2pix", *folder, *beside), 90)
        yield Section("cyclegan", ("train", "cyclegan", *beside), 90)
        yield Section("fidelity", ("fidelity", "pix2pix", *folder, "--steps", "300", "--seeds", "2"), 150)
        yield Section("load", ("load", "pix2pix", *folder, "--repeats", "3"), 40)
        yield Section("load-uncached", ("load", "pix2pix", *folder, "--cache", "none", "--repeats", "3"), 40)
        yield Section("convert", ("convert", "--repeats", "3", "--pictures", "256"), 60)
        yield Section("scale", ("scale", "pix2pix"), 60)
        yield Section("dcgan", ("train", "dcgan", "--repeats", "3"), 50)
        yield Section("pix2pix-fp32", ("train", "pix2pix", "--precision", "fp32", "--repeats", "3"), 50)
        yield Section("pix2pix-batch-16", ("train", "pix2pix", "--batch-size", "16", "--repeats", "3"), 50)
        return
    yield Section("pix2pix", ("train", "pix2pix", *SMALL, "--repeats", "3", *beside), 150)
    yield Section("pix2pix-data", ("train", "pix2pix", *SMALL, *folder, "--repeats", "3", *beside), 180)
    yield Section("load", ("load", "pix2pix", "--size", "128", *folder, "--repeats", "3"), 40)
    convert = ("convert", "--size", "128", "--width", "32", "--pictures", "16", "--repeats", "2")
    yield Section("convert", convert, 90)
    small = ("scale", "pix2pix", "--width", "16", "--sizes", "64", "128", "256", "--repeats", "2")
    yield Section("scale", small, 60)
    yield Section("cyclegan", ("train", "cyclegan", *SMALL, "--rounds", "3", "--repeats", "2", *beside), 120)


def _run(planned: Sequence[Section], device: str, out: Path | None, deadline: float) -> Iterator[tuple[str, str, str]]:
    """Every section: its name, the tables it printed, and how it ended."""
    for section in planned:
        left = deadline - time.monotonic()
        if left < LEAST_S:
            yield section.name, "", "left out: no time"
            continue
        command = [sys.executable, "-m", "i2i", "benchmark", *section.args, "--device", device]
        if out is not None:
            command += ["--json", str(out / f"{section.name}.json")]
        tell(f"{section.name} ...")
        started = time.monotonic()
        code, said, told = _call(command, min(left, section.limit_s))
        outcome = f"done in {time.monotonic() - started:.0f} s" if code == 0 else _failure(code, told, section, left)
        tell(f"{section.name}: {outcome}")
        if out is not None:
            _write(out / f"{section.name}.txt", said + (f"\n{told}" if code else ""))
        yield section.name, said, outcome


def _call(command: Sequence[str], limit_s: float) -> tuple[int | None, str, str]:
    """Exit code (None: it ran out of time), stdout and stderr."""
    from i2i.benchmark.arms import environment

    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        errors="replace",
        env=environment(ours=True),
        start_new_session=os.name == "posix",
    ) as process:
        try:
            said, told = process.communicate(timeout=limit_s)
        except subprocess.TimeoutExpired:
            said, told = _end(process)
            return None, said, told
        except BaseException:
            _end(process)
            raise
        return process.returncode, said, told


def _end(process: "subprocess.Popen[str]") -> tuple[str, str]:
    """End a part and whatever it has started: loader processes, the arms. First by Ctrl-C, so that they clear up."""
    for name in ("SIGINT", "SIGKILL") if os.name == "posix" else ("SIGTERM",):
        with suppress(ProcessLookupError):
            if os.name == "posix":
                os.killpg(process.pid, getattr(signal, name))
            else:
                process.kill()
        with suppress(subprocess.TimeoutExpired):
            return process.communicate(timeout=CLEARING_S)
    return "", ""


def _failure(code: int | None, told: str, section: Section, left: float) -> str:
    if code is None:
        return f"failed: not over after {min(left, section.limit_s):.0f} s"
    last = [line for line in told.splitlines() if line.strip()][-1:] or ["without a word"]
    return f"failed with {code}: {last[0].removeprefix('i2i: error: ')[:200]}"


def _write(path: Path, text: str) -> None:
    try:
        write_text(path, text)
    except OSError as error:
        raise UserError(f"{path}: cannot be written ({error.strerror}). Give another --out.") from None
