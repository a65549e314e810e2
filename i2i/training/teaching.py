"""The teacher of a distillation: read once, described in the experiment, kept in the run as teacher.safetensors."""

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

from torch import nn

from i2i.data.folders import find_domains, find_pairs, find_pictures, sampled
from i2i.errors import DatasetError, ModelFileError, SettingsError
from i2i.experiment import Experiment, Tree, change
from i2i.game import Model
from i2i.models.distill import Distill
from i2i.models.settings import DataKind
from i2i.models.settings import Distill as Distillation
from i2i.networks.blocks import BatchNorm
from i2i.networks.settings import ResNet, UNet
from i2i.settings import Direction, as_dict
from i2i.translator import Card, load_network, save_network

NAME = "teacher.safetensors"
WIDE = 1.5
"""Aspect of most pictures of one folder from which they are taken for pairs side by side."""


def taught_by(experiment: Experiment, file: str | Path, direction: Direction | None = None) -> Experiment:
    """A distillation from this teacher, at the size and by the geometry that the teacher was trained at.

    `direction` chooses of two translators. Raises ModelFileError, and SettingsError where nothing is distilled.
    """
    if not isinstance(experiment.model, Distillation):
        raise SettingsError(f"teacher {file}: the recipe {experiment.recipe} has none; i2i train distill has.")
    network, card = _load(Path(file), direction)
    data: Tree = {"direction": card.direction}
    if card.recipe != "reference":  # whose files say nothing of it
        data |= {"size": card.size, "resize": card.resize, "labels": "source" if card.labels else "none"}
    if card.in_channels == card.out_channels:
        data["channels"] = "gray" if card.in_channels == 1 else "rgb"
    return change(experiment, {"model": {"teacher": _described(file, network, card)}, "data": data})


def ready(experiment: Experiment, data: Path) -> Experiment:
    """The experiment with all that is read from its teacher's file and from the form of the data; others as they are.

    Raises SettingsError where a distillation has no teacher, ModelFileError and DatasetError.
    """
    model = experiment.model
    if not isinstance(model, Distillation):
        return experiment
    if not model.teacher.file:
        raise SettingsError("distill: learns from a trained model, and none is named. Name it with --teacher MODEL.")
    if not model.teacher.sha256:
        network, card = _load(Path(model.teacher.file), experiment.data.direction)
        experiment = change(experiment, {"model": {"teacher": _described(model.teacher.file, network, card)}})
    if model.sources == "auto":
        form = _form(data)
        changes: Tree = {"model": {"sources": form}}
        if experiment.data.labels == "source" and form != "pairs":
            # Of two domains settings call the first the source; pictures of one folder are targets to all others.
            back = form == "pictures" or model.teacher.direction == "BtoA"
            changes["data"] = {"labels": "target" if back else "source"}
        experiment = change(experiment, changes)
    return experiment


class Teaching:
    """The teacher of a run, from its file or, where the run goes on, from the run's copy."""

    def __init__(self, settings: Distillation, run: Path, begun: bool) -> None:
        """Raises ModelFileError where it is not the one that the experiment names."""
        file = run / NAME if begun else Path(settings.teacher.file)
        self.network, self.card = _load(file, None if begun else settings.teacher.direction)
        if (found := digest(self.network)) != settings.teacher.sha256:
            raise ModelFileError(
                f"{file}: has changed; the teacher of this run has weights of SHA-256 {settings.teacher.sha256[:12]}, "
                f"these are of {found[:12]}."
            )
        for layer in self.network.modules():
            if isinstance(layer, BatchNorm):
                layer.own_statistics = self.card.norm_mode == "picture"
        self._back = settings.sources == "domains" and settings.teacher.direction == "BtoA"

    def check(self, channels: tuple[int, int]) -> None:
        """Raise DatasetError where the data has other channels than the teacher was trained on."""
        wanted = self.card.in_channels, self.card.out_channels
        found = channels[::-1] if self._back else channels
        if wanted != found:
            raise DatasetError(
                f"the pictures have {found[0]} and {found[1]} channels (source and target), but the teacher translates "
                f"{wanted[0]} to {wanted[1]}. Give pictures like those that it was trained on."
            )

    def teach(self, model: Model) -> None:
        """Take its place in the model."""
        assert isinstance(model, Distill)
        model.teach_with(self.network)

    def keep(self, run: Path) -> None:
        """Leave the run its own copy. Raises OSError."""
        save_network(self.network, self.card, run / NAME)


def digest(network: nn.Module) -> str:
    """SHA-256 of all names, shapes and numbers of a network."""
    found = hashlib.sha256()
    for name, value in network.state_dict().items():
        plain = value.detach().cpu().contiguous()
        found.update(f"{name} {tuple(plain.shape)} {plain.dtype} ".encode())
        found.update(plain.numpy().tobytes())
    return found.hexdigest()


def _load(file: Path, direction: Direction | None) -> tuple[nn.Module, Card]:
    network, card = load_network(file, direction)
    if card.task.kind != "none":
        raise ModelFileError(f"{file}: makes its own sources ({card.task.kind}), and teaches none that are given.")
    if not isinstance(card.architecture, (UNet, ResNet)) or file.suffix.lower() == ".onnx":
        raise ModelFileError(f"{file}: an exported network cannot teach. Give the run or the translator it came from.")
    return network, card


def _described(file: str | Path, network: nn.Module, card: Card) -> dict[str, Any]:
    architecture = card.architecture
    if isinstance(architecture, UNet) and not architecture.depth:
        architecture = replace(architecture, depth=8)  # what a file that says none is read as
    described = {"file": str(file), "sha256": digest(network), "direction": card.direction}
    return described | {"architecture": as_dict(architecture)}


def _form(root: Path) -> DataKind:
    """What a folder holds: pairs, two domains, or pictures of one kind. Raises DatasetError."""
    try:
        find_domains(root)
    except DatasetError:
        headers = list(sampled(find_pictures(root).pictures).values())
        wide = sum(header.width >= WIDE * header.height for header in headers)
        return "pairs" if 2 * wide > len(headers) else "pictures"
    try:
        find_pairs(root)
    except DatasetError:
        return "domains"
    return "pairs"
