"""How much memory a translation takes, and whether it is there."""

import sys

import torch

from i2i.data.machine import free_memory
from i2i.networks.settings import Generator

_MAPS = {"resnet": 3.6, "unet": 1.8}
"""Feature maps of the full size and width that inference holds at its peak, measured at 1024 x 1024 pixels."""
UNHEEDED_BYTES = 1 << 28
"""What is too little to look for free memory."""


def free_bytes() -> int:
    """Bytes of memory that are free, where the system says so."""
    return free_memory() if sys.platform == "linux" else 1 << 40


def ran_out(error: BaseException) -> bool:
    """Whether memory ran out, of a device or of the machine (a plain RuntimeError of torch's allocator)."""
    if isinstance(error, (MemoryError, torch.OutOfMemoryError)):
        return True
    return any(words in str(error) for words in ("DefaultCPUAllocator", "out of memory"))


def pixel_bytes(architecture: Generator, device: torch.device, precision: torch.dtype) -> int:
    """Memory a pixel of the network's input, in this process."""
    if device.type != "cpu":
        return 32  # there and back; what the device lacks it says itself
    half = precision == torch.bfloat16
    return 32 + round(_MAPS[architecture.kind] * architecture.width * (2 if half else 4))
