"""What an engine is to the rest: something that takes batches, whatever runs inside."""

from typing import Literal, Protocol, get_args

from torch import Tensor

Engine = Literal["onnxruntime", "openvino"]
"""Those that run exported networks."""
BackendName = Literal["auto", "torch", "onnxruntime", "openvino"]
ENGINES: tuple[Engine, ...] = get_args(Engine)


class Backend(Protocol):
    """Something that runs one generator."""

    @property
    def name(self) -> str:
        """As `--backend` spells it."""
        ...

    def __call__(self, batch: Tensor, half: bool) -> Tensor:
        """A batch through the network; `half` allows arithmetic in bf16, which is enough for 8-bit pictures.

        Shape: (N, in_channels, H, W) float32 in [-1, 1] on any device, H and W multiples of the network's
        -> (N, out_channels, H, W) float32, on the engine's device. Raises RuntimeError or MemoryError.
        """
        ...
