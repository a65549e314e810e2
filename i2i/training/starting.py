"""Begin with weights that are there: of another run, a translator file, or files of the reference implementation."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor

from i2i.engine import checkpoint
from i2i.errors import ModelFileError
from i2i.experiment import Experiment, parse_yaml
from i2i.game import Model
from i2i.networks import reference
from i2i.networks.settings import ResNet, UNet
from i2i.networks.shapes import only_shapes
from i2i.settings import as_dict
from i2i.translator import load_network

Role = Literal["generator", "discriminator", "helper"]
_ADVICE = (
    "Wanted: a run folder, a translator .safetensors, or net_G and net_D files of the reference implementation (.pth, "
    "or their folder)."
)
_NO_WEIGHTS = ("dropout", "checkpoint")
"""Settings of networks that change none of their weights."""


@dataclass(frozen=True)
class Part:
    """One network of a model: what it is for, and its weights."""

    name: str
    """As the model calls it, or its file."""
    role: Role
    direction: str
    """The way that it translates, or whose results it judges: D_Y judges AtoB. A helper's own name; "" if unknown."""
    weights: Mapping[str, Tensor]
    architecture: Any = None
    """Its settings, where they are known."""

    def __str__(self) -> str:
        return f"{self.role} {self.direction}" if self.direction and self.role != "helper" else self.role


class Start:
    """Weights to begin with, read from a model; `experiment` says from which (`init_from`), and what to take."""

    def __init__(self, experiment: Experiment) -> None:
        """Raises ModelFileError where there are none."""
        self.path = Path(experiment.init_from)
        self._all = _read(self.path)
        what = experiment.init_what
        self._there = [
            part for part in self._all if what == "both" or (part.role == "discriminator") == (what[0] == "d")
        ]
        self._what = what
        if not self._there:
            raise ModelFileError(f"{self.path}: holds no {what}, only {_listed(self._all)}. Leave --init-what out.")

    def put_into(self, model: Model, experiment: Experiment) -> list[str]:
        """Give a model the weights that fit it; what was taken, what not and why, a sentence a network.

        A network is taken whole, or but for its first and last layer, where these have other channels. Raises
        ModelFileError where nothing fits.
        """
        wanted = parts_of(model, experiment)
        said, taken = [], 0
        for part in wanted:
            if self._what != "both" and (part.role == "discriminator") != (self._what[0] == "d"):
                said.append(f"{part.name} starts anew: only the {self._what} was asked for")
                continue
            found = _partner(part, wanted, self._there)
            if found is None:
                said.append(f"{part.name} starts anew: {self.path} holds {_listed(self._all)}, no {part}")
                continue
            fits, reason = _fitting(part, found)
            _refuse_broken(self.path, fits)
            with torch.no_grad():
                for name, value in fits.items():
                    part.weights[name].copy_(value)
            taken += len(fits)
            if not fits:
                said.append(f"{part.name} starts anew: the {found} of {self.path} does not fit: {reason}")
            else:
                but = f"; new are those that do not fit: {reason}" if reason else ""
                all_of_it = f"{len(fits)} of its {len(part.weights)} tensors"
                said.append(f"{part.name} starts from the {found} of {self.path}: {all_of_it}{but}")
        if not taken:
            raise ModelFileError(f"{self.path}: nothing of it fits this run. {'. '.join(said)}.")
        return said


def parts_of(model: Model, experiment: Experiment) -> list[Part]:
    """The networks of a model that a player moves, with their own tensors."""
    names = {id(module): name for name, module in model.named_children()}
    ways = {id(network): way for way, network in model.translators().items()}
    settings = experiment.model
    found = []
    for player, modules in model.players().items():
        for module in modules:
            name, way = names[id(module)], ways.get(id(module))
            role: Role = "discriminator" if player == "D" else "generator" if way else "helper"
            if role == "helper":
                way = name
            elif len(ways) == 1:
                way = experiment.data.direction
            elif role == "discriminator":
                way = {"D_X": "BtoA", "D_Y": "AtoB"}.get(name, "")
            architecture = {"generator": experiment.generator, "discriminator": settings.discriminator}.get(role)
            found.append(Part(name, role, way or "", module.state_dict(), architecture))
    return found


# ------------------------------------------------------------------------------------------------------- what is there


def _read(path: Path) -> list[Part]:
    """Every network that a model holds. Raises ModelFileError."""
    if not path.exists():
        raise ModelFileError(f"{path}: no such model to start from. {_ADVICE}")
    if path.is_dir():
        return _of_folder(path)
    match path.suffix.lower():
        case ".safetensors":
            return [_of_translator(path)]
        case ".pt":
            return _of_checkpoint(path)
        case ".onnx":
            raise ModelFileError(f"{path}: an exported network cannot be trained. {_ADVICE}")
        case _:
            return [_of_reference(path)]


