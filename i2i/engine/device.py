"""Which device, which precision: the only place that asks what this machine has."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

import torch

from i2i.errors import SettingsError

Precision = Literal["auto", "fp32", "bf16"]


def choose_device(name: str = "auto") -> torch.device:
    """The device of that name. Shape of a name: auto, cpu, cuda, cuda:1, mps.

    Raises SettingsError where this machine has no such device.
    """
    if name == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    if not re.fullmatch(r"cpu|mps|cuda(:\d+)?", name):
        raise SettingsError(f"device {name!r}: not a device. Choose auto, cpu, cuda, cuda:1 or mps.")
    kind, _, number = name.partition(":")
    if kind == "cuda" and not torch.cuda.is_available():
        built = "this torch was built without CUDA" if torch.version.cuda is None else "torch finds no CUDA GPU here"
        raise SettingsError(f"device {name}: {built}. Use --device cpu, or --device auto for what there is.")
    if kind == "cuda" and int(number or 0) >= torch.cuda.device_count():
        raise SettingsError(f"device {name}: there are {torch.cuda.device_count()} GPUs, numbered from 0.")
    device = torch.device(name)
    if device.type == "mps" and not torch.backends.mps.is_available():
        raise SettingsError("device mps: this machine has no Metal GPU that torch can use. Use --device auto.")
    return device


def choose_precision(name: Precision, device: torch.device) -> torch.dtype:
    """float32 or bfloat16 to compute in. auto takes bfloat16 where the device has arithmetic for it."""
    match name:
        case "fp32":
            return torch.float32
        case "bf16":
            return torch.bfloat16
        case "auto":
            return torch.bfloat16 if _has_bf16(device) else torch.float32


def _has_bf16(device: torch.device) -> bool:
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    if device.type == "cpu":
        capabilities = torch.cpu.get_capabilities() if hasattr(torch.cpu, "get_capabilities") else {}
        return bool(capabilities.get("avx512_bf16") or capabilities.get("amx_bf16"))
    return False


_WORKSPACE, _FIXED = "CUBLAS_WORKSPACE_CONFIG", (":4096:8", ":16:8")
"""cuBLAS adds up in one order where its buffers have a fixed size: torch's notes on reproducibility."""


@contextmanager
def deterministically(device: torch.device) -> Iterator[None]:
    """Within, the same numbers on the same machine give the same bits; all switches are put back behind it.

    Raises SettingsError where an operation has no deterministic form on this device, and where CUDA was used before in
    this process in a way that cannot be changed any more.
    """
    workspace = os.environ.get(_WORKSPACE)
    cudnn: Any = torch.backends.cudnn
    memory: Any = torch.utils.deterministic
    algorithms = torch.are_deterministic_algorithms_enabled(), torch.is_deterministic_algorithms_warn_only_enabled()
    switches = cudnn.deterministic, cudnn.benchmark, memory.fill_uninitialized_memory
    try:
        if workspace not in _FIXED:
            os.environ[_WORKSPACE] = _FIXED[0]
        torch.use_deterministic_algorithms(True)
        cudnn.deterministic, cudnn.benchmark = True, False
        # Filling finds reads of memory that was never written, and costs a write of all that is set aside.
        memory.fill_uninitialized_memory = False
        if device.type == "cuda":
            torch.ones(2, 2, device=device).mm(torch.ones(2, 2, device=device))  # cuBLAS says at once if it cannot
        yield
    except RuntimeError as error:
        reason = _undetermined(str(error), device)
        if reason is None:
            raise
        raise SettingsError(f"deterministic: {reason}") from None
    finally:
        torch.use_deterministic_algorithms(algorithms[0], warn_only=algorithms[1])
        cudnn.deterministic, cudnn.benchmark = switches[:2]
        memory.fill_uninitialized_memory = switches[2]
        if workspace is None:
            os.environ.pop(_WORKSPACE, None)
        else:
            os.environ[_WORKSPACE] = workspace


def _undetermined(error: str, device: torch.device) -> str | None:
    """What cannot be deterministic, and the way out; None where torch's error is about something else."""
    if _WORKSPACE in error:
        return (
            f"this process has used CUDA before with other buffers of cuBLAS, which are set up once. Start it with "
            f"{_WORKSPACE}={_FIXED[0]} in its environment."
        )
    if found := re.match(r"(\S+) does not have a deterministic implementation", error):
        return (
            f"{found[1]} has no deterministic form on {device}. Train on another device, with other settings of the "
            f"model, or without --deterministic."
        )
    return None


def describe(device: torch.device, precision: torch.dtype) -> str:
    """A few words for the log: 'cuda (NVIDIA H200), bf16'."""
    name = f" ({torch.cuda.get_device_name(device)})" if device.type == "cuda" else ""
    threads = f", {torch.get_num_threads()} threads" if device.type == "cpu" else ""
    return f"{device}{name}{threads}, {'bf16' if precision == torch.bfloat16 else 'fp32'}"
