"""`i2i evaluate`: a model on held-out pictures, beside what needs no learning."""

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro

from i2i.cli.parsing import Switch, Where, flag, parse, positive
from i2i.errors import SettingsError
from i2i.settings import Direction

if TYPE_CHECKING:
    from i2i.evaluation import Evaluation


@dataclasses.dataclass(frozen=True, kw_only=True)
class Evaluate:
    """The flags of an evaluation; its words are MODEL DATA."""

    words: Annotated[tuple[str, ...], tyro.conf.Positional, flag(metavar="MODEL DATA")] = ()
    """A run, a translator file or a reference .pth; a folder of pairs, or of two domains without pairs."""
    split: Annotated[Literal["test", "val", "train"], tyro.conf.arg(metavar="test|val|train")] = "test"
    """Which pictures: training never sees test."""
    kind: Annotated[Literal["auto", "pairs", "domains"], tyro.conf.arg(metavar="auto|pairs|domains")] = "auto"
    """Compare with the truth, or as two domains; auto: with the truth where pictures have partners."""
    out: Annotated[Path | None, flag(metavar="DIR")] = None
    """Leave the translations, metrics.json and report.html there."""
    direction: Annotated[Direction | None, flag(metavar="AtoB|BtoA")] = None
    """Which translator of a CycleGAN run; AtoB where nothing is said."""
    device: Annotated[str, flag(metavar=Where)] = "auto"
    """Where to compute; auto takes the GPU where there is one."""
    precision: Annotated[Literal["auto", "fp32", "bf16"], flag(metavar="auto|fp32|bf16")] = "auto"
    """auto is bf16 where the device has arithmetic for it."""
    batch_size: Annotated[int, tyro.conf.arg()] = 8
    """Pictures that go through the network together."""
    json: Switch = False
    """Print JSON instead of a table."""


def main(args: Sequence[str]) -> int:
    """Measure, and print the scores."""
    asked, behind = parse(
        Evaluate(),
        args,
        "i2i evaluate",
        "Measure a model on held-out pictures, beside what needs no learning.\n\n"
        "Example: i2i evaluate runs/facades facades --split test --out results",
    )
    words = [*asked.words, *behind]
    if len(words) != 2:
        raise SettingsError(
            f"wanted a model and a dataset, as in: i2i evaluate runs/facades facades; got {len(words)} of these. "
            f"See i2i evaluate --help"
        )
    positive("--batch-size", asked.batch_size)

    from i2i import evaluation
    from i2i.cli.progress import Bar, Stage
    from i2i.translator import Translator

    translator = Translator.load(
        words[0],
        device=asked.device,
        direction=asked.direction,
        precision=asked.precision,
        batch_size=asked.batch_size,
    )
    with Bar("picture", "images") as bar:
        found = evaluation.measure(
            translator, words[1], split=asked.split, kind=asked.kind, out=asked.out, on_progress=Stage(bar)
        )
    if asked.json:
        print(json.dumps(dataclasses.asdict(found), indent=1, ensure_ascii=False))
        return 0
    show(found)
    if asked.out is not None:
        print(f"Pictures, metrics.json and report: {asked.out / 'report.html'}")
    return 0


def show(found: "Evaluation") -> None:
    """The scores as a table, ours before the floors."""
    from rich.console import Console
    from rich.table import Table

    from i2i.cli.parsing import columns
    from i2i.evaluation.leaving import table, upright

    titles, rows = table(found)
    shown = Table("", title=f"{found.pictures} pictures of the {found.split} split", title_justify="left")
    for title in titles[1:]:
        shown.add_column(title, justify="right")
    for index, (name, *values) in enumerate(rows):
        cells = (f"{value:.{2 if abs(value) >= 1 else 3}f}" for value in values if isinstance(value, float))
        shown.add_row(str(name), *cells, end_section=upright(found) and index == 0)
    console = Console(width=max(80, columns()), markup=False, highlight=False, soft_wrap=True)
    console.print(shown)
    for note in found.notes:
        console.print(note)
