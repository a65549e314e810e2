"""Experiment: the typed description of a run. Build it, save it, load it, change it by name."""

import dataclasses
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import yaml
from pydantic import Field, TypeAdapter, ValidationError

from i2i.data.settings import DataSettings
from i2i.data.tasks.settings import SuperResolution, scale_of
from i2i.engine.settings import TrainingSettings
from i2i.errors import SettingsError
from i2i.models import settings as models
from i2i.networks.settings import SRResNet, TextGenerator, UNet, unet_depth
from i2i.settings import as_dict, did_you_mean, settings

if TYPE_CHECKING:
    from i2i.game import Model

Tree = dict[str, Any]
InitWhat = Literal["both", "generator", "discriminator"]
"""Which of another model's weights to start from."""


@settings
class Experiment:
    """A model, what it is shown, and how it is trained."""

    recipe: str = "custom"
    """The recipe that this experiment began as."""

    model: Annotated[models.AnyModel, Field(discriminator="kind")] = models.Pix2Pix()
    """Networks, objective and the weights of its terms."""

    data: DataSettings = DataSettings()
    """Geometry and augmentation."""

    training: TrainingSettings = TrainingSettings()
    """Length, optimizer, schedule."""

    init_from: str = ""
    """Start from the weights of a run, a translator or a .pth."""

    init_what: InitWhat = "both"
    """Which of them to take."""

    @property
    def needs(self) -> models.DataKind:
        """What its model is shown: pairs, domains, or pictures, with captions or without."""
        if isinstance(self.model, models.Distill) and self.model.sources != "auto":
            return self.model.sources
        return models.DATA[self.model.kind]

    def build(self, in_channels: int, out_channels: int) -> "Model":
        """The model, its weights drawn from torch's generator."""
        if self.model.kind == "cyclegan" and self.data.direction == "BtoA":
            raise SettingsError(
                "direction BtoA: a CycleGAN learns both directions at once. Leave --direction away, and say which one "
                "is wanted where pictures are translated; or train one direction with the recipe cut."
            )
        self._refuse_unfit_task()
        changed: Any = {"generator": self.generator}
        return dataclasses.replace(self.model, **changed).build(in_channels, out_channels, self.data.crop)

    @property
    def folder(self) -> models.DataKind:
        """What its folder has to hold: what it needs, or pictures alone where a task makes pairs of them."""
        return self.needs if self.data.task.kind == "none" else "pictures"

    @property
    def generator(self) -> Any:
        """The settings of the model's generator, with what follows from the size and the task."""
        generator, task = self.model.generator, self.data.task
        if isinstance(generator, UNet) and not generator.depth:
            return dataclasses.replace(generator, depth=unet_depth(self.data.crop))
        if isinstance(generator, SRResNet) and not generator.scale:
            enlarged = isinstance(task, SuperResolution) and task.enlarged
            return dataclasses.replace(generator, scale=1 if enlarged else scale_of(task))
        if isinstance(generator, TextGenerator) and not generator.text:
            return dataclasses.replace(generator, text=self.data.caption)
        return generator

    @property
    def source_size(self) -> tuple[int, int]:
        """Of what the generator sees in training, (height, width): the crop, or less where it enlarges."""
        task = self.data.task
        scale = 1 if isinstance(task, SuperResolution) and task.enlarged else scale_of(task)
        height, width = self.data.crop
        return height // scale, width // scale

    def _refuse_unfit_task(self) -> None:
        """Raise SettingsError where the task is none for this model, its size or its generator."""
        task, generator = self.data.task, self.generator
        if task.kind != "none" and self.model.kind != "pix2pix":
            raise SettingsError(
                f"data.task {task.kind}: makes pairs of a folder's pictures, and a {self.model.kind} trains on "
                f"{self.needs} of its own. Use the recipe {task.kind}, or --data.task.kind none."
            )
        if task.kind != "none" and self.data.direction == "BtoA":
            raise SettingsError(
                f"direction BtoA: {task.kind} makes its own sources, so there is one way. Leave it out."
            )
        scale = scale_of(task)
        if any(side % scale for side in self.data.crop):
            near = "x".join(dict.fromkeys(str(max(scale, round(side / scale) * scale)) for side in self.data.crop))
            raise SettingsError(
                f"size {self.data.size}: super-resolution x{scale} wants sides that are multiples of {scale}. The "
                f"nearest is --size {near}."
            )
        grows = generator.scale if isinstance(generator, SRResNet) else 1
        wanted = 1 if isinstance(task, SuperResolution) and task.enlarged else scale
        if grows == wanted:
            return
        way_out = (
            "Enlarge sources before it with --data.task.enlarged, or use --model.generator.kind srresnet"
            if grows == 1
            else "Leave --model.generator.scale out: it follows from the task"
        )
        raise SettingsError(
            f"model.generator {generator.kind}: its results are {grows} times as large as what it sees, and the task "
            f"{task.kind} wants {wanted} times. {way_out}."
        )


