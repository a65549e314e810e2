"""Engines that run exported networks: which are installed, and how one is started."""

import importlib
import importlib.util
from collections.abc import Callable

from torch import Tensor

from i2i.errors import ModelFileError, SettingsError
from i2i.translator.backends.backend import ENGINES, Backend, Engine

_EXTRAS: dict[Engine, str] = {"onnxruntime": "onnx", "openvino": "openvino"}


def installed() -> list[Engine]:
    """The engines that are here, found without loading them."""
    return [name for name in ENGINES if importlib.util.find_spec(name) is not None]


class Deferred:
    """An engine that is started by the first batch: to export and compile for a plan alone would be for nothing."""

    def __init__(self, name: Engine, start: Callable[[], Backend]) -> None:
        self.name: str = name
        self._start = start
        self._engine: Backend | None = None

    def __call__(self, batch: Tensor, half: bool) -> Tensor:
        if self._engine is None:
            self._engine = self._start()
        return self._engine(batch, half)


def refuse_missing(name: Engine) -> None:
    """Raise SettingsError where the engine is not installed."""
    if name not in installed():
        raise SettingsError(
            f"backend {name}: not installed. Install it with pip install 'i2i-toolkit[{_EXTRAS[name]}]', or take "
            f"--backend torch."
        )


def start(name: Engine, model: bytes, what: str, *, half: bool) -> Backend:
    """An engine that runs `model`, which was looked through before; `what` names it in errors.

    Raises SettingsError where it is not installed, ModelFileError where it refuses the model.
    """
    try:
        importlib.import_module(name)
    except ImportError as error:
        raise SettingsError(
            f"backend {name}: cannot be loaded ({error}). Install it with pip install "
            f"'i2i-toolkit[{_EXTRAS[name]}]', or take --backend torch."
        ) from None
    try:
        if name == "onnxruntime":
            from i2i.translator.backends.onnxruntime import OnnxRuntimeBackend

            return OnnxRuntimeBackend(model)
        from i2i.translator.backends.openvino import OpenVinoBackend

        return OpenVinoBackend(model, half=half)
    except RuntimeError as error:
        reason = str(error).strip().splitlines()[-1]
        raise ModelFileError(f"{what}: {name} cannot run it ({reason}).") from None
