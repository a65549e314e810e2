"""Weights files of `--weights`: what they hold is told by the names and shapes in them, and never run."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import torch
from torch import Tensor, nn

from i2i.errors import ModelFileError, SettingsError
from i2i.evaluation.features import Features
from i2i.evaluation.lpips import CHANNELS, LPIPS
from i2i.evaluation.pretrained import KINDS, State, features_of
from i2i.torch_files import read_torch

_PUBLISHED = re.compile(r"-(?=[0-9a-f]*[a-f])([0-9a-f]{8})\.pth?$")
"""The end of a name with the beginning of the file's SHA-256, as torch.hub has it; a date has no letters."""
UNDERSTOOD = (
    f"Understood are {', '.join(kind.file for kind in KINDS)}, also of other sizes, and for LPIPS two files: "
    f"alexnet-owt-7be5be79.pth or vgg16-397923af.pth, and the weights/v0.1/alex.pth or vgg.pth of the package lpips. "
    f"Without --weights, features are used that need no file."
)


@dataclass(frozen=True, slots=True)
class Given:
    """What weights files give."""

    features: list[Features] = field(default_factory=list)
    lpips: list[LPIPS] = field(default_factory=list)


def read_weights(paths: Sequence[Path], device: torch.device | str = "cpu") -> Given:
    """Networks of files, in their order.

    Raises ModelFileError for a file that is not understood or damaged, SettingsError for one of LPIPS's two alone.
    """
    device = torch.device(device)
    given, trunks, linears = Given(), dict[str, tuple[State, str]](), dict[str, tuple[State, str]]()
    for path in dict.fromkeys(paths):
        state, digest = _read(path)
        if (kind := _linear(state)) is not None:
            linears[kind] = state, digest
        elif (kind := _trunk(state)) is not None:
            trunks[kind] = state, digest
        else:
            given.features.append(_features(path, state, digest, device))
    for kind in dict.fromkeys([*trunks, *linears]):
        if kind not in trunks or kind not in linears:
            has, lacks = ("network", "linear layers") if kind in trunks else ("linear layers", "network")
            raise SettingsError(f"--weights: LPIPS ({kind}) has its {has} there, not its {lacks}. {UNDERSTOOD}")
        given.lpips.append(_lpips(kind, trunks[kind], linears[kind], device))
    return given


def _read(path: Path) -> tuple[State, str]:
    try:
        found = read_torch(path, "weights", advice=UNDERSTOOD)
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ModelFileError(f"{path}: cannot be read ({error.strerror or error}). {UNDERSTOOD}") from None
    published = _PUBLISHED.search(path.name)
    if published and not digest.startswith(published[1]):
        raise ModelFileError(
            f"{path}: its name says that its SHA-256 begins with {published[1]}, and it begins with {digest[:8]}: "
            f"the file is damaged or another. Fetch it again, or give it a name that says nothing of the kind."
        )
    if not isinstance(found, dict) or not all(isinstance(value, Tensor) for value in found.values()):
        raise ModelFileError(f"{path}: no state dict, but {type(found).__name__} with more in it. {UNDERSTOOD}")
    return found, digest


def _features(path: Path, state: State, digest: str, device: torch.device) -> Features:
    try:
        found = features_of(state, digest, device)
    except (KeyError, RuntimeError, ValueError) as error:
        reason = " ".join(str(error).split())[:200]
        raise ModelFileError(
            f"{path}: weights of another shape than their names say ({reason}). {UNDERSTOOD}"
        ) from None
    if found is None:
        some = ", ".join(list(state)[:3])
        raise ModelFileError(f"{path}: weights of a network that is not known here ({some}, ...). {UNDERSTOOD}")
    return found


def _linear(state: State) -> str | None:
    """Which network the linear layers of LPIPS belong to."""
    if state.keys() != {f"lin{at}.model.1.weight" for at in range(5)}:
        return None
    shapes = tuple(tuple(state[f"lin{at}.model.1.weight"].shape) for at in range(5))
    return next((kind for kind, counts in CHANNELS.items() if shapes == tuple((1, n, 1, 1) for n in counts)), None)


def _trunk(state: State) -> str | None:
    first = state.get("features.0.weight")
    return {"64 3 11 11": "alex", "64 3 3 3": "vgg"}.get(" ".join(map(str, first.shape))) if first is not None else None


def _lpips(kind: str, trunk: tuple[State, str], linear: tuple[State, str], device: torch.device) -> LPIPS:
    from torchvision.models import alexnet, vgg16

    # Built without memory: VGG's classes alone would be half a gigabyte of numbers to throw away.
    with torch.device("meta"):
        layers = cast(nn.Sequential, (alexnet if kind == "alex" else vgg16)().features)
    own = {
        name.removeprefix("features."): value.float()
        for name, value in trunk[0].items()
        if name.startswith("features.")
    }
    try:
        layers.load_state_dict(own, assign=True)
    except RuntimeError as error:
        reason = " ".join(str(error).split())[:200]
        raise ModelFileError(f"--weights: the network of LPIPS ({kind}) is another ({reason}). {UNDERSTOOD}") from None
    weights = [linear[0][f"lin{at}.model.1.weight"] for at in range(5)]
    both = hashlib.sha256(f"{trunk[1]} {linear[1]}".encode()).hexdigest()
    return LPIPS(kind, layers, weights, both, device)
