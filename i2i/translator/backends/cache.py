"""Exported networks, kept in the user's cache folder: an export takes some ten seconds, reading it back a fraction."""

import contextlib
import hashlib
import os
import sys
from pathlib import Path

import torch
from torch import nn

from i2i import __version__
from i2i.files import written_whole
from i2i.networks.blocks import BatchNorm
from i2i.translator.card import CARD, Card
from i2i.translator.onnx_file import OPSET

MOST_BYTES = 1 << 31
"""Of all that is kept; what was used longest ago goes first."""
_DIGEST = hashlib.sha256().digest_size


def cache_folder() -> Path:
    """Where this system keeps what can be made again: $XDG_CACHE_HOME/i2i on Linux."""
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local"
        return Path(base) / "i2i" / "Cache"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "i2i"
    base = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(base) if base.startswith("/") else Path.home() / ".cache") / "i2i"  # the standard ignores others


def key_of(network: nn.Module, card: Card) -> str:
    """What an export follows from: weights, card, how norms are set, and who writes it."""
    state = hashlib.sha256(repr((__version__, torch.__version__, OPSET, CARD.dump_json(card))).encode())
    for name, layer in network.named_modules():
        if isinstance(layer, BatchNorm):
            state.update(f"{name} {layer.own_statistics}".encode())
    for name, value in network.state_dict().items():
        plain = value.detach().cpu().contiguous()
        state.update(f"{name} {tuple(plain.shape)} {plain.dtype}".encode())
        state.update(plain.reshape(-1).view(torch.uint8).numpy())
    return state.hexdigest()


def has(key: str) -> bool:
    """Whether something was kept under that key; `find` says whether it can be used."""
    return _path(key).is_file()


def find(key: str) -> bytes | None:
    """What was kept under that key, or None; also where it was damaged, or may be another user's."""
    path = _path(key)
    try:
        if not _is_ours(path.parent):
            return None
        data = path.read_bytes()
    except OSError:
        return None
    digest, model = data[:_DIGEST], data[_DIGEST:]
    if hashlib.sha256(model).digest() != digest:
        return None
    with contextlib.suppress(OSError):
        os.utime(path)
    return model


def keep(key: str, model: bytes) -> Path | None:
    """Keep it; returns where, or None where the folder cannot be written to or may be another user's."""
    path = _path(key)
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not _is_ours(path.parent):
            return None
        with written_whole(path) as file:
            file.write(hashlib.sha256(model).digest())
            file.write(model)
        _make_room(path.parent)
    except OSError:
        return None
    return path


def _path(key: str) -> Path:
    return cache_folder() / "exported" / f"{key}.bin"


def _is_ours(folder: Path) -> bool:
    """Whether nobody else can put a network in there."""
    if os.name != "posix":
        return True
    found = folder.stat()
    return found.st_uid == os.getuid() and not found.st_mode & 0o022


def _make_room(folder: Path) -> None:
    kept = sorted(folder.glob("*.bin"), key=lambda path: path.stat().st_mtime, reverse=True)
    total = 0
    for path in kept:
        total += path.stat().st_size
        if total > MOST_BYTES and path != kept[0]:
            path.unlink(missing_ok=True)
