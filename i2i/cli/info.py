"""`i2i info`: what a bug report needs to say of this machine.

Runs where the environment is broken, which is when it is wanted: nothing but the standard library is imported here,
and what may fail, or end the process, is imported in processes of its own.
"""

import json
import os
import platform
import re
import subprocess
import sys
import sysconfig
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

from i2i import __version__
from i2i.data.machine import cores, free_memory
from i2i.errors import SettingsError

DISTRIBUTION = "i2i-toolkit"
HELP = """\
usage: i2i info [--json]

Versions, extras, devices, cores and memory: what to paste into a bug report. Names of folders below your home are
written with ~; look through the rest before you send it.

Example: i2i info

  -h, --help  Show this message.
  --json      Print JSON instead of text.
"""
MODULES = {"opencv-python-headless": "cv2", "onnxruntime": "onnxruntime", "openvino": "openvino", "av": "av"}
"""Beside torch, what is made of compiled code, and so may fail to load though pip has installed it."""
VARIABLES = re.compile(
    r"(I2I|OMP|MKL|GOMP|KMP|CUDA|NVIDIA|TORCH|PYTORCH|NCCL|SLURM|PYTHON)_?[A-Z_]*|(LOCAL_)?WORLD_SIZE"
)
SECONDS = 120
"""That loading a package may take."""

_LOOK = """
import json, torch
found = {"version": torch.__version__, "cuda": torch.version.cuda, "hip": torch.version.hip}
found["cudnn"] = torch.backends.cudnn.version() if torch.backends.cudnn.is_available() else None
found["threads"] = torch.get_num_threads()
found["mps"] = torch.backends.mps.is_available()
gpus = [torch.cuda.get_device_properties(i) for i in range(torch.cuda.device_count())]
found["gpus"] = [
    {"name": gpu.name, "memory": gpu.total_memory, "capability": f"{gpu.major}.{gpu.minor}"} for gpu in gpus
]
able = getattr(torch.cpu, "get_capabilities", dict)()
names = ("avx2", "avx512_f", "avx512_bf16", "amx_bf16", "sve", "neon")
found["cpu"] = [name for name in names if able.get(name)]
print(json.dumps(found), flush=True)
import torchvision  # fails where it was built for another torch
"""


def main(args: Sequence[str]) -> int:
    """Print it; 0 whatever is broken, for the report is there."""
    if {"-h", "--help"} & set(args):
        print(HELP, end="")
        return 0
    if unknown := [word for word in args if word != "--json"]:
        raise SettingsError(f"{unknown[0]}: i2i info knows --json alone. See i2i info --help")
    found = collect()
    print(json.dumps(found, indent=1) if args else told(found))
    return 0


def collect() -> dict[str, Any]:
    """What is installed, what of it loads, and what the machine has. Raises nothing that a broken package can cause."""
    needed, extras = _requirements()
    versions = {name: _version(name) for name in needed}
    optional = {extra: {name: _version(name) for name in names} for extra, names in extras.items()}
    there = {**versions, **{name: version for names in optional.values() for name, version in names.items()}}
    looks = {name: _start(f"import {module}") for name, module in MODULES.items() if there.get(name)}
    torch, said = _answer(_start(_LOOK))
    broken = {"torchvision" if torch else "torch": said} | {name: _answer(look)[1] for name, look in looks.items()}
    return {
        "i2i": {
            "version": __version__,
            "installed": _version(DISTRIBUTION),
            "place": _at_home(str(Path(__file__).resolve().parents[1])),
        },
        "python": {
            "version": platform.python_version(),
            "implementation": platform.python_implementation(),
            "place": _at_home(sys.prefix),
        },
        "system": {
            "name": platform.platform(),
            "machine": sysconfig.get_platform(),
            "cores": cores(),
            "memory": _memory(),
            "free_memory": free_memory() if Path("/proc/meminfo").exists() else None,
        },
        "packages": versions,
        "extras": optional,
        "broken": {name: said for name, said in broken.items() if said},
        "torch": torch,
        "environment": {name: _at_home(os.environ[name]) for name in sorted(os.environ) if VARIABLES.fullmatch(name)},
    }


