"""What is searched: settings with ranges or choices, by default those of the recipe that decide its game."""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from i2i.errors import SettingsError
from i2i.experiment import Experiment, change
from i2i.tuning.leaves import Leaf, Plain, leaves, spelt, tree

OBJECTIVES = ("vanilla", "least-squares", "hinge")
"""Those that are searched by default: they ask nothing of the discriminator, as the gradient penalty does."""
AVERAGES = (0.0, 0.99, 0.999)
"""Decays of the average of the generators."""
_OTHER_PICTURES = "trials would be scored on other pictures and could not be compared"
_NOTHING_LEARNT = "it changes nothing that is learnt"
REFUSED = {
    **dict.fromkeys(("training.steps", "training.epochs"), "all trials have as many steps (--trial-steps)"),
    "training.seed": "a seed that happens to do well says nothing of the next run",
    **dict.fromkeys(
        ("data.size", "data.resize", "data.labels", "data.direction", "data.channels", "data.holdout"), _OTHER_PICTURES
    ),
    "data.unreadable": _NOTHING_LEARNT,
    **dict.fromkeys(
        (
            *("training.keep", "training.log-every", "training.sample-every", "training.checkpoint-every"),
            *("training.checkpoint-minutes", "training.graph", "training.compile", "training.deterministic"),
        ),
        _NOTHING_LEARNT,
    ),
    **dict.fromkeys(("recipe", "model.kind", "model.sources"), "tune one recipe at a time"),
    **dict.fromkeys(("init-from", "init-what"), "start every trial alike: give it as a flag"),
}
"""Settings that cannot be searched, and why."""
REFUSED_BELOW: dict[tuple[str, ...], str] = {
    ("data", "task"): _OTHER_PICTURES,
    ("model", "teacher"): REFUSED["model.sources"],
}
"""And all of these."""
_FORM = "wanted SETTING=LOW..HIGH, SETTING=LOW..HIGH,log or SETTING=ONE,OTHER, as in model.lambda-l1=10..200,log"


class Draws(Protocol):
    """As much of an Optuna trial as draws values."""

    def suggest_float(self, name: str, low: float, high: float, *, log: bool = False) -> float:
        """A number of a range."""
        ...

    def suggest_int(self, name: str, low: int, high: int, *, log: bool = False) -> int:
        """A whole number of a range, both ends included."""
        ...

    def suggest_categorical(self, name: str, choices: Sequence[Any]) -> Any:
        """One of several."""
        ...


