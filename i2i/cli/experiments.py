"""An experiment on the command line: what its flags start from, which there are, and what they change."""

import contextlib
import dataclasses
import re
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_type_hints

import yaml
from tyro.constructors import (
    ConstructorRegistry,
    StructConstructorSpec,
    StructFieldSpec,
    StructTypeInfo,
)

from i2i.cli.parsing import flag, given
from i2i.data.settings import DataSettings
from i2i.engine.settings import TrainingSettings
from i2i.errors import SettingsError
from i2i.experiment import Experiment, Tree, change, from_yaml, set_width
from i2i.models.settings import Distill, Teacher
from i2i.recipes import RECIPES, recipe

SHORT = {
    (TrainingSettings, "steps"): "--steps",
    (TrainingSettings, "epochs"): "--epochs",
    (TrainingSettings, "batch_size"): "--batch-size",
    (TrainingSettings, "seed"): "--seed",
    (TrainingSettings, "precision"): "--precision",
    (TrainingSettings, "deterministic"): "--deterministic",
    (TrainingSettings, "checkpoint_every"): "--checkpoint-every",
    (TrainingSettings, "keep"): "--keep",
    (DataSettings, "size"): "--size",
    (DataSettings, "direction"): "--direction",
    (DataSettings, "resize"): "--resize",
    (DataSettings, "holdout"): "--holdout",
    (Teacher, "file"): "--teacher",
}
"""Settings that people change all the time have a second, short name."""


# ------------------------------------------------------------------------------------------------ what they start from


def begin(name: str | None, args: Sequence[str]) -> Experiment:
    """What stands before the flags: recipe and file. Raises SettingsError."""
    base = recipe(name) if name is not None else None
    if (file := value_of(args, "--config")) is not None:
        named = _recipe_in(Path(file))
        if base is not None and named not in (None, base.recipe):
            raise SettingsError(f"{file}: is an experiment of the recipe {named!r}, not {name!r}. Name one of them.")
        return from_yaml(Path(file), base or RECIPES.get(named or "", Experiment()))
    if base is None:
        raise SettingsError(
            f"the recipe comes first, as in: i2i train pix2pix --data DIR. There are: {', '.join(RECIPES)}."
        )
    return _taught(base, args)


def _taught(base: Experiment, args: Sequence[str]) -> Experiment:
    """A distillation with what its teacher says of size and direction, which other flags win over."""
    teacher = value_of(args, "--teacher") or value_of(args, "--model.teacher.file")
    if teacher is None or not isinstance(base.model, Distill):
        return base  # where it is no distillation the flag is unknown
    from i2i.training.teaching import taught_by

    direction = value_of(args, "--direction") or value_of(args, "--data.direction")
    if direction not in (None, "AtoB", "BtoA"):
        return base  # refused with all other values
    return taught_by(base, teacher, direction)


def _recipe_in(file: Path) -> str | None:
    """The recipe that a file names; whatever else is wrong with it, `from_yaml` says with its line."""
    with contextlib.suppress(OSError, UnicodeDecodeError, yaml.YAMLError):
        tree = yaml.safe_load(file.read_text(encoding="utf-8"))
        if isinstance(tree, dict) and isinstance(tree.get("recipe"), str):
            return tree["recipe"]
    return None


def with_kinds_and_width(base: Experiment, args: Sequence[str]) -> Experiment:
    """The base with what changes the other flags or their defaults, so that whatever is said explicitly wins."""
    kinds = {
        match[1].replace("-", "_"): said
        for word, said in pairs(args)
        if (match := re.fullmatch(r"--((?:model|data)\.[\w.-]+)\.kind", word)) and said is not None
    }
    for path, kind in sorted(kinds.items(), key=lambda item: item[0].count(".")):
        tree: Tree = {"kind": kind}
        for part in reversed(path.split(".")):
            tree = {part: tree}
        base = over(base, tree)
    width = value_of(args, "--width")
    if width is None:
        return base
    if not width.isascii() or not width.isdigit() or not int(width):
        raise SettingsError(f"--width: {width!r} cannot be used, wanted a number of channels such as 32.")
    return set_width(base, int(width))


