"""`i2i train`: an experiment from a recipe, a file and flags, into a run folder."""

import contextlib
import dataclasses
import os
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args, get_type_hints

import yaml
from tyro.constructors import (
    ConstructorRegistry,
    StructConstructorSpec,
    StructFieldSpec,
    StructTypeInfo,
)

from i2i.cli.parsing import Switch, Where, flag, given, parse
from i2i.data.settings import Cache, DataSettings
from i2i.engine.monitor import UNTOLD
from i2i.engine.settings import TrainingSettings
from i2i.errors import ModelFileError, SettingsError, UserError
from i2i.experiment import Experiment, Tree, change, from_yaml, set_width
from i2i.models.settings import Distill, FromNoise, Teacher, TextToImage
from i2i.recipes import RECIPES, recipe
from i2i.settings import as_dict

if TYPE_CHECKING:
    from i2i.cli.progress import Bar

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

SPEAKING_S = 10.0
"""For the first process to come as far as saying what is wrong."""
MAY_CHANGE = ("steps", "epochs", "checkpoint_every", "keep")
"""Settings of training that a run may change when it goes on."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Train:
    """The command line of a run: what is no setting of its experiment, and the experiment."""

    data_dir: Annotated[Path | None, flag(name="data", metavar="DIR")] = None
    """Folder of the training pictures."""
    out: Annotated[Path | None, flag(metavar="RUN")] = None
    """Folder of the run: runs/<recipe>-<data> if not said."""
    width: Annotated[int | None, flag(metavar="INT")] = None
    """Base channels of generator and discriminator."""
    device: Annotated[str, flag(metavar=Where)] = "auto"
    """Where to compute; auto takes a GPU where there is one."""
    workers: Annotated[Literal["auto"] | int, flag(metavar="auto|INT")] = "auto"
    """Processes that load pictures."""
    cache: Annotated[Cache, flag(metavar="WHERE")] = "auto"
    """Keep pictures decoded: auto, memory, disk or none."""
    cache_dir: Annotated[Path | None, flag(metavar="DIR")] = None
    """Where on disk: ~/.cache/i2i if not said."""
    max_time: Annotated[str | None, flag(metavar="3h50m")] = None
    """Save and end after so long, with exit code 0."""
    resume: Annotated[Path | None, flag(metavar="RUN")] = None
    """Go on with a run; --steps or --epochs trains it further."""
    rollback: Switch = False
    """With --resume: return to the last healthy checkpoint of those kept (--keep), and halve the learning rate."""
    go_on: Annotated[Switch, flag(name="continue")] = False
    """Start the run or go on with it: one command for clusters."""
    overwrite: Switch = False
    """Throw away a run that is there already."""
    config: Annotated[Path | None, flag(metavar="FILE")] = None
    """Start from a saved experiment; flags win over it."""
    experiment: Annotated[Experiment, flag(name="")] = dataclasses.field(default_factory=Experiment)
    """The typed settings."""


def main(args: Sequence[str]) -> int:
    """Train, or go on; returns 0 where the run is done or its time is up."""
    args = list(args)
    with said_once():
        asked, experiment, seconds = _read(args)
    return _train(asked, experiment, seconds, args)


def _read(args: list[str]) -> tuple[Train, Experiment, float | None]:
    """What the command line asks for, and for how many seconds."""
    name = args.pop(0) if args and not args[0].startswith("-") else None
    if name is None and ("--help" in args or "-h" in args):
        _short_help()
    resume = _value(args, "--resume")
    base = _base(name, args, resume)
    asked = _parse(args, _with_kinds_and_width(base, args), name or base.recipe)
    experiment = _with_length(_flags(base, _tree(asked.experiment)), args)
    if resume is not None:
        _refuse_changes(base, experiment, resume)
        _refuse_with_resume(args)
    elif asked.rollback:
        raise SettingsError(
            "--rollback: returns a run that is gone on with. Name it: i2i train --resume RUN --rollback"
        )
    seconds = parse_time(asked.max_time) if asked.max_time else None
    if isinstance(asked.workers, int) and asked.workers < 0:
        raise SettingsError(f"--workers {asked.workers}: wanted auto, or 0 and more.")
    data = asked.data_dir
    if data is None and asked.resume is None:
        raise SettingsError(f"no data: give the folder of pictures, as in: i2i train {experiment.recipe} --data DIR")
    return asked, experiment, seconds


def _train(asked: Train, experiment: Experiment, seconds: float | None, args: Sequence[str]) -> int:
    from i2i import training

    with listening() as listener:
        common: dict[str, Any] = {
            "device": asked.device,
            "workers": asked.workers,
            "cache": asked.cache,
            "cache_dir": asked.cache_dir,
            "max_seconds": seconds,
            "listener": listener,
        }
        if asked.resume is not None:
            changed = {
                name: getattr(experiment.training, name) if given(args, f"--{word}", f"--training.{word}") else None
                for name in MAY_CHANGE
                for word in [name.replace("_", "-")]
            }
            run = training.train(resume=asked.resume, data=asked.data_dir, rollback=asked.rollback, **changed, **common)
        else:
            run = training.train(
                experiment,
                data=asked.data_dir,
                out=asked.out,
                existing="continue" if asked.go_on else "overwrite" if asked.overwrite else "refuse",
                **common,
            )
    if os.environ.get("RANK", "0") != "0":
        return 0  # of several processes the first one speaks
    print(f"{run.path}: {run.steps} steps. Its page: {run.path / 'report.html'}")
    if isinstance(experiment.model, TextToImage):
        print(f"Use it: i2i sample {run.path} --text 'WHAT TO MAKE'")
    elif not isinstance(experiment.model, FromNoise):
        print(f"Use it: i2i translate {run.path} PICTURES... OUTPUT")
    return 0


@contextlib.contextmanager
def said_once() -> Iterator[None]:
    """Leave it to the first process on a machine to say what is wrong with a command line that torchrun gave to all."""
    try:
        yield
    except UserError:
        if os.environ.get("LOCAL_RANK", "0") != "0":
            time.sleep(SPEAKING_S)  # torchrun ends all as soon as one has left, also one that has not yet spoken
            raise SystemExit(2) from None
        raise


@contextlib.contextmanager
def listening(what: str = "step") -> Iterator[Any]:
    """A training's Listener that shows steps, speed, time left and losses."""
    from i2i.cli.progress import Bar, losses
    from i2i.training import Listener

    class Shown(Listener):
        def __init__(self, bar: "Bar") -> None:
            self.bar = bar
            self.decoding: Bar | None = None

        def note(self, text: str) -> None:
            self.bar.note(text)

        def decoded(self, done: int, total: int) -> None:
            if self.decoding is None:
                self.decoding = Bar("decoding", "items")
                self.decoding.start(0, total)
            self.decoding.update(done)
            if done == total:
                self.decoding.close()
                self.decoding = None

        def started(self, step: int, steps: int) -> None:
            if step < steps:
                self.bar.start(step, steps)

        def stepped(self, step: int) -> None:
            self.bar.update(step)

        def logged(self, record: Mapping[str, Any]) -> None:
            # A word where the game is ill; a healthy one needs none, nor one too young to tell.
            verdict = record.get("health", {}).get("verdict", "healthy")
            ill = "" if verdict in ("healthy", UNTOLD) else f"{verdict}  "
            self.bar.update(record["step"], detail=ill + losses(record["losses"]))

    with Bar(what, "steps") as bar:
        yield Shown(bar)