@dataclass(frozen=True, slots=True)
class Range:
    """Numbers from `low` to `high`, both included; `log` searches orders of magnitude evenly."""

    low: float
    high: float
    log: bool = False
    whole: bool = False

    def draw(self, name: str, trial: Draws) -> Plain:
        """A number of at most three digits that mean something, so that settings can be read."""
        if self.whole:
            return trial.suggest_int(name, int(self.low), int(self.high), log=self.log)
        drawn = trial.suggest_float(name, self.low, self.high, log=self.log)
        return min(self.high, max(self.low, float(f"{drawn:.3g}")))

    def __contains__(self, value: object) -> bool:
        return isinstance(value, (int, float)) and self.low <= value <= self.high

    def __str__(self) -> str:
        return f"{self.low:g}..{self.high:g}{',log' if self.log else ''}"


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several values."""

    values: tuple[Plain, ...]

    def draw(self, name: str, trial: Draws) -> Plain:
        """One of them."""
        return trial.suggest_categorical(name, self.values)

    def __contains__(self, value: object) -> bool:
        return value in self.values

    def __str__(self) -> str:
        return ",".join(written(value) for value in self.values)


@dataclass(frozen=True, slots=True)
class Dimension:
    """A setting that is searched."""

    path: tuple[str, ...]
    values: Range | Choice

    @property
    def name(self) -> str:
        """As flags spell it."""
        return spelt(self.path)

    def __str__(self) -> str:
        return f"{self.name}={self.values}"


Space = tuple[Dimension, ...]
"""Kinds come before what only some kinds have."""


def written(value: Plain) -> str:
    """A value as it is typed."""
    return str(value).lower() if isinstance(value, bool) else f"{value:g}" if isinstance(value, float) else str(value)


def space_of(base: Experiment, search: Sequence[str] = (), *, fixed: Iterable[str] = (), only: bool = False) -> Space:
    """What is searched around `base`: the defaults, where `search` names a setting ("model.lambda-l1=10..200,log")
    that instead.

    Settings named in `fixed` keep the base's value unless `search` names them; with `only` the defaults are left out.
    Raises SettingsError.
    """
    kept = {name.replace("_", "-") for name in fixed}
    found = {} if only else {one.path: one for one in _defaults(base) if one.name not in kept}
    asked = {}
    for text in sorted(search, key=lambda one: not _split(one)[0].endswith("kind")):
        there = [one for one in (found | asked).values() if one.path[-1] == "kind"]
        dimension = _read(text, _possible(base, there))
        if dimension.path in asked:
            raise SettingsError(f"--search {text}: {dimension.name} is searched twice. Say it once.")
        asked[dimension.path] = dimension
    found |= asked
    if not found:
        raise SettingsError(f"nothing to search is left. Name a setting: --search SETTING=VALUES; {_FORM}.")
    return tuple(sorted(found.values(), key=lambda one: (one.path[-1] != "kind", len(one.path))))


def drawn(base: Experiment, space: Space, trial: Draws) -> tuple[Experiment, dict[str, Plain]]:
    """The experiment of a trial, and what was drawn for it by name.

    What belongs to another kind than was drawn is left out. Raises SettingsError where values cannot stand together.
    """
    experiment, values = base, {}
    for dimension in space:
        if dimension.path not in leaves(experiment):
            continue
        value = dimension.values.draw(dimension.name, trial)
        experiment = change(experiment, tree(dimension.path, value), "--")
        values[dimension.name] = value
    return experiment, values


def start_of(base: Experiment, space: Space) -> dict[str, Plain]:
    """The base's own values, of the settings whose range or choices have them."""
    there = leaves(base)
    return {
        one.name: there[one.path].value for one in space if one.path in there and there[one.path].value in one.values
    }


def _defaults(base: Experiment) -> list[Dimension]:
    """Rates, weights of terms that are in use, the objective, the average and spectral norm, as far as there are such.

    Width and depth are not among them: of an equal number of steps the larger network is the better and the slower one.
    """
    found = []
    for leaf in leaves(base).values():
        values = _default(leaf)
        if values is not None:
            found.append(Dimension(leaf.path, values))
    return found


def _default(leaf: Leaf) -> Range | Choice | None:
    *place, last = leaf.path
    value = leaf.value
    # A weight or a rate of 0 is a term that is left out, or a rate that follows another.
    number = value if isinstance(value, float) and value > 0 else None
    if place == ["training"] and "lr" in last.split("_") and number:
        return Range(number / 4, number * 5, log=True)
    if place == ["model"] and last.startswith("lambda_") and number:
        return Range(number / 10, number * 3, log=True)
    if leaf.path == ("training", "ema"):
        return Choice(tuple(sorted({*AVERAGES, float(value)})))
    if leaf.path == ("model", "objective", "kind") and value in OBJECTIVES:
        return Choice(tuple(kind for kind in OBJECTIVES if kind in leaf.kinds))
    if place == ["model", "discriminator"] and last == "spectral_norm":
        return Choice((False, True))
    return None


# ---------------------------------------------------------------------------------------------- what a person asks for


def _split(text: str) -> tuple[str, str]:
    name, equals, values = text.partition("=")
    name, values = name.strip().removeprefix("--").replace("-", "_"), values.strip()
    if not name or not equals or not values:
        raise SettingsError(f"--search {text}: {_FORM}.")
    return name, values


