"""`i2i check`: a dataset looked through before training."""

import dataclasses
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import tyro

from i2i.cli.parsing import Switch, columns, flag, parse
from i2i.errors import SettingsError

if TYPE_CHECKING:
    from i2i.data.checking import Report

_MOST = 40
"""Problems listed in full; JSON has them all."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Check:
    """The flags of a check; its word is DATA."""

    words: Annotated[tuple[str, ...], tyro.conf.Positional, flag(metavar="DATA")] = ()
    """A dataset's folder."""
    json: Switch = False
    """Print JSON instead of a table."""


def main(args: Sequence[str]) -> int:
    """Look through; returns 0 where all is well, 1 where some pictures are bad, 2 where nothing can be trained."""
    asked, behind = parse(
        Check(),
        args,
        "i2i check",
        "Look a dataset through before training: pairs without partner, unreadable files, sizes, duplicates.\n\n"
        "Example: i2i check facades",
    )
    words = [*asked.words, *behind]
    if len(words) != 1:
        raise SettingsError(f"wanted one folder, as in: i2i check facades; got {len(words)}. See i2i check --help")

    from i2i.cli.progress import Bar, Stage
    from i2i.data.checking import check

    with Bar("picture", "images") as bar:
        report = check(words[0], progress=Stage(bar))
    if asked.json:
        content = dataclasses.asdict(report) | {"root": str(report.root), "usable": usable(report)}
        print(json.dumps(content, indent=1, ensure_ascii=False))
    else:
        _show(report)
    return 2 if not usable(report) else 0 if report.sound else 1


def usable(report: "Report") -> bool:
    """Whether something of the dataset could be trained on or evaluated with."""
    paired = report.kind in ("side-by-side", "pairs", "list")
    return any(split.pairs if paired else sum(count for _, _, count in split.sizes) for split in report.splits)


def _show(report: "Report") -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("split", "pictures", "pairs", "sizes", "channels", "else", title_justify="left")
    table.title = f"{report.root}: {KINDS[report.kind]}"
    for split in report.splits:
        sizes = [f"{width} x {height}: {count}" for width, height, count in split.sizes[:3]]
        more = len(split.sizes) - len(sizes)
        other = {"with alpha": split.alpha, "of 16 bits": split.deep, "other files": split.ignored}
        table.add_row(
            split.name,
            ", ".join(str(count) if side == "pictures" else f"{side} {count}" for side, count in split.counts.items()),
            str(split.pairs or ""),
            "\n".join(sizes + ([f"{more} more"] if more else [])),
            ", ".join(kind if side == "pictures" else f"{side} {kind}" for side, kind in split.channels.items()),
            "\n".join(f"{count} {what}" for what, count in other.items() if count),
        )
    console = Console(width=max(80, columns()), markup=False, highlight=False, soft_wrap=True)
    console.print(table)
    for note in report.notes:
        console.print(f"  {note}")
    for problem in report.problems[:_MOST]:
        console.print(f"! {problem}")
    if len(report.problems) > _MOST:
        console.print(f"! {len(report.problems) - _MOST} more; i2i check --json names all of them")
    if not usable(report):
        console.print("Nothing here can be trained on.")
    elif report.recipes:
        console.print(f"{_verdict(report)} Train with: i2i train {report.recipes[0]} --data {report.root}")


def _verdict(report: "Report") -> str:
    if report.sound:
        return "Sound."
    return f"{len(report.problems)} problem{'s' if len(report.problems) > 1 else ''}, marked with !."


KINDS = {
    "side-by-side": "pairs side by side, A left and B right",
    "pairs": "pairs in two folders",
    "list": "pairs listed in pairs.csv",
    "unpaired": "two folders, unpaired",
    "single": "one folder of pictures",
}
