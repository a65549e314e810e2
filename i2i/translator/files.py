"""Translator files: safetensors with a card, run folders that hold them, and bare generators of the reference."""

from collections.abc import Callable
from pathlib import Path

from torch import nn

from i2i import hub
from i2i.errors import ModelFileError
from i2i.networks import reference
from i2i.networks.card_file import CardFile
from i2i.networks.settings import ResNet, UNet
from i2i.settings import Direction
from i2i.translator.card import CARD, Card

FILE = CardFile("i2i-translator", "translator", CARD)


def load_network(
    path: Path, direction: Direction | None = None, *, tell: Callable[[str], None] = lambda line: None
) -> tuple[nn.Module, Card]:
    """A generator and its card, from a run folder, a translator file, an exported .onnx, or a reference .pth.

    hf://user/name is brought from the Hugging Face Hub first; `tell` is told where a copy from before has to do.
    """
    if hub.is_name(path):
        path = hub.bring(hub.parse(path), direction, tell=tell)
    if path.is_dir():
        path = _file_of_run(path, direction)
    if not path.exists():
        raise ModelFileError(
            f"{path}: no such model. A model is a run folder, a translator .safetensors, an exported .onnx, or a "
            f"generator .pth of the reference implementation."
        )
    if path.suffix.lower() == ".onnx":
        from i2i.translator.exported import load_exported

        network, card = load_exported(path)
    elif path.suffix != ".safetensors":
        network, card = _load_reference(path, direction)
    else:
        network, card = FILE.load(path, _built)
    if direction is not None and direction != card.direction:
        raise ModelFileError(f"{path}: translates {card.direction} alone, so there is no {direction} in it.")
    if card.refused:
        raise ModelFileError(f"{path}: {card.refused}.")
    return network, card


def save_network(network: nn.Module, card: Card, path: Path) -> None:
    """Write a translator file, whole at every moment."""
    FILE.save(network, card, path)


def _file_of_run(run: Path, direction: Direction | None) -> Path:
    one, two = run / "translator.safetensors", run / f"translator_{direction or 'AtoB'}.safetensors"
    if one.exists():
        card = FILE.read_card(one)
        if direction is not None and direction != card.direction:
            raise ModelFileError(
                f"{run}: was trained {card.direction} alone, so it cannot translate {direction}. Train another run "
                f"with --direction {direction}."
            )
        return one
    if two.exists():
        return two
    if (run / "sampler.safetensors").exists():
        raise ModelFileError(
            f"{run}: makes pictures from noise and translates none. For its pictures: i2i sample {run}"
        )
    if (run / "experiment.yaml").exists():
        raise ModelFileError(f"{run}: has no translator yet; its first checkpoint was not reached.")
    raise ModelFileError(f"{run}: not a run folder of i2i (no translator.safetensors in it).")


def _built(card: Card) -> nn.Module:
    side = 2 ** (card.architecture.depth if isinstance(card.architecture, UNet) and card.architecture.depth else 8)
    return card.architecture.build(card.in_channels, card.out_channels, (side, side))


def _load_reference(path: Path, direction: Direction | None) -> tuple[nn.Module, Card]:
    found = reference.read(path)
    if not isinstance(found.architecture, (UNet, ResNet)):
        raise ModelFileError(
            f"{path}: a discriminator, which judges pictures and translates none. Give the net_G file."
        )
    card = Card(
        architecture=found.architecture,
        in_channels=found.in_channels,
        out_channels=found.out_channels,
        direction=direction or "AtoB",
        recipe="reference",
    )
    return found.build(), card
