"""Translator files: safetensors with a card, run folders that hold them, and bare generators of the reference."""

from pathlib import Path

from pydantic import ValidationError
from torch import nn

from i2i.errors import ModelFileError, SettingsError
from i2i.files import write_safetensors
from i2i.networks import reference
from i2i.networks.settings import ResNet, UNet
from i2i.networks.shapes import Shapes, fill, only_shapes, refuse_misfits
from i2i.settings import Direction
from i2i.translator.card import CARD, Card

FORMAT = "i2i-translator"
MAX_CARD_BYTES = 1 << 16
"""A longer description is refused; a card has some 500 bytes."""
_TYPES = frozenset({"F16", "BF16", "F32", "F64", "I64"})


def load_network(path: Path, direction: Direction | None = None) -> tuple[nn.Module, Card]:
    """A generator and its card, from a run folder, a translator file, an exported .onnx, or a reference .pth."""
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
        network, card = _load_file(path)
    if direction is not None and direction != card.direction:
        raise ModelFileError(f"{path}: translates {card.direction} alone, so there is no {direction} in it.")
    if card.refused:
        raise ModelFileError(f"{path}: {card.refused}.")
    return network, card


def save_network(network: nn.Module, card: Card, path: Path) -> None:
    """Write a translator file, whole at every moment."""
    metadata = {"format": FORMAT, "card": CARD.dump_json(card).decode()}
    write_safetensors(network.state_dict(), metadata, path)


def _file_of_run(run: Path, direction: Direction | None) -> Path:
    one, two = run / "translator.safetensors", run / f"translator_{direction or 'AtoB'}.safetensors"
    if one.exists():
        card = _read_card(one)
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
            f"{run}: makes pictures from noise (its samples are in {run / 'samples'}); it does not translate any."
        )
    if (run / "experiment.yaml").exists():
        raise ModelFileError(f"{run}: has no translator yet; its first checkpoint was not reached.")
    raise ModelFileError(f"{run}: not a run folder of i2i (no translator.safetensors in it).")


def _read_card(path: Path) -> Card:
    from safetensors import SafetensorError, safe_open

    try:
        if not path.is_file():  # opening a pipe would wait for ever
            raise OSError("it is no file")
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
    except (SafetensorError, OSError) as error:
        raise ModelFileError(f"{path}: not a translator file ({error}).") from None
    if metadata.get("format") != FORMAT:
        raise ModelFileError(f"{path}: a safetensors file, but not a translator of i2i.")
    if len(metadata.get("card", "")) > MAX_CARD_BYTES:
        raise ModelFileError(f"{path}: its description has {len(metadata['card']):,} letters; a card has 500.")
    try:
        return CARD.validate_json(metadata.get("card", ""))
    except ValidationError as error:
        found = error.errors()[0]
        place = ".".join(map(str, found["loc"]))
        raise ModelFileError(f"{path}: its description cannot be used ({place}: {found['msg']}).") from None


def _load_file(path: Path) -> tuple[nn.Module, Card]:
    from safetensors import SafetensorError, safe_open

    card = _read_card(path)
    side = 2 ** (card.architecture.depth if isinstance(card.architecture, UNet) and card.architecture.depth else 8)
    try:
        # Built without memory, and compared with the file's header before any weight is read.
        with only_shapes():
            network = card.architecture.build(card.in_channels, card.out_channels, (side, side))
        with safe_open(path, framework="pt") as file:
            names = list(file.keys())
            parts = {name: file.get_slice(name) for name in names}
            shapes = {name: tuple(part.get_shape()) for name, part in parts.items()}
            _refuse_odd_types({part.get_dtype() for part in parts.values()})
            _refuse_misfits(path, network, shapes)
            fill(network, {name: file.get_tensor(name) for name in names})
    except (SettingsError, SafetensorError, OSError, RuntimeError, OverflowError, TypeError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise ModelFileError(f"{path}: describes a network that cannot be built ({reason}).") from None
    return network, card


def _refuse_odd_types(found: set[str]) -> None:
    if odd := found - _TYPES:
        raise TypeError(f"its weights are of type {', '.join(sorted(odd))}, wanted {', '.join(sorted(_TYPES))}")


def _refuse_misfits(path: Path, network: nn.Module, found: Shapes) -> None:
    try:
        refuse_misfits(network, found)
    except ValueError as error:
        raise ModelFileError(f"{path}: its weights are not those of the network it describes: {error}.") from None


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