_ADAPTER: TypeAdapter[Experiment] = TypeAdapter(Experiment)


def change(experiment: Experiment, changes: Tree, origin: str = "") -> Experiment:
    """The experiment with some settings changed: {"model": {"lambda_l1": 10.0}}.

    Where a `kind` changes, what both kinds have is kept (CycleGAN's instance norm), the rest starts from the new kind's
    defaults. Raises SettingsError naming the setting, and `origin` before it.
    """
    try:
        return _ADAPTER.validate_json(json.dumps(_overlay(as_dict(experiment), changes)))
    except ValidationError as error:
        raise SettingsError("\n".join(_explain(error, lambda path: origin))) from None


def set_width(experiment: Experiment, width: int) -> Experiment:
    """Generator and discriminator with so many base channels."""
    return change(experiment, {"model": {"generator": {"width": width}, "discriminator": {"width": width}}})


def to_yaml(experiment: Experiment) -> str:
    """The whole experiment, every default written out."""
    return yaml.safe_dump(as_dict(experiment), sort_keys=False, allow_unicode=True)


def from_yaml(path: Path, base: Experiment | None = None) -> Experiment:
    """Read a saved experiment; what it does not say is `base`'s. Raises SettingsError with the file and line."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: cannot be read ({getattr(error, 'strerror', None) or error}).") from None
    return parse_yaml(text, str(path), base)


def parse_yaml(text: str, name: str, base: Experiment | None = None) -> Experiment:
    """As `from_yaml`, of text that came from `name`."""
    try:
        data = yaml.load(text, Loader=_Loader)
        marks = yaml.compose(text, Loader=_Loader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f":{mark.line + 1}" if mark else ""
        raise SettingsError(f"{name}{place}: not YAML ({getattr(error, 'problem', error)}).") from None
    except ValueError as error:
        # YAML's own constructors let a date of month 13 through as Python's complaint.
        raise SettingsError(f"{name}: not YAML ({error}).") from None
    if not isinstance(data, dict):
        raise SettingsError(f"{name}: holds {type(data).__name__}, wanted settings such as 'model:' and 'data:'.")
    if isinstance(model := data.get("model"), dict) and model.get("kind") == "dcgan":
        # What it was called while it was the only one from noise, and had one kind of network for each player.
        players = {name: value for name, value in model.items() if name in ("generator", "discriminator")}
        networks = {name: {"kind": "dcgan"} | value for name, value in players.items() if isinstance(value, dict)}
        data["model"] = model | networks | {"kind": "gan"}
    try:
        tree = json.dumps(_overlay(as_dict(base or Experiment()), data))
    except (TypeError, ValueError) as error:
        # A date is not JSON, nor is an alias of what it stands in.
        raise SettingsError(f"{name}: {error}.") from None
    try:
        return _ADAPTER.validate_json(tree)
    except ValidationError as error:
        lines = _explain(error, lambda path: f"{name}:{_line(marks, path)}: ")
        raise SettingsError("\n".join(lines)) from None


class _Loader(yaml.SafeLoader):
    """YAML 1.1 reads 2e-4 as text; people write it for a number."""


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"^[-+]?(?:\d+\.\d*|\.\d+|\d+)(?:[eE][-+]?\d+)?$"),
    list("-+0123456789."),
)
_Loader.add_implicit_resolver("tag:yaml.org,2002:int", re.compile(r"^[-+]?(?:0|[1-9]\d*)$"), list("-+0123456789"))
# The int rule must be asked before the float rule, which would take it too.
for _first in "-+0123456789":
    _rules = _Loader.yaml_implicit_resolvers[_first]
    _rules.insert(0, _rules.pop())


def _overlay(base: Tree, changes: Tree, known: Any = None) -> Tree:
    """`changes` over `base`, branch by branch; another kind keeps the values that both kinds have: width, norm.

    `known` describes the settings that can stand here.
    """
    known = _EVERYTHING if known is None else known
    kind = changes.get("kind", base.get("kind"))
    if isinstance(known, _Union):
        known = known.members.get(str(kind), {})
    if kind != base.get("kind"):
        base = {name: value for name, value in base.items() if name in known and not isinstance(value, dict)}
    merged = dict(base)
    for key, value in changes.items():
        below = merged.get(key)
        if isinstance(below, dict) and isinstance(value, dict):
            value = _overlay(below, value, known.get(key, {}))
        merged[key] = value
    return merged


def _explain(error: ValidationError, origin: Any) -> list[str]:
    """pydantic's findings, one line each: where, what is wrong, what was meant."""
    lines: dict[str, list[str]] = {}
    for found in error.errors():
        path = _settings_path(found["loc"])
        place = origin(path)
        name = ".".join(path)
        match found["type"]:
            case "unexpected_keyword_argument":
                lines[f"{place}{name}: no such setting; {_hint(path)}"] = []
            case "union_tag_invalid":
                context = found.get("ctx", {})
                lines[f"{place}{name}.kind: {context.get('tag')!r} is none of {context.get('expected_tags')}."] = []
            case "value_error":
                lines[f"{place}{name}: {found['msg'].removeprefix('Value error, ')}"] = []
            case _:
                given = json.dumps(found["input"], default=str)[:60]
                message = found["msg"][:1].lower() + found["msg"][1:]
                lines.setdefault(f"{place}{name}: {given} cannot be used: ", []).append(message)
    # Of a setting that takes one thing or another ('auto' or a number) pydantic says what is wrong with each.
    return [f"{start}{' or '.join(messages)}." if messages else start for start, messages in lines.items()]


