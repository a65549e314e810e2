"""Which device, which precision: the only place that asks what this machine has."""

import re
from typing import Literal

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


def describe(device: torch.device, precision: torch.dtype) -> str:
    """A few words for the log: 'cuda (NVIDIA H200), bf16'."""
    name = f" ({torch.cuda.get_device_name(device)})" if device.type == "cuda" else ""
    threads = f", {torch.get_num_threads()} threads" if device.type == "cpu" else ""
    return f"{device}{name}{threads}, {'bf16' if precision == torch.bfloat16 else 'fp32'}"
