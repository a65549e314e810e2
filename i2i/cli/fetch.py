"""`i2i fetch`: a public set."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import tyro

from i2i.cli.parsing import columns, flag, parse
from i2i.data import public
from i2i.errors import SettingsError


@dataclasses.dataclass(frozen=True, kw_only=True)
class Fetch:
    """The flags of a download; its word is NAME."""

    words: Annotated[tuple[str, ...], tyro.conf.Positional, flag(metavar="NAME")] = ()
    """A public set; without one they are listed."""
    out: Annotated[Path, tyro.conf.arg(metavar="DIR")] = Path("data")
    """Folder that gets a folder of that name."""


def main(args: Sequence[str]) -> int:
    """Bring a set, or list all."""
    asked, behind = parse(
        Fetch(), args, "i2i fetch", "Bring a public set, or list them.\n\nExample: i2i fetch facades --out data"
    )
    words = [*asked.words, *behind]
    if not words:
        _list()
        return 0
    if len(words) > 1:
        raise SettingsError(f"{words[1]!r}: a word too many; one set at a time, as in: i2i fetch {words[0]}")
    from i2i.cli.progress import Bar, Stage

    name = words[0]
    one = public.public_sets().get(name)
    by_bytes = one is None or one.archive != "torchvision"
    with Bar(name, "MB" if by_bytes else "images") as bar:
        stage, scale = Stage(bar), 1_000_000 if by_bytes else 1
        folder = public.fetch(name, asked.out, progress=lambda done, total: stage(done // scale, (total or 0) // scale))
    print(folder)
    if one is not None:
        direction = f" --direction {one.direction}" if one.direction not in (None, "AtoB") else ""
        print(f"Licence: {one.licence}")
        print(f"Train with: i2i train {one.recipe} --data {folder}{direction}")
    return 0


def _list() -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("name", "shows", "pictures", "MB", "recipe", "licence")
    for one in public.public_sets().values():
        size = f"{one.download_bytes / 1e6:.0f}" if one.download_bytes else "by hand" if one.archive == "manual" else ""
        count = f"{sum(one.pictures.values())}" if one.pictures else ""
        table.add_row(one.name, one.about, count, size, one.recipe, one.licence)
    Console(width=max(80, columns()), markup=False, highlight=False).print(table)
    print("Bring one: i2i fetch NAME     The drawn set day2night needs no download: i2i demo")
