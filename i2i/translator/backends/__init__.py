"""Engines that run a generator: torch, which is always there, ONNX Runtime and OpenVINO, and which of them when.

Their packages are loaded when one is started, so that none of them is needed for torch.
"""

from i2i.translator.backends.auto import Auto
from i2i.translator.backends.backend import Backend, BackendName, Engine
from i2i.translator.backends.choosing import choose_backend
from i2i.translator.backends.engines import installed, start

__all__ = ["Auto", "Backend", "BackendName", "Engine", "choose_backend", "installed", "start"]