# ------------------------------------------------------------------------------------------- what the flags start from


def _base(name: str | None, args: Sequence[str], resume: str | None) -> Experiment:
    """What stands before the flags: a run's own experiment, or recipe and file."""
    if resume is not None:
        base = _saved(Path(resume))
        if name is not None and name != base.recipe:
            raise SettingsError(f"{resume}: a resumed run keeps its recipe, {base.recipe}. Leave {name!r} out.")
        return base
    base = recipe(name) if name is not None else None
    if (file := _value(args, "--config")) is not None:
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
    teacher = _value(args, "--teacher") or _value(args, "--model.teacher.file")
    if teacher is None or not isinstance(base.model, Distill):
        return base  # where it is no distillation the flag is unknown
    from i2i.training.teaching import taught_by

    direction = _value(args, "--direction") or _value(args, "--data.direction")
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


def _saved(run: Path) -> Experiment:
    if not (run / "experiment.yaml").is_file():
        found = "is no run folder (no experiment.yaml in it)" if run.is_dir() else "no such run folder"
        raise ModelFileError(f"{run}: {found}, so there is nothing to go on from.")
    return from_yaml(run / "experiment.yaml")


def _with_kinds_and_width(base: Experiment, args: Sequence[str]) -> Experiment:
    """The base with what changes the other flags or their defaults, so that whatever is said explicitly wins."""
    kinds = {
        match[1].replace("-", "_"): value
        for word, value in _pairs(args)
        if (match := re.fullmatch(r"--((?:model|data)\.[\w.-]+)\.kind", word)) and value is not None
    }
    for path, kind in sorted(kinds.items(), key=lambda item: item[0].count(".")):
        tree: Tree = {"kind": kind}
        for part in reversed(path.split(".")):
            tree = {part: tree}
        base = _flags(base, tree)
    width = _value(args, "--width")
    if width is None:
        return base
    if not width.isascii() or not width.isdigit() or not int(width):
        raise SettingsError(f"--width: {width!r} cannot be used, wanted a number of channels such as 32.")
    return set_width(base, int(width))


def _value(args: Sequence[str], flag: str) -> str | None:
    """The value of a flag that has to be known before the others are read; the last one counts."""
    return next((value for word, value in reversed(list(_pairs(args))) if word == flag), None)


def _pairs(args: Sequence[str]) -> Iterator[tuple[str, str | None]]:
    """Every flag with the word that belongs to it."""
    for index, word in enumerate(args):
        if word == "--":
            return
        if word.startswith("--"):
            name, equals, value = word.partition("=")
            after = args[index + 1] if index + 1 < len(args) else None
            yield name.replace("_", "-"), value if equals else after


