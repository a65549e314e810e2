"""A model to an ONNX file that others can run, compared with the original before it is written."""

from dataclasses import dataclass
from pathlib import Path
from typing import cast

import torch
from torch import nn

from i2i.engine.device import choose_device
from i2i.errors import ModelFileError, SettingsError
from i2i.files import written_whole
from i2i.networks.blocks import BatchNorm
from i2i.settings import Direction
from i2i.translator.backends import Backend, Engine, installed, start
from i2i.translator.backends.torch import TorchBackend
from i2i.translator.card import NormMode
from i2i.translator.exported import Exported
from i2i.translator.files import load_network
from i2i.translator.onnx_file import OPSET, to_onnx

TOLERANCE = 0.004
"""How far the exported network may lie from the original in float32, of the range [-1, 1]: half an 8-bit level."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """The exported network beside the original, on noise."""

    engine: Engine
    sizes: list[tuple[int, int, int]]
    """(pictures, height, width) that were compared."""
    largest: float
    """Largest difference of any value, of the range [-1, 1]."""


def export(
    model: Path,
    out: Path,
    *,
    direction: Direction | None = None,
    norm_mode: NormMode | None = None,
    opset: int = OPSET,
    overwrite: bool = False,
) -> list[Comparison]:
    """Write a model as ONNX; returns how it compares with the original in every engine that is installed.

    Raises ModelFileError where the model cannot be used or its export differs (nothing is written then), SettingsError
    where packages are missing or the output cannot be used.
    """
    if out.suffix.lower() != ".onnx":
        raise SettingsError(f"{out}: wanted a name that ends in .onnx.")
    if out.exists() and not overwrite:
        raise SettingsError(f"{out}: is there already. Give another name, or replace it with --overwrite.")
    network, card = load_network(model, direction)
    if isinstance(network, Exported):
        raise ModelFileError(f"{model}: is exported already. Give the model it was exported from.")
    network = network.eval().requires_grad_(False)
    for layer in network.modules():
        if isinstance(layer, BatchNorm):
            layer.own_statistics = (norm_mode or card.norm_mode) == "picture"
    data = to_onnx(network, card, norm_mode=norm_mode, opset=opset)
    comparisons = [
        _compare(network, start(engine, data, str(out), half=False), engine, card.in_channels) for engine in installed()
    ]
    for one in comparisons:
        if not one.largest <= TOLERANCE:
            raise ModelFileError(
                f"{model}: exported, it differs from itself by {one.largest:.2g} in {one.engine}, {TOLERANCE} at most "
                f"was wanted. Nothing is written; another --opset may do."
            )
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with written_whole(out) as file:
            file.write(data)
    except OSError as error:
        raise SettingsError(f"{out}: cannot be written ({error.strerror or error}).") from None
    return comparisons


def _compare(network: nn.Module, engine: Backend, name: Engine, channels: int) -> Comparison:
    side = max(8, cast(int, network.multiple))
    sizes = [(1, side, side), (2, side, 2 * side), (1, 3 * side, side)]
    original = TorchBackend(network, choose_device("cpu"))
    draws = torch.Generator().manual_seed(0)
    largest = 0.0
    for count, height, width in sizes:
        batch = 2 * torch.rand(count, channels, height, width, generator=draws) - 1
        apart = (engine(batch, False) - original(batch, False)).abs().max()
        largest = max(largest, float(apart.nan_to_num(torch.inf)))
    return Comparison(name, sizes, largest)
