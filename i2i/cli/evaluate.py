"""`i2i evaluate`: a model on held-out pairs, beside what needs no learning."""

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
    """A run, a translator file or a reference .pth; a folder of pairs."""
    split: Annotated[Literal["test", "val", "train"], tyro.conf.arg(metavar="test|val|train")] = "test"
    """Which pairs: training never sees test."""
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
        "Measure a model on held-out pairs, beside what needs no learning.\n\n"
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
        found = evaluation.measure(translator, words[1], split=asked.split, out=asked.out, on_progress=Stage(bar))
    if asked.json:
        print(json.dumps(dataclasses.asdict(found), indent=1, ensure_ascii=False))
        return 0
    show(found)
    if asked.out is not None:
        print(f"Pictures, metrics.json and report: {asked.out / 'report.html'}")
    return 0


def show(found: "Evaluation") -> None:
    """The scores as a table, ours above the floors."""
    from rich.console import Console
    from rich.table import Table

    from i2i.cli.parsing import columns
    from i2i.evaluation import NAMES

    table = Table("", title=f"{found.pictures} pictures of the {found.split} split", title_justify="left")
    for title in NAMES.values():
        table.add_column(title, justify="right")
    digits = {"l1": 2, "psnr": 2, "ssim": 3}
    for index, (name, scores) in enumerate([("this translator", found.metrics), *found.floors.items()]):
        table.add_row(name, *(f"{scores[key]:.{digits[key]}f}" for key in NAMES), end_section=index == 0)
    console = Console(width=max(80, columns()), markup=False, highlight=False, soft_wrap=True)
    console.print(table)
    for note in found.notes:
        console.print(note)
