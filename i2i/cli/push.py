"""`i2i push`: a translator and its card to the Hugging Face Hub."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import tyro

from i2i.cli.parsing import Switch, flag, parse
from i2i.errors import SettingsError


@dataclasses.dataclass(frozen=True, kw_only=True)
class Push:
    """The flags of sharing; its words are MODEL USER/NAME."""

    words: Annotated[tuple[str, ...], tyro.conf.Positional, flag(metavar="MODEL USER/NAME")] = ()
    """A run or a translator file; what it is to be called on the hub."""
    license: Annotated[str, tyro.conf.arg(metavar="NAME")] = "unknown"
    """Under which others may use it, as the hub names them: apache-2.0, cc-by-4.0, openrail ..."""
    evaluation: Annotated[Path | None, flag(metavar="DIR")] = None
    """Folder of i2i evaluate --out, whose scores the card shows; those inside the run where nothing is said."""
    samples: Switch = False
    """Show the run's last samples in the card: pictures of your own folder. None are sent without it."""
    picture: Annotated[Path | None, flag(metavar="FILE")] = None
    """Show this picture in the card instead."""
    private: Switch = False
    """Let only you see it."""
    dry_run: Switch = False
    """Print the card and what would be sent, and send nothing."""


def main(args: Sequence[str]) -> int:
    """Send it, or say what would be sent."""
    asked, behind = parse(
        Push(),
        args,
        "i2i push",
        "Share a translator on the Hugging Face Hub: its file, its card, and no picture unless you say so.\n\n"
        "Example: i2i push runs/facades your-name/facades --license apache-2.0 --dry-run",
    )
    words = [*asked.words, *behind]
    if len(words) != 2:
        raise SettingsError(
            f"wanted a model and a name, as in: i2i push runs/facades your-name/facades; got {len(words)} of these. "
            f"See i2i push --help"
        )
    from i2i import hub, sharing

    parcel = sharing.pack(
        Path(words[0]),
        hub.parse(words[1]),
        licence=asked.license,
        evaluations=[asked.evaluation] if asked.evaluation is not None else [],
        samples=asked.samples,
        picture=asked.picture,
    )
    if asked.dry_run:
        print(parcel.card)
        print(f"Would be sent to {parcel.name}{' (private)' if asked.private else ', where everybody can see it'}:")
    else:
        print(f"{sharing.push(parcel, private=asked.private)}")
    for file in parcel.files:
        print(f"  {file}, {parcel.size(file):,} bytes")
    if not asked.dry_run:
        print(f"Use it: i2i translate {parcel.name} photos/ translated/")
    return 0
