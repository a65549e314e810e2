"""What this process may use of the machine: cores and memory, by the limits of its container or cluster job."""

import os
from pathlib import Path

_UNKNOWN_MEMORY = 2 * 10**9
"""What is taken to be free where the system does not say."""
_GROUPS = Path("/sys/fs/cgroup")


def cores() -> int:
    """Cores this process may run on."""
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota = _words(_GROUPS / "cpu.max")
    if len(quota) == 2 and quota[0].isdigit():
        count = min(count, max(1, int(quota[0]) // int(quota[1])))
    return count


def siblings() -> int:
    """Training processes that share this machine, this one counted; torchrun says so."""
    count = os.environ.get("LOCAL_WORLD_SIZE", "1")
    return int(count) if count.isdigit() and int(count) else 1


def free_memory() -> int:
    """Bytes that can be used without pushing anything else out; of a container, what its limit leaves."""
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    except OSError:
        return _UNKNOWN_MEMORY
    free = next((1024 * int(line.split()[1]) for line in lines if line.startswith("MemAvailable:")), _UNKNOWN_MEMORY)
    limit, used = _words(_GROUPS / "memory.max"), _words(_GROUPS / "memory.current")
    if limit and used and limit[0].isdigit():
        free = min(free, max(0, int(limit[0]) - int(used[0]) + _file_pages()))
    return free


def _file_pages() -> int:
    """Bytes of cached files, which a container's use counts and its kernel gives back."""
    words = _words(_GROUPS / "memory.stat")
    return int(words[words.index("inactive_file") + 1]) if "inactive_file" in words else 0


def _words(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="ascii").split()
    except OSError:
        return []