def _possible(base: Experiment, kinds: Sequence[Dimension]) -> list[Experiment]:
    """The base, and the base with each of the kinds that are searched."""
    found = [base]
    for dimension in sorted(kinds, key=lambda one: len(one.path)):
        assert isinstance(dimension.values, Choice)
        for experiment in list(found):
            if dimension.path in leaves(experiment):
                found += [change(experiment, tree(dimension.path, kind)) for kind in dimension.values.values]
    return found


def _read(text: str, possible: Sequence[Experiment]) -> Dimension:
    """One `--search`, checked against the first of the experiments that has its setting."""
    name, values = _split(text)
    path = tuple(name.split("."))
    base = next((one for one in possible if path in leaves(one)), None)
    if base is None:
        raise _unknown(text, path, possible)
    leaf = leaves(base)[path]
    if reason := REFUSED.get(leaf.name) or REFUSED_BELOW.get(path[:2]):
        raise SettingsError(f"--search {text}: {leaf.name} cannot be searched: {reason}.")
    found = _range(text, values, leaf) if ".." in values else _choice(values, leaf)
    for value in (found.low, found.high) if isinstance(found, Range) else found.values:
        change(
            base, tree(path, int(value) if isinstance(found, Range) and found.whole else value), f"--search {text}: "
        )
    return Dimension(path, found)


def _unknown(text: str, path: tuple[str, ...], possible: Sequence[Experiment]) -> SettingsError:
    """What was probably meant."""
    # `lambda-l1` for `model.lambda-l1`: the last part alone is what people remember.
    tails = sorted({leaf.name for one in possible for at, leaf in leaves(one).items() if at[-len(path) :] == path})
    if tails:
        return SettingsError(f"--search {text}: no such setting; did you mean {' or '.join(tails[:3])}?")
    try:
        change(possible[0], tree(path, ""), f"--search {text}: ")
    except SettingsError as error:
        return error
    return SettingsError(f"--search {text}: {spelt(path)} is no single setting.")


def _range(text: str, values: str, leaf: Leaf) -> Range:
    if isinstance(leaf.value, bool) or not {int, float} & set(leaf.types):
        one = f"{'|'.join(leaf.kinds)}, " if leaf.kinds else "true,false, " if isinstance(leaf.value, bool) else ""
        raise SettingsError(
            f"--search {text}: {leaf.name} is no number; wanted values to choose from, {one}not a range."
        )
    number = r"[-+]?(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][-+]?\d+)?"
    match = re.fullmatch(rf"\s*({number})\s*\.\.\s*({number})\s*(,\s*log\s*)?", values)
    if not match:
        raise SettingsError(f"--search {text}: {_FORM}.")
    low, high, log = float(match[1]), float(match[2]), match[3] is not None
    whole = float not in leaf.types
    if not low < high or not math.isfinite(high):
        raise SettingsError(f"--search {text}: a range goes from a lower to a higher number.")
    if log and low <= 0:
        raise SettingsError(f"--search {text}: a range of orders of magnitude (log) begins above 0.")
    if whole and (low % 1 or high % 1):
        raise SettingsError(f"--search {text}: {leaf.name} takes whole numbers.")
    return Range(low, high, log=log, whole=whole)


def _choice(values: str, leaf: Leaf) -> Choice:
    return Choice(tuple(dict.fromkeys(_plain(one.strip(), leaf) for one in values.split(","))))


def _plain(word: str, leaf: Leaf) -> Plain:
    """A word as what its setting takes; what it cannot be, settings say when they are checked."""
    if isinstance(leaf.value, bool):
        return {"true": True, "false": False}.get(word, word)
    for kind in (int, float):
        if kind in leaf.types:
            try:
                return kind(word)
            except ValueError:
                continue
    return word


def values_in(space: Space) -> Mapping[str, str]:
    """Every dimension by name, as text."""
    return {one.name: str(one.values) for one in space}