# ---------------------------------------------------------------------------------------------- which flags there are


def registry(short: bool = False, taken: Sequence[str] = ()) -> ConstructorRegistry:
    """Reads classes of settings as plain dictionaries, which pydantic then validates once, as it does with YAML.

    Short names that are `taken` by another flag are none of a setting.
    """
    rules = ConstructorRegistry()

    @rules.struct_rule
    def settings_class(info: StructTypeInfo) -> StructConstructorSpec | None:
        cls = type(info.default)
        if not hasattr(cls, "__pydantic_fields__"):
            return None
        fields = []
        hints = get_type_hints(cls, include_extras=True)
        for name, field in cls.__pydantic_fields__.items():
            value = getattr(info.default, name)
            hint: Any = type(value) if dataclasses.is_dataclass(value) else hints[name]
            if name == "kind":
                kinds = _kinds().get(cls, ())
                if len(kinds) < 2:  # nothing to choose
                    continue
                hint = Literal[kinds]
            if (cls, name) == (Experiment, "recipe") or (cls is Teacher and name != "file"):
                continue
            alias = SHORT.get((cls, name))
            alias = None if alias in taken else alias
            if name in ("init_from", "file"):
                hint = Annotated[hint, flag(metavar="MODEL", aliases=(alias,) if alias else None)]
            elif alias is not None:
                metavar = "INT|INTxINT" if name == "size" else None
                # Where only short names are listed, the long ones would take a line of their own each.
                names = {"name": alias[2:], "prefix_name": False} if short else {"aliases": (alias,)}
                hint = Annotated[hint, _with_default(**names, metavar=metavar)]
            elif short and cls is not Experiment and not dataclasses.is_dataclass(value):
                continue
            if short and dataclasses.is_dataclass(value) and name not in ("data", "training"):
                continue
            fields.append(StructFieldSpec(name=name, type=hint, default=value, helptext=field.description))
        return StructConstructorSpec(instantiate=dict, fields=tuple(fields))

    return rules


def _with_default(**options: Any) -> Any:
    """How a setting looks on the command line, beside its default."""
    import tyro

    return tyro.conf.arg(**options)


@cache
def _kinds() -> dict[type, tuple[str, ...]]:
    """Every class of settings that stands in for others, and the names of all that may stand there."""
    found: dict[type, tuple[str, ...]] = {}

    def walk(cls: type) -> None:
        for hint in get_type_hints(cls).values():
            members = [one for one in (get_args(hint) or (hint,)) if dataclasses.is_dataclass(one)]
            names = tuple(str(one.__dataclass_fields__["kind"].default) for one in members if hasattr(one, "kind"))
            for member in members:
                assert isinstance(member, type)
                if cls is not Experiment:  # the recipe chooses the model
                    found[member] = names
                walk(member)

    walk(Experiment)
    return found


# ----------------------------------------------------------------------------------------------------- what they say


def over(base: Experiment, said: Any) -> Experiment:
    """The base with what flags say, as the registry's rule collected it in the place of an Experiment.

    Raises SettingsError, which names flags as they are typed.
    """
    assert isinstance(said, dict)
    try:
        return change(base, said, "--")
    except SettingsError as error:
        typed = re.sub(r"(?m)^--[\w.]+:", lambda found: found[0].replace("_", "-"), str(error))
        raise SettingsError(typed) from None


def with_length(experiment: Experiment, args: Sequence[str]) -> Experiment:
    """Who says epochs means them, whatever the base counted in."""
    if given(args, "--epochs", "--training.epochs"):
        return change(experiment, {"training": {"steps": 0}})
    return experiment


def value_of(args: Sequence[str], flag: str) -> str | None:
    """The value of a flag that has to be known before the others are read; the last one counts."""
    return next((said for word, said in reversed(list(pairs(args))) if word == flag), None)


def pairs(args: Sequence[str]) -> Iterator[tuple[str, str | None]]:
    """Every flag with the word that belongs to it."""
    for index, word in enumerate(args):
        if word == "--":
            return
        if word.startswith("--"):
            name, equals, said = word.partition("=")
            after = args[index + 1] if index + 1 < len(args) else None
            yield name.replace("_", "-"), said if equals else after
