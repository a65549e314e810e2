"""A dataclass to a command line: tyro reads the flags, and what is wrong is said in one line."""

import contextlib
import difflib
import io
import itertools
import os
import re
import shutil
from collections.abc import Sequence
from typing import Annotated, Any, TypeVar

import tyro
from tyro.constructors import ConstructorRegistry

from i2i.errors import UserError

T = TypeVar("T")
Switch = Annotated[bool, tyro.conf.FlagCreatePairsOff, tyro.conf.arg(help_behavior_hint="")]
"""A flag without a value that is off unless it is said."""

Where = "auto|cpu|cuda|cuda:1|mps"
"""The devices, as help shows them."""


def flag(**options: Any) -> Any:
    """How a field looks on the command line, where no default is worth telling."""
    return tyro.conf.arg(help_behavior_hint="", **options)


def parse(
    default: T, args: Sequence[str], prog: str, description: str, registry: ConstructorRegistry | None = None
) -> tuple[T, list[str]]:
    """The flags over `default`, and the other words in their order; behind `--` everything is a word.

    Raises UserError where a flag is unknown or its value cannot be used; SystemExit(0) after `--help`.
    """
    args = list(args)
    if os.environ.get("NO_COLOR"):  # no-color.org; tyro does not look for it
        tyro._experimental_options["ansi_codes"] = False
    end = args.index("--") if "--" in args else len(args)
    before, behind = args[:end], args[end + 1 :]

    def run(args: Sequence[str]) -> tuple[T, list[str]]:
        return tyro.cli(
            type(default),
            default=default,
            args=args,
            prog=prog,
            description=description,
            registry=registry,
            return_unknown_args=True,
            config=(tyro.conf.AvoidSubcommands, tyro.conf.HelptextFromCommentsOff, tyro.conf.DisallowNone),
        )

    said = io.StringIO()
    try:
        with contextlib.redirect_stderr(said):
            found, words = run(before)
    except SystemExit as end:
        if not end.code:
            raise
        raise UserError(f"{_in_one_line(said.getvalue())} See {prog} --help") from None
    unknown = next((word for word in words if word.startswith("-") and word != "-"), None)
    if unknown is not None:
        listing = io.StringIO()
        with contextlib.redirect_stdout(listing), contextlib.suppress(SystemExit):
            run(["--help"])
        raise UserError(f"{unknown}: no such flag; {suggest(unknown, listing.getvalue())} See {prog} --help")
    return found, words + behind


def suggest(unknown: str, listing: str) -> str:
    """The flag that was probably meant, of those that a help text lists."""
    name = unknown.split("=")[0].replace("_", "-")
    known = sorted(set(re.findall(r"(?<![\w-])--[a-z][\w.-]*\w", listing)))
    # `--lambda-l1` for `--model.lambda-l1`: the last part alone is what people remember.
    tails = [flag for flag in known if flag.rpartition(".")[2] == name.lstrip("-").rpartition(".")[2]]
    near = tails or difflib.get_close_matches(name, known, 1)
    return f"did you mean {' or '.join(near[:3])}?" if near else "nothing like it is known."


def _in_one_line(said: str) -> str:
    """What tyro prints as a box, as a sentence."""
    # Drawn with ╭─│ where the terminal has them, otherwise with a title, a rule of dashes and indentation.
    lines = [line.strip("│ ") for line in said.splitlines() if line[:1] not in ("╭", "╰")]
    if lines[1:] and not lines[1].strip("-"):
        lines = lines[2:]
    text = list(itertools.takewhile(lambda line: line.strip("─-"), lines))
    sentence = " ".join(text) or said.strip()
    if wrong := re.match(r"Error parsing (--[^/:]+)\S*: .*'([^']*)'\]?\.?$", sentence):
        flag = re.escape(wrong[1])
        wanted = next(
            (found[1] for line in lines if (found := re.match(rf"{flag} (.+?)(?=, --|,?$)", line))), "another"
        )
        return f"{wrong[1]}: {wrong[2]!r} cannot be used, wanted {wanted}."
    if missing := re.match(r"Missing value for argument '(--[^/']*)", sentence):
        return f"{missing[1]}: its value is missing."
    if choice := re.match(r"invalid choice '(.*)' for argument '(--[^/']*).*'\. Expected one of \((.*)\)", sentence):
        return f"{choice[2]}: {choice[1]!r} cannot be used, wanted {choice[3].strip(',')}."
    return sentence


def given(args: Sequence[str], *flags: str) -> bool:
    """Whether one of these flags is said."""
    return any(word.partition("=")[0].replace("_", "-") in flags for word in args)


def no_words(words: Sequence[str], hint: str) -> None:
    """Refuse words where only flags have a place."""
    if words:
        raise UserError(f"{words[0]!r}: a word too many; {hint}")


def positive(flag: str, value: int | str, *, least: int = 1) -> None:
    """Refuse a count below 1, or another least one."""
    if isinstance(value, int) and value < least:
        raise UserError(f"{flag} {value}: wanted {least} or more.")


def columns() -> int:
    """Width of the terminal, or what fits a page."""
    return shutil.get_terminal_size((100, 24)).columns
