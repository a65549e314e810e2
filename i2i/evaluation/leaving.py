"""What an evaluation leaves behind: every translation, metrics.json and report.html."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from i2i import images
from i2i.errors import DatasetError
from i2i.evaluation.scores import Array, Evaluation, Scores
from i2i.files import make_writable, write_text
from i2i.report import Example, Table, evaluation_report
from i2i.translator import Translator

WIDE = 4
"""Scores, at most, that stand side by side; more of them stand below each other."""


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
        self, found: Evaluation, translator: Translator, each: Mapping[str, Scores], examples: Iterable[Example]
    ) -> None:
        """Write metrics.json, with the scores of each picture, and report.html."""
        content = {
            "pictures": found.pictures,
            "split": found.split,
            "metrics": found.metrics,
            "floors": found.floors,
            "ceilings": found.ceilings,
            "features": found.features,
            "notes": found.notes,
            "each": each,
        }
        write_text(self.folder / "metrics.json", json.dumps(content, indent=1, ensure_ascii=False))
        columns, rows = table(found)
        shown = Table(
            title=f"{found.pictures} pictures of the {found.split} split",
            columns=columns,
            rows=rows,
            note=f"The {'rows below' if upright(found) else 'columns behind'} the first need no learning.",
        )
        evaluation_report(
            self.folder / "report.html",
            title=f"{translator.card.recipe or 'translator'} on {found.split}",
            tables=[shown],
            examples=list(examples),
            notes=found.notes,
        )


def table(found: Evaluation) -> tuple[list[str], list[list[str | float]]]:
    """Titles of the columns, and rows: a candidate a row, or a score a row where there are many scores."""
    if upright(found):
        rows = [[name, *(scores[key] for key in found.titles)] for name, scores in found.rows]
        return ["", *found.titles.values()], rows
    rows = [[title, *(scores[key] for _, scores in found.rows)] for key, title in found.titles.items()]
    return ["", *(name for name, _ in found.rows)], rows


def upright(found: Evaluation) -> bool:
    """Whether each candidate has a row of its own."""
    return len(found.titles) <= WIDE
