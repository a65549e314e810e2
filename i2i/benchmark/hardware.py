"""What the machine can do, measured on the spot."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch.nn import functional

from i2i.benchmark.timing import seconds_a_call
from i2i.engine.device import describe

CHANNELS, SIDE, KERNEL = 256, 64, 3
"""The convolution whose rate is the limit: the middle of a CycleGAN generator at 256 pixels."""


@dataclass(frozen=True, kw_only=True)
class Rates:
    """The best rates that torch reaches here, of one operation repeated. None where that precision is not measured.

    Matrix and convolution in FLOP/s, a multiplication and its addition counted as two; copy in bytes/s, those read and
    those written counted. On CUDA float32 convolutions run in TF32, as torch has them by default.
    """

    device: str
    matrix_fp32: float | None = None
    matrix_bf16: float | None = None
    convolution_fp32: float | None = None
    convolution_bf16: float | None = None
    copy: float = 0.0

    def matrix(self, precision: torch.dtype) -> float | None:
        """Of that precision."""
        return self.matrix_bf16 if precision == torch.bfloat16 else self.matrix_fp32

    def convolution(self, precision: torch.dtype) -> float | None:
        """Of that precision."""
        return self.convolution_bf16 if precision == torch.bfloat16 else self.convolution_fp32


def measure_rates(
    device: torch.device,
    precisions: Sequence[torch.dtype] = (torch.float32, torch.bfloat16),
    *,
    repeats: int = 5,
    scale: float = 1.0,
) -> Rates:
    """Measure for a second or two. `scale` shrinks the matrices and pictures, for a quick look."""
    found: dict[str, float] = {}
    # As cuDNN does best, for which it has to try.
    with torch.inference_mode(), torch.backends.cudnn.flags(benchmark=True, allow_tf32=True):
        for precision in precisions:
            name = "bf16" if precision == torch.bfloat16 else "fp32"
            found[f"matrix_{name}"] = _matrix(device, precision, repeats, scale)
            found[f"convolution_{name}"] = _convolution(device, precision, repeats, scale)
        found["copy"] = _copy(device, repeats, scale)
    if device.type == "cuda":
        torch.cuda.empty_cache()  # others are measured beside this process
    return Rates(device=describe(device, precisions[-1]).rpartition(", ")[0], **found)


def _matrix(device: torch.device, precision: torch.dtype, repeats: int, scale: float) -> float:
    side = max(16, int((8192 if device.type == "cuda" else 2048) * scale))
    a, b = (torch.randn(side, side, device=device).to(precision) for _ in range(2))
    out = torch.empty_like(a)
    return (
        2
        * side**3
        / seconds_a_call(lambda: torch.mm(a, b, out=out), device, repeats=repeats, least_s=0.2 * scale).lowest
    )


def _convolution(device: torch.device, precision: torch.dtype, repeats: int, scale: float) -> float:
    """The better of both memory layouts, of one picture and of several."""
    side = max(KERNEL, int(SIDE * scale))
    best = 0.0
    for batch in (1, 32) if device.type == "cuda" else (1, 4):
        for layout in (torch.contiguous_format, torch.channels_last):
            x = torch.randn(batch, CHANNELS, side, side, device=device).to(precision).contiguous(memory_format=layout)
            weight = torch.randn(CHANNELS, CHANNELS, KERNEL, KERNEL, device=device).to(precision)
            weight = weight.contiguous(memory_format=layout)

            def convolve(x: torch.Tensor = x, weight: torch.Tensor = weight) -> torch.Tensor:
                return functional.conv2d(x, weight, padding=1)

            seconds = seconds_a_call(convolve, device, repeats=repeats, least_s=0.1 * scale).lowest
            best = max(best, 2 * batch * side**2 * CHANNELS**2 * KERNEL**2 / seconds)
    return best


def _copy(device: torch.device, repeats: int, scale: float) -> float:
    """Of more than any cache holds."""
    size = max(1024, int((2**30 if device.type == "cuda" else 2**28) * scale))
    source = torch.zeros(size, dtype=torch.uint8, device=device)
    target = torch.ones_like(source)
    return 2 * size / seconds_a_call(lambda: target.copy_(source), device, repeats=repeats, least_s=0.2 * scale).lowest