def told(found: Mapping[str, Any]) -> str:
    """The same as text, a line a thing."""
    own, python, system, torch = found["i2i"], found["python"], found["system"], found["torch"]
    installed = "not installed as a package" if own["installed"] is None else f"in {own['place']}"
    lines = [
        ("i2i", f"{own['version']}, {installed}"),
        ("python", f"{python['implementation']} {python['version']}, in {python['place']}"),
        ("system", f"{system['name']}, {system['machine']}"),
        ("cores", str(system["cores"])),
        ("memory", f"{_gigabytes(system['memory'])}, {_gigabytes(system['free_memory'])} free"),
    ]
    broken: Mapping[str, str] = found["broken"]

    def state(name: str, version: str | None) -> str:
        if version is None:
            return f"{name} missing"
        return f"{name} {version}, which cannot be imported ({broken[name]})" if name in broken else f"{name} {version}"

    if torch is None:
        lines.append(("torch", f"cannot be imported ({broken['torch']})"))
    else:
        built = f"CUDA {torch['cuda']}" if torch["cuda"] else f"ROCm {torch['hip']}" if torch["hip"] else "CPU alone"
        cudnn = f", cuDNN {torch['cudnn']}" if torch["cudnn"] else ""
        lines.append(("torch", f"{torch['version']}, built for {built}{cudnn}, {torch['threads']} threads"))
        gpus = [f"{gpu['name']}, {_gigabytes(gpu['memory'])}, {gpu['capability']}" for gpu in torch["gpus"]]
        gpus += ["Apple GPU (mps)"] if torch["mps"] else []
        lines += [("gpu", gpu) for gpu in gpus or ["none that torch can use"]]
        lines.append(("cpu", ", ".join(torch["cpu"]) or "no vector arithmetic that torch names"))
    lines += [("package", state(name, version)) for name, version in found["packages"].items()]
    for extra, packages in found["extras"].items():
        said = "; ".join(state(name, version) for name, version in packages.items())
        lines.append((f"[{extra}]", said if any(packages.values()) else "not installed"))
    if not found["packages"]:
        lines.append(("package", f"unknown: pip has no {DISTRIBUTION}, whose requirements it would name"))
    lines += [("variable", f"{name}={value}") for name, value in found["environment"].items()]
    width = max(len(name) for name, _ in lines)
    return "\n".join(f"{name:<{width}}  {said}" for name, said in lines)


def _requirements() -> tuple[list[str], dict[str, list[str]]]:
    """What the installed package needs, and what each extra adds; nothing where it is not installed."""
    try:
        lines = metadata.requires(DISTRIBUTION) or []
    except metadata.PackageNotFoundError:
        return [], {}
    needed: list[str] = []
    extras: dict[str, list[str]] = {}
    for line in lines:
        found = re.match(r"[\w.-]+", line)
        extra = re.search(r"extra\s*==\s*['\"]([\w-]+)['\"]", line)
        # An extra of extras, as dev is, names this package again.
        if found and found[0] != DISTRIBUTION:
            (needed if extra is None else extras.setdefault(extra[1], [])).append(found[0])
    return needed, extras


def _version(name: str) -> str | None:
    try:
        # None too where a package's folder is there and its description is not.
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _start(code: str) -> "subprocess.Popen[str]":
    # -P: a torch.py in this folder is not meant.
    return subprocess.Popen(
        [sys.executable, "-P", "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace"
    )


def _answer(look: "subprocess.Popen[str]") -> tuple[Any, str]:
    """What a process found, None if nothing, and why it went no further, empty if it did."""
    try:
        out, said = look.communicate(timeout=SECONDS)
    except subprocess.TimeoutExpired:
        look.kill()
        out, said = look.communicate()
        said += f"\nnot done after {SECONDS} s"
    # Packages print things of their own when they are imported.
    found = next((json.loads(line) for line in out.splitlines() if line.startswith("{")), None)
    if not look.returncode:
        return found, ""
    ended = f"ends by signal {-look.returncode}" if look.returncode < 0 else f"ends with {look.returncode}"
    return found, (said.strip().splitlines() or [ended])[-1]


def _memory() -> int | None:
    """Bytes of the machine; None where the system has no such question."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return None


def _gigabytes(count: int | None) -> str:
    return "unknown" if count is None else f"{count / 1e9:.1f} GB"


def _at_home(text: str) -> str:
    """Without the name of a user, which is nobody's business."""
    home = str(Path.home())
    return text.replace(home, "~") if len(home) > 1 else text
