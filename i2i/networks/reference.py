"""Read bare `.pth` files of the reference implementation (PyTorch CycleGAN and pix2pix): architecture from the keys.

Those files hold tensors and nothing else, so everything is inferred from names and shapes: net, norm, width, depth or
blocks, channels, the ResNet's dropout. A U-Net's dropout leaves no trace; it is off in a finished model anyhow.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from i2i.errors import ModelFileError, SettingsError
from i2i.networks.settings import PatchGAN, PixelGAN, ResNet, UNet
from i2i.networks.shapes import fill, only_shapes, refuse_misfits
from i2i.settings import Norm
from i2i.torch_files import read_torch

Weights = dict[str, Tensor]
_NORM_KEYS = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")


@dataclass(frozen=True, slots=True)
class Reference:
    """A network of the reference implementation: what it is, and its weights under our names."""

    architecture: UNet | ResNet | PatchGAN | PixelGAN
    in_channels: int
    out_channels: int
    weights: Weights

    def build(self) -> nn.Module:
        """The network with its weights, in eval mode."""
        network = self._checked()
        fill(network, {name: value.clone() for name, value in self.weights.items()})
        return network.eval()

    def _checked(self) -> nn.Module:
        """The network as shapes alone. Raises ValueError where the weights have others: sizes come from few of them."""
        with only_shapes():
            if isinstance(self.architecture, (UNet, ResNet)):
                side = 2 ** getattr(self.architecture, "depth", 4)
                network = self.architecture.build(self.in_channels, self.out_channels, (side, side))
            else:
                side = 4 * 2 ** getattr(self.architecture, "layers", 1)
                network = self.architecture.build(self.in_channels, (side, side))
        refuse_misfits(network, {name: tuple(value.shape) for name, value in self.weights.items()})
        return network


def read(path: Path) -> Reference:
    """Load a bare reference file. Raises ModelFileError where it is none, says what was found."""
    advice = "A model is a run folder, a translator .safetensors, or a generator .pth of the reference implementation."
    try:
        found = read_torch(path, "a file of weights", advice=advice)
    except FileNotFoundError:
        raise ModelFileError(f"{path}: no such file.") from None
    return parse(found, str(path))


def parse(found: object, name: str) -> Reference:
    """Recognise a reference state_dict by its keys and rename it to ours."""
    if not isinstance(found, Mapping) or not all(
        isinstance(key, str) and isinstance(value, Tensor) for key, value in found.items()
    ):
        raise ModelFileError(
            f"{name}: holds {type(found).__name__}, not a plain dictionary of tensors. For a run give its folder."
        )
    weights = {re.sub(r"^(module\.|_orig_mod\.)+", "", str(key)): value for key, value in found.items()}
    # Some exporters store half precision; parity is defined in float32.
    weights = {key: value.float() if value.is_floating_point() else value for key, value in weights.items()}
    try:
        if "model.model.0.weight" in weights:
            reference = _unet(weights)
        elif "net.0.weight" in weights:
            reference = _pixelgan(weights)
        elif "model.1.weight" in weights and weights["model.1.weight"].shape[-1] == 7:
            reference = _resnet(weights)
        elif "model.0.weight" in weights and weights["model.0.weight"].shape[-1] == 4:
            reference = _patchgan(weights)
        else:
            raise KeyError(next(iter(weights), "nothing"))
        reference._checked()
    except (KeyError, IndexError, ValueError, RuntimeError, SettingsError) as error:
        keys = ", ".join(list(weights)[:4]) or "no tensors"
        reason = str(error).strip().splitlines()
        raise ModelFileError(
            f"{name}: not a network of the reference implementation that is known here (U-Net, ResNet, PatchGAN, "
            f"PixelGAN). Its keys begin with {keys}; {' '.join(reason[:3])[:300]}"
        ) from None
    return reference


class _Renamer:
    """Moves tensors from the reference's names to ours, and knows which norm it met."""

    def __init__(self, weights: Weights) -> None:
        self.left = dict(weights)
        self.renamed: Weights = {}
        self.idle_bias: Weights = {}
        self.norm: Norm = "none"

    def conv(self, theirs: str, ours: str, *, transposed: bool = False) -> Tensor:
        """Move a convolution. A missing bias is remembered as one of zero."""
        weight = self.left.pop(f"{theirs}.weight")
        self.renamed[f"{ours}.weight"] = weight
        if f"{theirs}.bias" in self.left:
            self.renamed[f"{ours}.bias"] = self.left.pop(f"{theirs}.bias")
        else:
            self.idle_bias[f"{ours}.bias"] = torch.zeros(weight.shape[1 if transposed else 0])
        return weight

    def normalised(self, theirs: str, ours: str) -> None:
        """Move what a norm keeps: batch norm has weights, instance norm kept running statistics before torch 0.4."""
        found = {key: self.left.pop(f"{theirs}.{key}") for key in _NORM_KEYS if f"{theirs}.{key}" in self.left}
        if "weight" in found:
            self.norm = "batch"
            found.setdefault("num_batches_tracked", torch.zeros((), dtype=torch.long))
            self.renamed.update({f"{ours}.{key}": value for key, value in found.items()})
        elif found:
            self.norm = "instance"

    def finish(self, biased: str) -> tuple[Norm, Weights]:
        """The norm and the renamed weights; `biased` names a convolution before a norm."""
        if self.left:
            raise KeyError(f"left over: {', '.join(sorted(self.left)[:4])}")
        if self.norm == "none" and f"{biased}.bias" in self.renamed:
            self.norm = "instance"
        if self.norm == "none":
            # Without a norm the reference drops the bias too; ours has one.
            self.renamed.update(self.idle_bias)
        return self.norm, self.renamed


