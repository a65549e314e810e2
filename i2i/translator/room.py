"""How much memory a translation takes, and whether it is there."""

import shutil
import sys
import tempfile
from dataclasses import dataclass

import torch

from i2i.data.machine import free_memory
from i2i.errors import PictureError
from i2i.networks.maps import STRIP_BYTES
from i2i.networks.settings import Generator, SRResNet
from i2i.networks.streaming import held_numbers

_MAPS = {"resnet": 3.6, "unet": 1.8, "srresnet": 3.2}
"""Feature maps of the full size and width that inference holds at its peak, measured at 1024 x 1024 pixels."""
UNHEEDED_BYTES = 1 << 28
"""What is too little to look for free memory."""
WHOLE_BYTES = 1 << 31
"""What the maps of a picture may take that is translated whole; one that needs more goes in strips of rows.

Strips cost a tenth more time. Less than this where less than four times as much is free.
"""


@dataclass(frozen=True, slots=True)
class Needs:
    """Bytes that a picture takes while it is translated in strips."""

    pictures: int
    """The picture and its result."""
    held: int
    """Maps that are held over the whole picture."""
    strip: int
    """What one strip takes besides."""

    @property
    def all(self) -> int:
        """The peak, over what the process has already."""
        return self.pictures + self.held + self.strip


def whole_bytes(pixels: int, architecture: Generator, device: torch.device, half: bool) -> int:
    """Memory that so many pixels of the network's input take, whole, in this process."""
    if device.type != "cpu":
        return 32 * pixels  # there and back; what the device lacks it says itself
    grown = (architecture.scale or 1) ** 2 if isinstance(architecture, SRResNet) else 1
    maps = _MAPS.get(architecture.kind, max(_MAPS.values()))  # of a network that is new here nothing is measured
    return grown * pixels * (32 + round(maps * architecture.width * (2 if half else 4)))


def strip_needs(pixels: int, architecture: Generator, half: bool, picture_bytes: int) -> Needs:
    """The same in strips; `picture_bytes` are those of the picture and its result, a pixel."""
    held = held_numbers(architecture.kind, architecture.width) * (2 if half else 4)
    return Needs(picture_bytes * pixels, round(held * pixels), STRIP_BYTES)


def goes_whole(needed: int) -> bool:
    """Whether so many bytes are few enough to translate a picture whole."""
    return needed <= UNHEEDED_BYTES or needed <= min(WHOLE_BYTES, free_bytes() // 4)


def memory_for_maps(needs: Needs, what: str) -> int:
    """Bytes of held maps that may lie in memory; the others go to a file. Raises PictureError where both are full."""
    left = free_bytes() - needs.pictures - needs.strip
    memory = max(0, left * 4 // 5)
    beyond = needs.held - memory if sys.platform != "win32" else 0
    folder = tempfile.gettempdir()
    if left < 0 or (beyond > 0 and shutil.disk_usage(folder).free < needs.held):
        raise PictureError(
            f"{what}: takes about {needs.all / 1e9:,.0f} GB of memory, or {needs.held / 1e9:,.0f} GB of it in a file "
            f"in {folder}, and {free_bytes() / 1e9:,.0f} GB are free; give a smaller --fit"
        )
    return memory if beyond > 0 else max(memory, needs.held)


def on_device(device: torch.device, memory: int) -> int:
    """What of so many bytes for held maps a GPU takes, where they lie on one; the others are the host's."""
    return min(memory, torch.cuda.mem_get_info(device)[0] * 3 // 5) if device.type == "cuda" else memory


def free_bytes() -> int:
    """Bytes of memory that are free, where the system says so."""
    return free_memory() if sys.platform == "linux" else 1 << 40


def ran_out(error: BaseException) -> bool:
    """Whether memory ran out, of a device or of the machine (a plain RuntimeError of torch's allocator)."""
    if isinstance(error, (MemoryError, torch.OutOfMemoryError)):
        return True
    return any(words in str(error) for words in ("DefaultCPUAllocator", "out of memory"))
