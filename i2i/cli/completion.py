"""`i2i completion`: a script with which a shell completes commands, recipes and flags; files it completes by itself."""

import contextlib
import dataclasses
import io
import re
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Annotated

import tyro

from i2i.cli.parsing import flag, parse
from i2i.errors import SettingsError

NAMES_FIRST = ("train", "tune", "recipes")
"""Commands whose first word is a recipe."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Completion:
    """The flags of a completion script; its word is SHELL."""

    words: Annotated[tuple[str, ...], tyro.conf.Positional, flag(metavar="bash|zsh|fish")] = ()
    """The shell that is to complete."""


@dataclasses.dataclass(frozen=True)
class Command:
    """What can follow a command."""

    does: str
    first: tuple[str, ...]
    """Its first word: recipes, public sets, parts of a benchmark. Empty where that is a file."""
    flags: tuple[str, ...]


def main(args: Sequence[str]) -> int:
    """Print the script."""
    asked, behind = parse(
        Completion(),
        args,
        "i2i completion",
        "Print a script that completes commands, recipes and flags. Read it where your shell starts:\n\n"
        "bash  i2i completion bash > ~/.local/share/bash-completion/completions/i2i\n\n"
        "zsh   echo 'eval \"$(i2i completion zsh)\"' >> ~/.zshrc\n\n"
        "fish  i2i completion fish > ~/.config/fish/completions/i2i.fish\n\n"
        "Example: i2i completion bash",
    )
    words = [*asked.words, *behind]
    if len(words) != 1 or words[0] not in SCRIPTS:
        found = " ".join(words) or "nothing"
        raise SettingsError(f"wanted one shell of {', '.join(SCRIPTS)}, as in: i2i completion bash; got {found}.")
    print(SCRIPTS[words[0]](commands()), end="")
    return 0


def commands() -> dict[str, Command]:
    """Every command, with the flags that its own help lists."""
    from i2i.cli import VERBS
    from i2i.cli.benchmark import PARTS
    from i2i.data.public import public_sets
    from i2i.recipes import RECIPES

    first = {verb: tuple(RECIPES) for verb in NAMES_FIRST}
    first |= {"fetch": tuple(public_sets()), "benchmark": tuple(PARTS), "completion": tuple(SCRIPTS)}
    # A recipe's help lists all its settings; those of pix2pix stand for them.
    asked = {"train": [["train"], ["train", "pix2pix"]], "tune": [["tune", "pix2pix"]]}
    asked["benchmark"] = [["benchmark", part] for part in PARTS]
    return {verb: Command(does, first.get(verb, ()), _flags(asked.get(verb, [[verb]]))) for verb, does in VERBS.items()}


def _flags(helps: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """The flags in these commands' help, in its order."""
    said = io.StringIO()
    for verb, *rest in helps:
        with contextlib.redirect_stdout(said), contextlib.suppress(SystemExit):
            import_module(f"i2i.cli.{verb}").main([*rest, "--help"])
    # Only at the start of an entry: sentences name flags of other commands.
    found = re.findall(r"^\W*?(?:-h, )?(--[a-z][\w.-]*\w)(?:, (--[a-z][\w.-]*\w))*", said.getvalue(), re.MULTILINE)
    return tuple(dict.fromkeys(name for names in found for name in names if name))


def bash(known: Mapping[str, Command]) -> str:
    """For bash 3.2 and later; where nothing of ours fits, files."""
    cases = "".join(
        f'    {verb}) first="{" ".join(command.first)}" flags="{" ".join(command.flags)}" ;;\n'
        for verb, command in known.items()
    )
    return f"""\
_i2i() {{
  local word=${{COMP_WORDS[COMP_CWORD]}} first="" flags=""
  case ${{COMP_WORDS[1]}} in
{cases}  esac
  COMPREPLY=()
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W "{" ".join(known)} --help --version" -- "$word"))
  elif [[ $word == -* ]]; then
    COMPREPLY=($(compgen -W "$flags" -- "$word"))
  elif [ "$COMP_CWORD" -eq 2 ]; then
    COMPREPLY=($(compgen -W "$first" -- "$word"))
  fi
}}
complete -o default -F _i2i i2i
"""


def zsh(known: Mapping[str, Command]) -> str:
    """bash's script, which zsh can run."""
    return f"""\
autoload -Uz compinit bashcompinit
(( $+functions[compdef] )) || compinit -i
bashcompinit
{bash(known)}"""


def fish(known: Mapping[str, Command]) -> str:
    """For fish 3; commands and flags, and files after them."""
    lines = []
    for verb, command in known.items():
        does = command.does.replace("'", "\\'")
        lines.append(f"complete -c i2i -n __fish_use_subcommand -f -a {verb} -d '{does}'")
        here = f"-n '__fish_seen_subcommand_from {verb}'"
        if command.first:
            once = f"-n '__fish_seen_subcommand_from {verb}; and test (count (commandline -opc)) -eq 2'"
            lines.append(f"complete -c i2i {once} -f -a '{' '.join(command.first)}'")
        lines += [f"complete -c i2i {here} -l {name[2:]}" for name in command.flags]
    return "\n".join(lines) + "\n"


SCRIPTS: dict[str, Callable[[Mapping[str, Command]], str]] = {"bash": bash, "zsh": zsh, "fish": fish}
