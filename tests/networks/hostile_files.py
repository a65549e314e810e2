"""Model files that are not what they say, for the tests of all that reads one."""

import json
import struct
from pathlib import Path
from typing import Any

from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor


def rewrite(path: Path, weights: dict[str, Tensor] | None = None, metadata: dict[str, str] | None = None) -> Path:
    """A file with other weights or metadata than it had."""
    with safe_open(path, framework="pt") as file:
        before = file.metadata()
    save_file(load_file(path) if weights is None else weights, path, metadata=before if metadata is None else metadata)
    return path


def described(path: Path, **changes: Any) -> Path:
    """A file whose card says something else."""
    with safe_open(path, framework="pt") as file:
        before = file.metadata()
    told = json.loads(before["card"])
    for key, value in changes.items():
        told[key] = told[key] | value if isinstance(value, dict) else value
    return rewrite(path, metadata=before | {"card": json.dumps(told)})


def with_header(path: Path, header: bytes, length: int | None = None, data: bytes = b"") -> Path:
    """A file of these bytes, whose header claims a length."""
    path.write_bytes(struct.pack("<Q", len(header) if length is None else length) + header + data)
    return path


def tensors(format: str, card: dict[str, Any], **entries: Any) -> bytes:
    """A header."""
    told = {"__metadata__": {"format": format, "card": json.dumps(card)}}
    return json.dumps(told | entries).encode()


def entry(start: int, end: int, shape: list[int], dtype: str = "F32") -> dict[str, Any]:
    """A tensor of a header."""
    return {"dtype": dtype, "shape": shape, "data_offsets": [start, end]}


def headers(format: str, card: dict[str, Any]) -> dict[str, tuple[bytes, int | None]]:
    """Headers that no file should have, and the length that they claim."""

    def of(**entries: Any) -> bytes:
        return tensors(format, card, **entries)

    return {
        "10 GB of header": (of(), 10 * 10**9),
        "more header than file": (of(), 99_000),
        "a header of 2 ** 64": (of(), 2**64 - 1),
        "no header": (b"", 0),
        "a header of another kind": (b"[1, 2]", None),
        "nested lists": (b"[" * 50_000, None),
        "overlapping": (of(a=entry(0, 8, [2]), b=entry(4, 12, [2])), None),
        "behind the end": (of(a=entry(0, 4000, [1000])), None),
        "backwards": (of(a=entry(8, 0, [2])), None),
        "a hole": (of(a=entry(0, 4, [1]), b=entry(12, 16, [1])), None),
        "an address too far": (of(a=entry(0, 2**63, [2**61])), None),
        "a shape that overflows": (of(a=entry(0, 16, [2**32, 2**32])), None),
        "another size than its shape": (of(a=entry(0, 16, [3])), None),
        "a negative side": (of(a=entry(0, 16, [-4])), None),
        "an unknown type": (of(a=entry(0, 16, [4], "X32")), None),
        "a long description": (of(__metadata__={"format": format, "card": " " * 5_000_000}), None),
    }
