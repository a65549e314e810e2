"""ONNX Runtime, in float32: its CPU kernels have no bf16."""

import onnxruntime
import torch
from onnxruntime.capi import onnxruntime_pybind11_state  # pyright: ignore[reportAttributeAccessIssue]
from torch import Tensor

_FATAL = 4
"""Its own log on stderr says nothing but that; what goes wrong is raised."""
_FAILURES = tuple(
    kind for kind in vars(onnxruntime_pybind11_state).values() if isinstance(kind, type) and issubclass(kind, Exception)
)
"""It has a dozen, which have no base of their own."""


class OnnxRuntimeBackend:
    """An exported network in ONNX Runtime on the CPU, with as many threads as torch takes."""

    name = "onnxruntime"

    def __init__(self, model: bytes) -> None:
        """Raises RuntimeError where it refuses the model."""
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = torch.get_num_threads()
        options.log_severity_level = _FATAL
        # Threads that wait by spinning take the time of those that decode and encode.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            self._session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        except _FAILURES as error:
            raise RuntimeError(str(error)) from None
        self._input = self._session.get_inputs()[0].name

    def __call__(self, batch: Tensor, half: bool) -> Tensor:
        given = batch.cpu().contiguous().numpy()
        try:
            (result,) = self._session.run(None, {self._input: given})
        except _FAILURES as error:
            raise RuntimeError(str(error)) from None
        return torch.from_numpy(result)
