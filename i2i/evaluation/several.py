"""Several runs, or seeds of one recipe, in one table: what one run's number hides is how far it strays."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from i2i.errors import SettingsError
from i2i.evaluation.scores import OURS, Evaluation, Scores, Section

MEAN, SPREAD = "mean of the runs", "spread of the runs"
"""Their rows."""


@dataclass(frozen=True, slots=True)
class Several:
    """Evaluations of several runs on the same pictures, by the names of the runs."""

    runs: Mapping[str, Evaluation]

    @property
    def first(self) -> Evaluation:
        """Whose floors and ceilings stand for all."""
        return next(iter(self.runs.values()))

    @property
    def titles(self) -> dict[str, str]:
        """Of the scores that any run has: runs of different features have different ones."""
        return {name: title for found in self.runs.values() for name, title in found.titles.items()}

    @property
    def mean(self) -> Scores:
        """Over runs, of the scores that all of them have."""
        return {name: float(np.mean(values)) for name, values in self._shared.items()}

    @property
    def spread(self) -> Scores:
        """The standard deviation over runs (of a sample: divided by one less than their number)."""
        return {name: float(np.std(values, ddof=1)) for name, values in self._shared.items()}

    @property
    def same_floors(self) -> bool:
        """Whether doing nothing scores the same beside each run, as it does where all see pictures at one scale."""
        floors = [found.floors for found in self.runs.values()]
        return all(_alike(one, floors[0]) for one in floors[1:])

    @property
    def rows(self) -> list[tuple[str, Scores]]:
        """The runs, their mean and spread, and the floors and ceilings of the first."""
        each = [(name, found.metrics) for name, found in self.runs.items()]
        over = [(MEAN, self.mean), (SPREAD, self.spread)]
        return [*each, *over, *self.first.rows[1:]]

    @property
    def sections(self) -> dict[str, Section]:
        """Of each that all runs have, the runs with their mean and spread, and the real pictures of the first."""
        shared = [name for name in self.first.sections if all(name in found.sections for found in self.runs.values())]
        return {name: self._section(name) for name in shared}

    def _section(self, name: str) -> Section:
        each = {run: found.sections[name] for run, found in self.runs.items()}
        first = next(iter(each.values()))
        every = {run: section.rows[OURS] for run, section in each.items()}
        shared = [key for key in first.titles if all(key in scores for scores in every.values())]
        values = {key: [scores[key] for scores in every.values()] for key in shared}
        others = {row: scores for row, scores in first.rows.items() if row != OURS}
        return Section(
            title=first.title,
            titles={key: title for section in each.values() for key, title in section.titles.items()},
            rows={
                **every,
                MEAN: {key: float(np.mean(found)) for key, found in values.items()},
                SPREAD: {key: float(np.std(found, ddof=1)) for key, found in values.items()},
                **others,
            },
            intervals={run: section.intervals.get(OURS, {}) for run, section in each.items()}
            | {row: found for row, found in first.intervals.items() if row != OURS},
            notes=first.notes,
        )

    @property
    def notes(self) -> list[str]:
        """What a reader has to know of all of them."""
        said = [f"{name}: {found.notes[0]}; {found.checkpoint}" for name, found in self.runs.items()]
        said += [f"spread: standard deviation over {len(self.runs)} runs; in brackets what other pictures would change"]
        if not self.same_floors:
            said.append(
                "the runs see these pictures at different scales, so that even doing nothing scores differently: "
                "floors and ceilings are those of the first, and runs of different scales cannot be compared"
            )
        if missing := self.titles.keys() - self._shared.keys():
            said.append(f"no mean of what not every run has: {', '.join(sorted(missing))}")
        return [*said, *(note for note in self.first.notes[1:] if note != self.first.checkpoint)]

    @property
    def content(self) -> dict[str, object]:
        """For metrics.json."""
        runs = {name: asdict(found) for name, found in self.runs.items()}
        return {"runs": runs, "mean": self.mean, "spread": self.spread, "notes": self.notes}

    @property
    def _shared(self) -> dict[str, list[float]]:
        every = [found.metrics for found in self.runs.values()]
        return {name: [one[name] for one in every] for name in self.titles if all(name in one for one in every)}


def measured_together(models: Sequence[str], measure_one: Callable[[str, str], tuple[str, Evaluation]]) -> Several:
    """Measure models one after another: `measure_one` gets (name, model) and returns its direction and what it found.

    Raises SettingsError where a model is there twice, or two of them translate different ways.
    """
    names = names_of(models)
    if len(names) < len(models):
        raise SettingsError("a model is there twice: a mean and a spread are those of different runs. Name each once.")
    runs: dict[str, Evaluation] = {}
    ways: dict[str, str] = {}
    for name, model in names.items():
        ways[name], runs[name] = measure_one(name, model)
        first = next(iter(ways))
        if ways[name] != ways[first]:
            raise SettingsError(
                f"{first} translates {ways[first]} and {name} {ways[name]}, which is no one table. Choose one way with "
                f"--direction, or measure them apart."
            )
    return Several(runs)


def names_of(models: Sequence[str]) -> dict[str, str]:
    """Models by the shortest ends of their paths that tell them apart; those that are the same are there once."""
    paths = {Path(model).resolve(): model for model in models}
    for depth in range(1, max(len(path.parts) for path in paths) + 1):
        named = {"/".join(path.parts[-depth:]).lstrip("/"): model for path, model in paths.items()}
        if len(named) == len(paths):
            return named
    raise AssertionError("paths that differ have ends that differ")


def _alike(one: Mapping[str, Scores], two: Mapping[str, Scores]) -> bool:
    names = [(row, name) for row, scores in two.items() for name in scores]
    return one.keys() == two.keys() and all(
        name in one[row] and abs(one[row][name] - two[row][name]) <= 1e-9 for row, name in names
    )
