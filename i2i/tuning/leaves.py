"""The single settings of an experiment, read off its typed classes: names, values, types, and kinds to choose from."""

import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any, get_args, get_type_hints

from i2i.experiment import Experiment, Tree

Plain = bool | int | float | str
"""A value of a setting."""


@dataclasses.dataclass(frozen=True, slots=True)
class Leaf:
    """One setting of an experiment."""

    path: tuple[str, ...]
    value: Plain
    types: tuple[Any, ...]
    """What may stand there: (float,), or a Literal and int."""
    kinds: tuple[str, ...] = ()
    """Of a `kind`: all that may stand in its place."""

    @property
    def name(self) -> str:
        """As flags spell it: model.lambda-l1."""
        return spelt(self.path)


def spelt(path: Sequence[str]) -> str:
    """A path as flags spell it."""
    return ".".join(path).replace("_", "-")


def leaves(experiment: Experiment) -> dict[tuple[str, ...], Leaf]:
    """Every setting by its path."""
    return {leaf.path: leaf for leaf in _walk(experiment, (), ())}


def _walk(value: Any, path: tuple[str, ...], kinds: tuple[str, ...]) -> Iterator[Leaf]:
    hints = get_type_hints(type(value))
    for field in dataclasses.fields(value):
        below, hint = getattr(value, field.name), hints[field.name]
        members = get_args(hint) or (hint,)
        if dataclasses.is_dataclass(below):
            named = [one for one in members if "kind" in getattr(one, "__dataclass_fields__", {})]
            there = tuple(str(one.__dataclass_fields__["kind"].default) for one in named)
            yield from _walk(below, (*path, field.name), there)
        elif field.name == "kind":
            yield Leaf((*path, "kind"), below, (str,), kinds)
        else:
            # Of a Literal its values are no types.
            types = members if any(isinstance(one, type) for one in members) else (hint,)
            yield Leaf((*path, field.name), below, types)


def tree(path: Sequence[str], value: Plain) -> Tree:
    """A change of one setting, as `experiment.change` takes it."""
    changed: Any = value
    for name in reversed(path):
        changed = {name: changed}
    return changed
