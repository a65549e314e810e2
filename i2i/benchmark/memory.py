"""Peak memory of this process, from a moment on."""

import sys
from contextlib import suppress
from pathlib import Path

import torch


class Peak:
    """Bytes that this process took at most since it was made, beyond what it had then.

    On a GPU those of torch's allocator, all of them. On a CPU the growth of resident memory; processes that load
    pictures are not counted. None where the system does not tell (Windows).
    """

    def __init__(self, device: torch.device) -> None:
        self.device = device
        if device.type == "cuda":
            torch.cuda.init()  # there are no statistics before
            torch.cuda.reset_peak_memory_stats(device)
            return
        # Linux forgets the peak of before, which importing may have set; where it does not, growth is overstated.
        with suppress(OSError):
            Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
        self._before = resident()

    def bytes(self) -> int | None:
        """The peak so far."""
        if self.device.type == "cuda":
            return torch.cuda.max_memory_allocated(self.device)
        peak = highest_resident()
        return None if peak is None or self._before is None else max(0, peak - self._before)


def resident() -> int | None:
    """Bytes of resident memory now; where only the highest is known, that."""
    known = _status("VmRSS")
    return highest_resident() if known is None else known


def highest_resident() -> int | None:
    """Bytes of resident memory at most."""
    known = _status("VmHWM")
    if known is not None:
        return known
    try:
        import resource
    except ImportError:  # Windows
        return None
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def _status(name: str) -> int | None:
    try:
        text = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
    except OSError:
        return None
    found = next((line for line in text.splitlines() if line.startswith(f"{name}:")), None)
    return int(found.split()[1]) * 1024 if found else None
