"""OpenVINO on the CPU: float32, or bf16 where the processor has arithmetic for it."""

import openvino
import torch
from torch import Tensor


class OpenVinoBackend:
    """An exported network in OpenVINO, with as many threads as torch takes.

    It is compiled for latency: a batch at a time on all threads. For throughput, pictures one by one in parallel, was
    as fast on two cores (U-Net 17.2 against 17.5 pictures a second, ResNet 3.9 and 3.9) and asks for another memory of
    every stream. What it compiles is not kept: reading it back takes as long (a U-Net starts in 0.57 s for 0.58).
    """

    name = "openvino"

    def __init__(self, model: bytes, *, half: bool) -> None:
        """`half` says whether bf16 is to be used at all. Raises RuntimeError where it refuses the model."""
        self._core = openvino.Core()
        self._model = self._core.read_model(model)
        self._has_half = half and "BF16" in self._core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
        self._compiled: dict[bool, openvino.CompiledModel] = {}

    def __call__(self, batch: Tensor, half: bool) -> Tensor:
        half = half and self._has_half
        if half not in self._compiled:
            settings = {
                "PERFORMANCE_HINT": "LATENCY",
                "INFERENCE_PRECISION_HINT": "bf16" if half else "f32",
                "INFERENCE_NUM_THREADS": torch.get_num_threads(),
            }
            self._compiled[half] = self._core.compile_model(self._model, "CPU", settings)
        result = self._compiled[half](batch.cpu().contiguous().numpy())[0]
        return torch.from_numpy(result.copy())  # the next batch is computed in the same place
