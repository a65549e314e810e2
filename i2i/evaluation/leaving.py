"""What an evaluation leaves behind: every translation, metrics.json and report.html."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from i2i import images
from i2i.errors import DatasetError
from i2i.evaluation.scores import OURS, Array, Evaluation, Scores, Section
from i2i.evaluation.several import Several
from i2i.files import make_writable, write_text
from i2i.report import Example, Measured, Table, evaluation_report
from i2i.sampler import PictureSampler
from i2i.translator import Translator

WIDE = 6
"""Scores, at most, that stand side by side; more of them stand below each other."""
SHOWN = 3
"""Of the worst, the median and the best pictures, how many a page shows."""


class Left:
    """The folder that an evaluation fills."""

    def __init__(self, folder: Path) -> None:
        """Raises DatasetError where it cannot be written to."""
        self.folder = folder
        try:
            make_writable(folder)
        except OSError as error:
            reason = error.strerror or str(error)
            raise DatasetError(f"{folder}: cannot be written to ({reason}). Choose another with --out.") from None

    def place(self, name: str) -> Path:
        """Where the translation of a picture lies."""
        return self.folder / "pictures" / f"{name}.png"

    def keep(self, name: str, picture: Array) -> None:
        """Write a translation. Raises PictureError."""
        place = self.place(name)
        place.parent.mkdir(parents=True, exist_ok=True)
        images.write(place, picture)

    def publish(
        self,
        found: Evaluation,
        model: Translator | PictureSampler,
        each: Mapping[str, Scores],
        examples: Iterable[Example],
        nearest: Iterable[Example] = (),
    ) -> None:
        """Write metrics.json, with the scores of each picture, and report.html; `nearest` beside training pictures."""
        content = {
            "direction": model.card.direction if isinstance(model, Translator) else "",
            "pictures": found.pictures,
            "split": found.split,
            "metrics": found.metrics,
            "floors": found.floors,
            "ceilings": found.ceilings,
            "features": found.features,
            "intervals": found.intervals,
            "checkpoint": found.checkpoint,
            "segmenter": found.segmenter,
            "sections": {name: asdict(section) for name, section in found.sections.items()},
            "main": found.main,
            "notes": found.notes,
            "unreadable": found.unreadable,
            "each": each,
        }
        write_text(self.folder / "metrics.json", json.dumps(content, indent=1, ensure_ascii=False))
        columns, rows = table(found)
        shown = Table(
            title=_heading(found),
            columns=columns,
            rows=rows,
            note=f"The {'rows below' if upright(found) else 'columns behind'} the first need no learning.",
        )
        evaluation_report(
            self.folder / "report.html",
            title=f"{model.card.recipe or 'model'} on {found.split}",
            tables=[shown, *map(_shown, found.sections.values())],
            examples=list(examples),
            nearest=list(nearest),
            notes=found.notes,
        )


def extremes(order: Sequence[int]) -> Iterator[tuple[str, int]]:
    """The worst, the median and the best of indices that stand in order, the best first; none of them twice."""
    count = min(SHOWN, max(1, len(order) // 3))
    middle = (len(order) - count) // 2
    groups = {"worst": order[-count:][::-1], "median": order[middle : middle + count], "best": order[:count]}
    shown: set[int] = set()
    for name, chosen in groups.items():
        for index in chosen:
            if index not in shown:
                shown.add(index)
                yield name, index


Cell = str | float | Measured
"""Of a table; "" where a row has no such score."""


def table(found: Evaluation | Several) -> tuple[list[str], list[list[Cell]]]:
    """Titles of the columns, and rows: a candidate a row, or a score a row where there are many scores."""
    if upright(found):
        rows = [[name, *(_cell(found, name, scores, key) for key in found.titles)] for name, scores in found.rows]
        return ["", *found.titles.values()], rows
    rows = [
        [title, *(_cell(found, name, scores, key) for name, scores in found.rows)]
        for key, title in found.titles.items()
    ]
    return ["", *(name for name, _ in found.rows)], rows


def _cell(found: Evaluation | Several, row: str, scores: Scores, key: str) -> Cell:
    if key not in scores:
        return ""
    one, of = (found.runs[row], OURS) if isinstance(found, Several) and row in found.runs else (found, row)
    one = one.first if isinstance(one, Several) else one
    interval = one.intervals.get(of, {}).get(key)
    return Measured(scores[key], *interval) if interval else scores[key]


def section_table(section: Section) -> tuple[list[str], list[list[Cell]]]:
    """Titles of the columns, and rows: a score a row, a candidate a column."""
    rows: list[list[Cell]] = []
    for key, title in section.titles.items():
        row: list[Cell] = [title]
        for name, scores in section.rows.items():
            interval = section.intervals.get(name, {}).get(key)
            value = scores.get(key, "")
            row.append(Measured(value, *interval) if interval and not isinstance(value, str) else value)
        rows.append(row)
    return ["", *section.rows], rows


def _shown(section: Section) -> Table:
    return Table(section.title, *section_table(section), note=". ".join(section.notes))


def upright(found: Evaluation | Several) -> bool:
    """Whether each candidate has a row of its own."""
    return len(found.titles) <= WIDE


def publish_several(folder: Path, found: Several) -> None:
    """Write metrics.json and report.html of several runs; each has its own in a folder of its name. Raises OSError."""
    write_text(folder / "metrics.json", json.dumps(found.content, indent=1, ensure_ascii=False))
    columns, rows = table(found)
    evaluation_report(
        folder / "report.html",
        title=f"{len(found.runs)} runs on {found.first.split}",
        tables=[
            Table(_heading(found.first), columns, rows, "Pictures are in the report of each run."),
            *map(_shown, found.sections.values()),
        ],
        examples=[],
        notes=found.notes,
    )


def _heading(found: Evaluation) -> str:
    return f"{found.pictures} pictures of the {found.split} split"
