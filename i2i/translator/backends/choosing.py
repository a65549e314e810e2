"""Which engine runs a network: what was asked for, or what is here and pays."""

import functools
from collections.abc import Callable

import torch
from torch import nn

from i2i.errors import SettingsError
from i2i.translator.backends import cache
from i2i.translator.backends.auto import Auto
from i2i.translator.backends.backend import Backend, BackendName, Engine
from i2i.translator.backends.engines import Deferred, installed, refuse_missing, start
from i2i.translator.backends.torch import TorchBackend
from i2i.translator.card import Card
from i2i.translator.exported import Exported


def choose_backend(
    name: BackendName,
    network: nn.Module,
    card: Card,
    *,
    device: torch.device,
    precision: torch.dtype,
    steady: bool,
    tell: Callable[[str], None],
) -> Backend:
    """What runs the network: torch's, or an exported one, for which auto takes the first engine that is installed.

    Raises SettingsError where the engine is not installed or cannot do what is asked, ModelFileError where it refuses
    the model.
    """
    half = precision == torch.bfloat16
    if isinstance(network, Exported):
        engine = _for_exported(name, network, half)
        _refuse_what_engines_cannot(engine, device, steady)
        path = str(network.path)
        return Deferred(engine, lambda: start(engine, network.model, path, half=half))
    of_torch = TorchBackend(network, device)
    if name == "torch" or (name == "auto" and (device.type != "cpu" or steady)):
        return of_torch
    key = functools.cache(lambda: cache.key_of(network, card))  # half a second for a U-Net
    if name != "auto":
        _refuse_what_engines_cannot(name, device, steady)
        return Deferred(name, lambda: _started(name, network, card, key(), half, tell))
    return Auto(
        of_torch,
        card.architecture,
        engines=installed(),
        is_kept=lambda: cache.has(key()),
        prepare=lambda engine: _started(engine, network, card, key(), half, tell),
        tell=tell,
    )


def _for_exported(name: BackendName, network: Exported, half: bool) -> Engine:
    if name == "torch":
        raise SettingsError(
            f"backend torch: {network.path} is exported, which onnxruntime or openvino run. Give the model it was "
            f"exported from."
        )
    if name != "auto":
        return name
    found = installed()
    if not found:
        raise SettingsError(
            f"{network.path}: is exported, and neither onnxruntime nor openvino is installed. Install one with pip "
            f"install 'i2i-toolkit[openvino]' or 'i2i-toolkit[onnx]', or give the model it was exported from."
        )
    # In float32 both are about as fast; bf16 is twice that, and only one has it.
    return "openvino" if "openvino" in found else found[0]


def _refuse_what_engines_cannot(engine: Engine, device: torch.device, steady: bool) -> None:
    if device.type != "cpu":
        raise SettingsError(f"backend {engine}: runs on the CPU here, not on {device}. Use --device cpu or torch.")
    refuse_missing(engine)
    if steady:
        raise SettingsError(f"backend {engine}: cannot share statistics over frames. Use --backend torch.")


def _started(
    engine: Engine, network: nn.Module, card: Card, key: str, half: bool, tell: Callable[[str], None]
) -> Backend:
    """An engine with torch's network, whose export is kept."""
    from i2i.translator.onnx_file import to_onnx

    model = cache.find(key)
    if model is None:
        tell(f"Exporting the network for {engine}, which takes some 10 seconds, once.")
        model = to_onnx(network, card)
        if (path := cache.keep(key, model)) is not None:
            tell(f"Kept in {path}.")
    return start(engine, model, "the network", half=half)
