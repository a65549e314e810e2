"""The commands that a page of Markdown shows, and the command line's own parser to hold them against."""

import itertools
import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import tyro

from i2i import cli
from i2i.experiment import Experiment
from i2i.recipes import RECIPES

ROOT = Path(__file__).parents[1]
_SHELL = ("sh", "bash", "console", "")
_BEGINS = re.compile(r"(\.venv/bin/)?(i2i|make|mkdocs|pip|pytest|python3?|torchrun|srun) ")
_ENDS_ONE = ("|", "||", "&&", ";")


@dataclass(frozen=True)
class Shown:
    """A command, and where it stands."""

    page: Path
    line: int
    words: tuple[str, ...]
    fenced: bool = True

    def __str__(self) -> str:
        return f"{self.page.name}:{self.line}: {' '.join(self.words)}"

    @property
    def i2i(self) -> list[str] | None:
        """What follows `i2i`, however it is called; None where it is another program's."""
        words = list(self.words)
        program = words[0].rpartition("/")[2] if words else ""
        if program == "i2i":
            return words[1:]
        for pair in itertools.pairwise(words):
            if pair == ("-m", "i2i"):
                return words[words.index("i2i") + 1 :]
        if program in ("python", "python3") and words[1:] and words[1].startswith("tools/"):
            verb = Path(words[1]).stem
            return [verb, *words[2:]] if verb in cli.VERBS else None
        return None


def fences(page: Path) -> Iterator[tuple[str, int, str]]:
    """The fenced blocks of a page: language, the line that they begin on, text."""
    text = page.read_text(encoding="utf-8")
    for found in re.finditer(r"(?m)^( *)(```+)([\w-]*)[^\n]*\n(.*?)^\1\2$", text, re.DOTALL):
        yield found[3], text.count("\n", 0, found.start()) + 2, found[4]


def shown(page: Path) -> list[Shown]:
    """All commands of a page in their order: those of its fenced blocks, and those in running text."""
    found = []
    for language, first, text in fences(page):
        if language in _SHELL:
            for number, line in _joined(text, first):
                if _BEGINS.match(line + " "):
                    found += [Shown(page, number, words) for words in _commands(line)]
    text = page.read_text(encoding="utf-8")
    outside = re.sub(r"(?ms)^( *)(```+).*?^\1\2$", lambda block: "\n" * block[0].count("\n"), text)
    for span in re.finditer(r"`([^`]+)`", outside):
        line = " ".join(span[1].split())
        if _BEGINS.match(line + " "):
            number = outside.count("\n", 0, span.start()) + 1
            found += [Shown(page, number, words, fenced=False) for words in _commands(line)]
    return sorted(found, key=lambda one: one.line)


def _joined(text: str, first: int) -> Iterator[tuple[int, str]]:
    """Lines and their numbers; one that ends in a backslash goes on in the next."""
    begun = ""
    for number, line in enumerate(text.splitlines(), first):
        whole = f"{begun} {line.strip()}".strip().removeprefix("$ ")
        begun = whole.removesuffix("\\") if whole.endswith("\\") else ""
        if not begun:
            yield number, whole


def _commands(line: str) -> Iterator[tuple[str, ...]]:
    """A line's commands, as the shell takes it apart; what it redirects is no part of them."""
    # <(...) and $(...) are other commands' results: words here.
    plain = re.sub(r"[<$]\([^()]*\)", "WORD", line)
    words: list[str] = []
    tokens = iter(shlex.split(plain, comments=True))
    for token in tokens:
        if token in _ENDS_ONE:
            yield tuple(words)
            words = []
        elif token in (">", ">>", "<"):
            next(tokens, None)
        else:
            words.append(token)
    if words:
        yield tuple(words)


class _Parsed(Exception):
    """The command line was understood; what it asks for is not done."""


_PLACEHOLDERS = {"RECIPE": "pix2pix", "N": "2", "INT": "2", "SHELL": "bash"}


def _whole(words: list[str]) -> list[str]:
    """A training or a search that a page shows a part of, with a recipe and data."""
    if {"-h", "--help", "--resume"} & set(words):
        return words
    recipe = [] if words[1:] and not words[1].startswith("-") else ["pix2pix"]
    behind = [*words[1:], *(["FILE"] if words[-1] == "--config" else [])]
    return [words[0], *recipe, *behind, *([] if "--data" in words else ["--data", "DIR"])]


def complaint(args: Sequence[str]) -> str:
    """What the command line says against these words, without doing what they ask for; empty where it takes them.

    Files and runs need not be there: where settings come from one, those of pix2pix stand for them.
    """
    words = [_PLACEHOLDERS.get(word, word) for word in args if word not in ("...", "[...]")]
    # What a page gives to choose from (AtoB|BtoA) is its first.
    words = [re.sub(r"^([\w-]+)(\|[\w-]+)+$", r"\1", word) for word in words]
    if words[:1] in (["train"], ["tune"]):
        words = _whole(words)
    real = tyro.cli

    def only_parse(*positional: Any, **named: Any) -> Any:
        found, rest = real(*positional, **named)
        if any(word.startswith("-") and word != "-" for word in rest) or words[0] == "train":
            return found, rest
        raise _Parsed

    def any_file(file: Path, base: Experiment | None = None) -> Experiment:
        return base or RECIPES["pix2pix"]

    said: list[str] = []
    with (
        mock.patch("tyro.cli", only_parse),
        mock.patch("i2i.cli._say", lambda message, code: said.append(message) or code),
        mock.patch("i2i.cli.train._saved", lambda run, name: any_file(run)),
        mock.patch("i2i.cli.experiments.from_yaml", any_file),
        mock.patch("i2i.cli.experiments._taught", lambda base, args: base),
        mock.patch("i2i.cli.train._train", side_effect=_Parsed),
    ):
        try:
            code = cli.main(words)
        except _Parsed:
            return ""
    return "" if code == 0 else " ".join(said)