def _of_folder(folder: Path) -> list[Part]:
    if (folder / "checkpoint.pt").exists():
        return _of_checkpoint(folder / "checkpoint.pt")
    names = ("translator", "translator_AtoB", "translator_BtoA")
    if files := [file for name in names if (file := folder / f"{name}.safetensors").exists()]:
        return [_of_translator(file) for file in files]
    latest = (folder / f"latest_net_{name}.pth" for name in ("G", "D", "G_A", "G_B", "D_A", "D_B"))
    if files := [file for file in latest if file.exists()]:
        return [_of_reference(file) for file in files]
    if (folder / "experiment.yaml").exists():
        raise ModelFileError(f"{folder}: has no checkpoint yet, so there is nothing to start from.")
    raise ModelFileError(f"{folder}: no model to start from (no checkpoint.pt or latest_net_G.pth in it). {_ADVICE}")


def _of_checkpoint(path: Path) -> list[Part]:
    state = checkpoint.load(path)
    try:
        experiment = parse_yaml(state["experiment"], str(path))
        with only_shapes():
            model = experiment.build(*state["channels"])
        shapes = parts_of(model, experiment)
        # A model of one translator knows it by its own name, whatever the direction of its data.
        ways = {id(network): way for way, network in model.translators().items()}
        own = {name: ways[id(module)] for name, module in model.named_children() if id(module) in ways}
        parts = []
        for part in shapes:
            average = state["average"].get(own.get(part.name), {})
            weights = {name: average.get(name, state["model"][f"{part.name}.{name}"]) for name in part.weights}
            if not all(isinstance(value, Tensor) for value in weights.values()):
                raise TypeError("weights that are no tensors")
            parts.append(replace(part, weights=weights))
    except (KeyError, TypeError, ValueError, AttributeError, RuntimeError) as error:
        reason = (str(error).splitlines() or ["nothing"])[0]
        raise ModelFileError(f"{path}: not the checkpoint of a run that i2i knows ({reason}).") from None
    return parts


def _of_translator(path: Path) -> Part:
    network, card = load_network(path)
    return Part(path.name, "generator", card.direction, network.state_dict(), card.architecture)


def _of_reference(path: Path) -> Part:
    found = reference.read(path)
    # D_A of the reference judges what G_A makes, in B.
    which = re.search(r"net_[GD]_([AB])$", path.stem)
    direction = {"A": "AtoB", "B": "BtoA"}[which[1]] if which else ""
    role: Role = "generator" if isinstance(found.architecture, (UNet, ResNet)) else "discriminator"
    return Part(path.name, role, direction, found.build().state_dict(), found.architecture)


# ---------------------------------------------------------------------------------------------------------- what fits


def _partner(part: Part, wanted: Sequence[Part], there: Sequence[Part]) -> Part | None:
    """Whose weights a part starts from: the only one of its role, or the one of its direction."""
    alike = [one for one in there if one.role == part.role]
    single = len(alike) == 1 and [one.role for one in wanted].count(part.role) == 1
    if single and part.role != "helper":
        return alike[0]
    return next((one for one in alike if (one.direction or "AtoB") == part.direction), None)


def _fitting(part: Part, found: Part) -> tuple[dict[str, Tensor], str]:
    """The weights that a part can take, and why it cannot take the others."""
    ours = {name: tuple(value.shape) for name, value in part.weights.items()}
    theirs = {name: tuple(value.shape) for name, value in found.weights.items()}
    odd = [name for name in (*ours, *(theirs.keys() - ours.keys())) if ours.get(name) != theirs.get(name)]
    if not odd:
        return dict(found.weights), ""
    reason = _shapes_differ(odd, ours, theirs)
    layers = [_layer(name) for name in ours]
    if ours.keys() == theirs.keys() and {_layer(name) for name in odd} <= {layers[0], layers[-1]}:
        return {name: value for name, value in found.weights.items() if name not in odd}, reason
    return {}, "; ".join([*_settings_differ(part.architecture, found.architecture), reason])


def _shapes_differ(odd: Sequence[str], ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> str:
    first = odd[0]
    more = f" (and {len(odd) - 1} more)" if len(odd) > 1 else ""
    sides = (f"{list(shapes[first])} {place}" if first in shapes else f"not {place}" for shapes, place in
             ((theirs, "there"), (ours, "here")))  # fmt: skip
    return f"{first} is {' and '.join(sides)}{more}"


def _settings_differ(ours: Any, theirs: Any) -> Iterator[str]:
    """What makes two networks two: 'width 32 there, 64 here'."""
    if ours is None or theirs is None:
        return
    if ours.kind != theirs.kind:
        yield f"{theirs.kind} there, {ours.kind} here"
        return
    here, there = as_dict(ours), as_dict(theirs)
    for name in here:
        if here[name] != there[name] and name not in _NO_WEIGHTS:
            yield f"{name} {there[name]} there, {here[name]} here"


def _layer(name: str) -> str:
    return name.partition(".parametrizations")[0] if ".parametrizations" in name else name.rpartition(".")[0]


def _refuse_broken(path: Path, weights: Mapping[str, Tensor]) -> None:
    for name, value in weights.items():
        if value.is_complex() or (value.is_floating_point() and not value.isfinite().all()):
            raise ModelFileError(f"{path}: its weights ({name}) are no numbers, so nothing can start from them.")


def _listed(parts: Iterable[Part]) -> str:
    return " and ".join(f"a {part}" for part in parts) or "nothing"
