"""`i2i benchmark`: what this machine makes of i2i, beside its limits; a module a part, loaded when it is called."""

import contextlib
import importlib
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from i2i.errors import UserError
from i2i.settings import did_you_mean

PARTS = {
    "all": "everything below, each part in its own time: what a bare `i2i benchmark` does",
    "check": "does every recipe play here, and does fast agree with fp32",
    "hardware": "the limits: matrix, convolution and copy rates",
    "train": "a training step, or with --data a run; beside the reference with --against DIR",
    "load": "the loader alone",
    "convert": "a folder: decode, translate, encode, and all together",
    "scale": "what a pixel costs from 256 to 1024 pixels",
    "fidelity": "does fast training learn what fp32 learns, beside the noise of the seeds",
}

HELP = """\
Measure here: our figure, the hardware's limit and the ratio.

usage: i2i benchmark PART ...

{parts}

Example: i2i benchmark train pix2pix --size 256 --repeats 5
         i2i benchmark train pix2pix --data facades --against reference-checkout --json figures.json
         i2i benchmark hardware --json -          # nothing but JSON on standard output
         i2i benchmark all --out figures
More:    i2i benchmark PART --help
"""


def main(args: Sequence[str]) -> int:
    """Run a part; returns its exit code."""
    part, *rest = args or ["all"]
    if part in ("-h", "--help"):
        parts = "\n".join(f"  {name:<10} {does}" for name, does in PARTS.items())
        print(HELP.format(parts=parts), end="")
        return 0
    if part.startswith("-"):
        part, rest = "all", list(args)
    if part not in PARTS:
        raise UserError(f"{part!r} is no part of i2i benchmark; {did_you_mean(part, PARTS)}")
    module = "everything" if part == "all" else part
    run: Callable[[Sequence[str]], int] = importlib.import_module(f"i2i.cli.benchmark.{module}").main
    if _json_to_stdout(rest):
        return _only_json(run, rest)
    return run(rest)


def _json_to_stdout(args: Sequence[str]) -> bool:
    """Whether `--json -` asks for figures on standard output."""
    return "--json=-" in args or any(args[at : at + 2] == ["--json", "-"] for at in range(len(args)))


def _only_json(run: Callable[[Sequence[str]], int], args: Sequence[str]) -> int:
    """A part whose figures alone go to standard output; its tables go to the other one."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "figures.json"
        words = [str(path) if word == "-" else f"--json={path}" if word == "--json=-" else word for word in args]
        with contextlib.redirect_stdout(sys.stderr):
            code = run(words)
        if path.exists():
            print(path.read_text(encoding="utf-8"), end="")
    return code
