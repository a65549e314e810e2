"""Checks of an evaluation that look at all translations together, gathered while they are made."""

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from i2i.evaluation import bootstrap
from i2i.evaluation.copying import Copying, copying
from i2i.evaluation.features import Features
from i2i.evaluation.leaving import SHOWN, Left
from i2i.evaluation.lot_scores import asked_for, checks, titles
from i2i.evaluation.lots import LEAST, MOST, Lot
from i2i.evaluation.scores import OURS, Array, Intervals, Scores, Section
from i2i.evaluation.sides import Picture
from i2i.evaluation.training_pictures import Training, at_scale, of_training, read_training
from i2i.report import Example
from i2i.translator import Translator
from i2i.translator.tasks import prepared_shown

HALVES = "half of the real ones"
"""The row of what real pictures get, and how far that strays: one half of them beside the other."""

OnProgress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Checked:
    """What was found of all translations together."""

    sections: dict[str, Section] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    copying: Copying | None = None
    """Of each translation by the last features, where training pictures could be looked at."""
    training: Training | None = None
    features: list[dict[str, str | int]] = field(default_factory=list)
    """Name, hash and dimension of each that the sections rest on."""

    def nearest(self, names: Sequence[str]) -> dict[str, Scores]:
        """By translation how near its nearest training picture is: 1 is the median of real held-out pictures."""
        if not self.copying or not self.copying.usual:
            return {}
        each = zip(names, self.copying.distances / self.copying.usual, strict=True)
        return {name: {"nearest training picture": float(distance)} for name, distance in each}

    def examples(self, left: Left, translator: Translator, sources: Sequence[Picture]) -> Iterator[Example]:
        """The translations that are nearest to a training picture, beside it; `sources` as they were added."""
        if not self.copying or not self.training:
            return
        for index in np.argsort(self.copying.distances, kind="stable")[:SHOWN]:
            learnt, source = self.training.pictures[self.copying.nearest[index]], sources[index]
            prepared = translator.prepare(source.read())
            pictures = {"input": prepared_shown(translator.card.task, prepared), "output": left.place(source.name)}
            pictures["nearest training picture"] = at_scale(translator, learnt.read())
            usual = self.copying.usual
            far = f", at {self.copying.distances[index] / usual:.2f} of the usual distance" if usual else ""
            yield Example(source.name, pictures, f"nearest to {learnt.name}{far}")


class Checking:
    """Takes translations and real pictures in, each at most MOST, evenly from all of them."""

    def __init__(
        self,
        translator: Translator,
        features: Sequence[Features],
        dataset: tuple[Path, str],
        side: int,
        pictures: int,
        on_progress: OnProgress | None = None,
    ) -> None:
        """Read the training pictures, which `on_progress` hears of together with the `pictures` to translate.

        `dataset` is a folder and the split of it that is scored, `side` the short side of its pictures at the scale.
        """
        root, split = dataset
        self._lot = functools.partial(Lot, features, side, min(pictures, MOST))
        self._features = features
        self._made, self._halves = self._lot(), (self._lot(), self._lot())
        self._reals = 0
        found = of_training(root, split, translator.card) if pictures >= LEAST else "there are too few"
        self._why_not = found if isinstance(found, str) else "too few training pictures could be read"
        learnt = [] if isinstance(found, str) else found

        def said(done: int) -> None:
            if on_progress:
                on_progress(done, len(learnt) + pictures)

        self.translated: Callable[[int], None] = lambda done: said(len(learnt) + done)
        """To be called with how many pictures are translated."""
        self.training = read_training(learnt, translator, features, said) if learnt else None
        if self.training and len(self.training.pictures) < LEAST:
            self.training = None

    def add_made(self, pictures: Sequence[Array], found: Mapping[str, Array] | None = None) -> None:
        """Translations, and their features by name where they are known."""
        self._made.add(pictures, found)

    def add_real(self, pictures: Sequence[Array], found: Mapping[str, Array] | None = None) -> None:
        """Real pictures of the split at the scale, in turns to one half and the other."""
        for index, half in enumerate(self._halves):
            chosen = slice((index + self._reals) % 2, None, 2)
            if some := list(pictures[chosen]):
                known = {name: parts[chosen] for name, parts in found.items()} if found is not None else None
                half.add(some, known)
        self._reals += len(pictures)

    def result(self) -> Checked:
        """The sections; of fewer than LEAST pictures a note."""
        if min(len(self._made), self._reals) < LEAST:
            return Checked(notes=[f"fewer than {LEAST} pictures: copies, diversity and grids are not looked at"])
        one, two = self._halves
        real = self._lot()
        real.extend(one)
        real.extend(two)
        ours, theirs = self._copies(self._made, real), self._copies(one, two)
        rows = {OURS: checks(self._made, real, ours), HALVES: checks(one, two, theirs)}
        first, second = titles(self._features)
        last = list(ours.values())[-1] if ours else None
        sections = {
            "checks": Section(
                title="Copies, sameness, grids",
                titles={key: title for key, title in first.items() if key in rows[OURS]},
                rows=rows,
                intervals={row: _intervals(found) for row, found in ((OURS, ours), (HALVES, theirs)) if found},
                notes=self._notes(last, "checkerboard" in rows[OURS]),
            )
        }
        asked = {OURS: asked_for(self._made, real), HALVES: asked_for(one, two)}
        sections["more"] = Section(
            title="Asked for by many",
            titles={key: title for key, title in second.items() if key in asked[OURS]},
            rows=asked,
            notes=["what each of these misses: docs/evaluation.md"],
        )
        about = [{"name": one.name, "hash": one.hash, "dimension": one.dimension} for one in self._features]
        return Checked(sections, [], last, self.training, about)

    def _copies(self, made: Lot, real: Lot) -> dict[str, Copying]:
        """By the name of the features."""
        if not self.training:
            return {}
        ours, theirs = made.features, real.features
        return {name: copying(ours[name], theirs[name], learnt) for name, learnt in self.training.features.items()}

    def _notes(self, copied: Copying | None, gridded: bool) -> list[str]:
        if copied and self.training:
            notes = [
                f"copied: as near to a training picture as the nearest of the real pictures that training never saw, "
                f"by chance {copied.chance:.3f}; nearer to training than those: by chance 0.5; distance to training: "
                f"by theirs; authentic: not as near as another training picture. {len(self.training.pictures)} "
                f"training pictures were looked at"
            ]
        else:
            notes = [f"copies of training pictures are not looked for: {self._why_not}"]
        notes.append("diversity: mean distance between two translations, by that between two real pictures")
        if gridded:
            notes.append(
                "checkerboard: how much harmonics of 2, 4 or 8 pixels stand out, by real ones; a grid, where it is "
                "above 2 and well above what one half of the real ones gets"
            )
        return notes


def _intervals(copied: Mapping[str, Copying]) -> Intervals:
    """Of the scores that are means over pictures."""
    found: Intervals = {}
    for name, one in copied.items():
        found |= {f"{name}/{key}": ends for key, ends in bootstrap.of_means(one.each).items()}
    return found