# ------------------------------------------------------------------------------------------------------ reading flags


def _parse(args: Sequence[str], base: Experiment, name: str) -> Train:
    description = (
        f"Train {name} on your pictures. A run can be stopped and resumed at any moment.\n\n"
        f"Example: i2i train {name} --data photos --out runs/first --size 128 --epochs 40"
    )
    asked, words = parse(Train(experiment=base), args, f"i2i train {name}", description, registry())
    if words:
        hint = f"pictures are named by --data {words[0]}" if Path(words[0]).exists() else "the recipe is the first word"
        raise SettingsError(f"{words[0]!r}: a word too many; {hint}. See i2i train --help")
    if asked.go_on and asked.overwrite:
        raise SettingsError("--continue keeps a run that is there, --overwrite throws it away: say one of them.")
    if given(args, "--steps", "--training.steps") and given(args, "--epochs", "--training.epochs"):
        raise SettingsError("--steps and --epochs both give the length of the whole run: say one of them.")
    return asked


def _short_help() -> None:
    """The flags that have a short name; the full set belongs to a recipe."""
    description = (
        "Train a recipe on your pictures, or go on with a run.\n\n"
        f"Example: i2i train pix2pix --data facades --direction BtoA --out runs/facades\n\n"
        f"Recipes: {', '.join(RECIPES)} (i2i recipes tells more).\n\n"
        "All settings of a recipe: i2i train pix2pix --help"
    )
    parse(Train(), ["--help"], "i2i train RECIPE --data DIR", description, registry(short=True))


def _tree(experiment: Any) -> Tree:
    """What the registry's rule collected in the place of an Experiment."""
    assert isinstance(experiment, dict)
    return experiment


def _flags(base: Experiment, tree: Tree) -> Experiment:
    """The base with what flags say; errors name them as they are typed."""
    try:
        return change(base, tree, "--")
    except SettingsError as error:
        typed = re.sub(r"(?m)^--[\w.]+:", lambda found: found[0].replace("_", "-"), str(error))
        raise SettingsError(typed) from None


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
                hint = Annotated[hint, flag_with_default(**names, metavar=metavar)]
            elif short and cls is not Experiment and not dataclasses.is_dataclass(value):
                continue
            if short and dataclasses.is_dataclass(value) and name not in ("data", "training"):
                continue
            fields.append(StructFieldSpec(name=name, type=hint, default=value, helptext=field.description))
        return StructConstructorSpec(instantiate=dict, fields=tuple(fields))

    return rules


def flag_with_default(**options: Any) -> Any:
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


def parse_time(text: str) -> float:
    """'3h50m' -> 13800.0 seconds. Units: d, h, m, s."""
    units = {"d": 86400, "h": 3600, "m": 60, "s": 1}
    if not re.fullmatch(r"(\d+(\.\d+)?[dhms])+", text):
        raise SettingsError(f"--max-time: {text!r} cannot be used, wanted a time such as 3h50m, 90m or 45s.")
    return sum(float(number) * units[unit] for number, _, unit in re.findall(r"(\d+(\.\d+)?)([dhms])", text))


def _with_length(experiment: Experiment, args: Sequence[str]) -> Experiment:
    """Who says epochs means them, whatever the base counted in."""
    if given(args, "--epochs", "--training.epochs"):
        return change(experiment, {"training": {"steps": 0}})
    return experiment


# ----------------------------------------------------------------------------------------------------------- going on


def _refuse_changes(before: Experiment, after: Experiment, run: str) -> None:
    free = {f"training.{name}" for name in MAY_CHANGE}
    ours, theirs = as_dict(before), as_dict(after)
    changed = [name for name in _different(ours, theirs) if name not in free]
    if changed:
        told = "; ".join(f"{name} is {_at(ours, name)!r} there, not {_at(theirs, name)!r}" for name in changed)
        raise SettingsError(
            f"{run}: a resumed run keeps its {', '.join(changed)} ({told}). What may change: its length (--steps, "
            f"--epochs), --checkpoint-every, --keep, and what is no setting of it (data, device, workers, cache, "
            f"time). Start another run for other settings."
        )


def _refuse_with_resume(args: Sequence[str]) -> None:
    for word in ("--out", "--config", "--overwrite"):
        if given(args, word):
            raise SettingsError(f"{word}: a resumed run stays what and where it is. Leave {word} or --resume out.")


def _at(tree: Any, path: str) -> Any:
    """The value of a setting that is named by its path; None where it does not exist."""
    for part in path.split("."):
        tree = tree.get(part) if isinstance(tree, dict) else None
    return tree


def _different(before: Tree, after: Tree, path: str = "") -> Iterator[str]:
    for key in sorted(before.keys() | after.keys()):
        one, two = before.get(key), after.get(key)
        if isinstance(one, dict) and isinstance(two, dict):
            yield from _different(one, two, f"{path}{key}.")
        elif one != two:
            yield path + key