def _settings_path(loc: tuple[Any, ...]) -> tuple[str, ...]:
    """pydantic's place without the names of union members, which are no settings."""
    path: list[str] = []
    value: Any = _EVERYTHING
    for part in map(str, loc):
        if not isinstance(value, _Union) and not value:
            break
        if isinstance(value, _Union):
            value = value.members.get(part, {})
            continue
        path.append(part)
        value = value.get(part, {}) if isinstance(value, Mapping) else {}
    return tuple(path)


@dataclasses.dataclass(frozen=True)
class _Union:
    members: Mapping[str, Any]


def _describe(cls: type) -> Mapping[str, Any]:
    """Every setting below a class: name -> its own description, {} for a plain value."""
    from typing import Union, get_args, get_origin, get_type_hints

    described: dict[str, Any] = {}
    for name, hint in get_type_hints(cls).items():
        kinds = [kind for kind in get_args(hint) if dataclasses.is_dataclass(kind)]
        if dataclasses.is_dataclass(hint) and isinstance(hint, type):
            described[name] = _describe(hint)
        elif kinds and (get_origin(hint) is Union or type(hint).__name__ == "UnionType"):
            described[name] = _Union({_kind(kind): _describe(kind) for kind in kinds if isinstance(kind, type)})
        else:
            described[name] = {}
    return described


def _kind(cls: type) -> str:
    return str(cls.__dataclass_fields__["kind"].default)  # pyright: ignore[reportAttributeAccessIssue]


_EVERYTHING = _describe(Experiment)


def _hint(path: tuple[str, ...]) -> str:
    """What could have stood where the last part of `path` stands."""
    value: Any = _EVERYTHING
    for part in path[:-1]:
        options = value.members.values() if isinstance(value, _Union) else [value]
        value = next((option[part] for option in options if part in option), {})
    if not isinstance(value, _Union):
        return did_you_mean(path[-1], value)
    having = [kind for kind, settings in value.members.items() if path[-1] in settings]
    if having:
        return f"only {' and '.join(having)} {'has' if len(having) == 1 else 'have'} it."
    return did_you_mean(path[-1], {name for settings in value.members.values() for name in settings})


def _line(node: yaml.Node | None, path: tuple[str, ...]) -> int:
    """The line, from 1, where the longest known part of `path` stands."""
    line = node.start_mark.line if node else 0
    for part in path:
        if not isinstance(node, yaml.MappingNode):
            break
        for key, value in node.value:
            if key.value == part:
                line, node = key.start_mark.line, value
                break
        else:
            break
    return line + 1
