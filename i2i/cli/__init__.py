"""The `i2i` command, the only place that parses arguments or prints: a module a verb, loaded when it is called."""

import importlib
import io
import os
import sys
from collections.abc import Sequence

from i2i import __version__
from i2i.cli.importing import importing
from i2i.errors import UserError

VERBS = {
    "demo": "see it work: draw a set, train, translate, measure; minutes, no GPU",
    "fetch": "bring one of the public sets",
    "check": "look a dataset through before training; says which recipe fits",
    "recipes": "the table of recipes",
    "train": "train a recipe on your folder of pictures, or go on with a run",
    "tune": "search for the settings that do best, in a budget of minutes",
    "doctor": "is a run healthy, or what is wrong and what to try",
    "translate": "convert pictures, folders and videos with a trained model",
    "sample": "make pictures from noise with a trained GAN, or a walk between them",
    "evaluate": "measure a model on held-out pictures, beside doing nothing",
    "compare": "which of two models people prefer, blind, on a page of this machine",
    "app": "a web page of this machine: try a model, draw, watch a training",
    "export": "write a model as ONNX, for programs and machines without torch",
    "push": "share a translator and its card on the Hugging Face Hub",
    "pull": "bring a translator that somebody shared",
    "benchmark": "how fast it all is here, beside the hardware's limit",
    "info": "versions, devices and memory here, for a bug report",
    "completion": "have your shell complete commands and flags",
}
"""In the order of their use; what each does fits a line of 80 columns."""

HELP = """\
i2i {version}: learn from folders to turn pictures of one kind into another.

{commands}

First time:   i2i demo
Own pictures: i2i check FOLDER     what is in it, and what trains on it
More:         i2i COMMAND --help   its flags, with an example
"""

OUT_OF_MEMORY = {
    "train": "out of memory. Training's grows with --batch-size, --size and --width: lower one of them.",
    "demo": "out of memory. The demo's grows with --size: lower it.",
    "translate": "out of memory. It grows with --batch-size and the pictures: lower --batch-size, or try --fit 512.",
    "sample": "out of memory. It grows with --batch-size: lower it.",
    "evaluate": "out of memory. It grows with --batch-size and the pictures: lower --batch-size.",
    "benchmark": "out of memory. It grows with --batch-size, --size, --sizes and --width: lower one of them.",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command line and return its exit code; nothing that a user can cause ends in a traceback."""
    args = list(sys.argv[1:] if argv is None else argv)
    # Read when torch starts. By default its CPU threads wait for each other by spinning, and where something else
    # runs too they spin away the time of the one they wait for: with one core of two busy, converting took 8 times as
    # long. Spinning briefly costs an idle machine nothing that could be measured.
    os.environ.setdefault("GOMP_SPINCOUNT", "10000")
    if isinstance(sys.stdout, io.TextIOWrapper):  # a picture's name need not be text, nor text that a terminal can show
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        code = _run(args)
        sys.stdout.flush()
    except UserError as error:
        return _say(str(error), 2)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # Who read our output has gone (`i2i recipes | head -1`). Python would complain again when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1  # as rich ends, whose tables meet this first
    except SystemExit as end:  # how training ends after SIGTERM, once the run is saved
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except OSError as error:
        if error.filename is None and error.errno is None:
            raise
        return _say(f"{error.filename or 'a file'}: {error.strerror}.", 2)
    except (MemoryError, RuntimeError) as error:
        if not _is_out_of_memory(error):
            raise
        return _say(OUT_OF_MEMORY.get(args[0], "out of memory."), 2)
    return code


def _run(args: list[str]) -> int:
    if not args or args[0] in ("-h", "--help", "help"):
        if args[1:2] and args[1] in VERBS:
            return _run([args[1], "--help"])
        commands = "\n".join(f"  {verb:<11}{does}" for verb, does in VERBS.items())
        print(HELP.format(version=__version__, commands=commands), end="")
        return 0
    if args[0] in ("-V", "--version", "version"):
        print(f"i2i {__version__}")
        return 0
    verb = args[0]
    if verb not in VERBS:
        from i2i.settings import did_you_mean

        raise UserError(f"{verb!r} is no command; {did_you_mean(verb, VERBS)}")
    with importing():
        module = importlib.import_module(f"i2i.cli.{verb}")
    return module.main(args[1:])


def _say(message: str, code: int) -> int:
    print(f"i2i: error: {message}", file=sys.stderr)
    return code


def _is_out_of_memory(error: Exception) -> bool:
    """Whether a device or the machine ran out of memory. torch says so on a CPU in a plain RuntimeError."""
    named = isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError"
    return named or "can't allocate memory" in str(error)
