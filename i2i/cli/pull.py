"""`i2i pull`: a translator that somebody shared, into a folder."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import tyro

from i2i.cli.parsing import flag, parse
from i2i.errors import SettingsError


@dataclasses.dataclass(frozen=True, kw_only=True)
class Pull:
    """Its words are USER/NAME and a folder."""

    words: Annotated[tuple[str, ...], tyro.conf.Positional, flag(metavar="USER/NAME[@REVISION] [OUT]")] = ()
    """A model on the hub, or a branch, tag or commit of it; the folder for it, of its name where nothing is said."""


def main(args: Sequence[str]) -> int:
    """Bring it, and say what it is."""
    asked, behind = parse(
        Pull(),
        args,
        "i2i pull",
        "Bring a translator from the Hugging Face Hub into a folder; i2i translate hf://user/name needs no folder.\n\n"
        "Example: i2i pull your-name/facades facades",
    )
    words = [*asked.words, *behind]
    if not 1 <= len(words) <= 2:
        raise SettingsError(
            f"wanted a name and perhaps a folder, as in: i2i pull your-name/facades facades; got {len(words)} of "
            f"these. See i2i pull --help"
        )
    from i2i import hub, sharing
    from i2i.translator import describe

    out, cards = sharing.pull(hub.parse(words[0]), Path(words[1]) if words[1:] else None)
    for card in cards:
        print(f"{out}: {describe(card)}.")
    print(f"Use it: i2i translate {out} photos/ translated/")
    return 0