def _unet(weights: Weights) -> Reference:
    move = _Renamer(weights)
    first = move.conv("model.model.0", "downs.0")
    last = move.conv("model.model.3", "last.1", transposed=True)
    depth = 1
    inside = "model.model.1"
    while f"{inside}.model.1.weight" in move.left:
        depth += 1
        inside += ".model.3"
    if depth < 2:
        raise KeyError("model.model.1.model.1.weight")
    inside = "model.model.1"
    for level in range(1, depth):
        innermost = level == depth - 1
        move.conv(f"{inside}.model.1", f"downs.{level}.1")
        move.conv(f"{inside}.model.{3 if innermost else 5}", f"ups.{depth - 1 - level}.1", transposed=True)
        if not innermost:
            move.normalised(f"{inside}.model.2", f"downs.{level}.2")
        move.normalised(f"{inside}.model.{4 if innermost else 6}", f"ups.{depth - 1 - level}.2")
        inside += ".model.3"
    norm, renamed = move.finish("downs.1.1")
    architecture = UNet(width=first.shape[0], depth=depth, norm=norm, dropout=False)
    return Reference(architecture, first.shape[1], last.shape[1], renamed)


def _resnet(weights: Weights) -> Reference:
    move = _Renamer(weights)
    blocks = len({key.split(".")[1] for key in weights if ".conv_block." in key})
    first = move.conv("model.1", "layers.1")
    move.normalised("model.2", "layers.2")
    for index in (4, 7):
        move.conv(f"model.{index}", f"layers.{index}")
        move.normalised(f"model.{index + 1}", f"layers.{index + 1}")
    dropout = False
    for block in range(10, 10 + blocks):
        theirs, ours = f"model.{block}.conv_block", f"layers.{block}.layers"
        second = 6 if weights.get(f"{theirs}.6.weight", torch.empty(0)).ndim == 4 else 5
        dropout = second == 6
        move.conv(f"{theirs}.1", f"{ours}.1")
        move.normalised(f"{theirs}.2", f"{ours}.2")
        move.conv(f"{theirs}.{second}", f"{ours}.6")
        move.normalised(f"{theirs}.{second + 1}", f"{ours}.7")
    after = 10 + blocks
    for index in (after, after + 3):
        move.conv(f"model.{index}", f"layers.{index}", transposed=True)
        move.normalised(f"model.{index + 1}", f"layers.{index + 1}")
    last = move.conv(f"model.{after + 7}", f"layers.{after + 7}")
    norm, renamed = move.finish("layers.4")
    architecture = ResNet(width=first.shape[0], blocks=blocks, norm=norm, dropout=dropout)
    return Reference(architecture, first.shape[1], last.shape[0], renamed)


def _patchgan(weights: Weights) -> Reference:
    move = _Renamer(weights)
    convolutions = sorted(
        int(key.split(".")[1]) for key, value in weights.items() if key.endswith(".weight") and value.ndim == 4
    )
    for index in convolutions:
        move.conv(f"model.{index}", f"layers.{index}")
        if f"model.{index + 1}.running_mean" in weights:
            move.normalised(f"model.{index + 1}", f"layers.{index + 1}")
    norm, renamed = move.finish(f"layers.{convolutions[1]}")
    first = weights["model.0.weight"]
    architecture = PatchGAN(width=first.shape[0], layers=len(convolutions) - 2, norm=norm)
    return Reference(architecture, first.shape[1], 1, renamed)


def _pixelgan(weights: Weights) -> Reference:
    move = _Renamer(weights)
    first = move.conv("net.0", "layers.0")
    move.conv("net.2", "layers.2")
    move.normalised("net.3", "layers.3")
    move.conv("net.5", "layers.5")
    norm, renamed = move.finish("layers.2")
    return Reference(PixelGAN(width=first.shape[0], norm=norm), first.shape[1], 1, renamed)
