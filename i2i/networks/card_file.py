"""A network in a safetensors file, beside a card that says what it is: written, and read from strangers.

Nothing in a file runs, and none takes more memory than it has bytes: the network that a card describes is built without
memory, and compared with the file's header before a weight is read.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

import torch
from pydantic import TypeAdapter, ValidationError
from torch import nn

from i2i.errors import ModelFileError, SettingsError
from i2i.files import write_safetensors
from i2i.networks.shapes import Shapes, fill, only_shapes, refuse_misfits

Card = TypeVar("Card")
_TYPES = frozenset({"F16", "BF16", "F32", "F64", "I64"})
_OTHERS = {
    "i2i-translator": "it translates pictures, as i2i translate does, and makes none of its own",
    "i2i-sampler": "it makes pictures from noise, as i2i sample does, and translates none",
}
"""What i2i's formats do, for who gives the one in the other's place."""


@dataclass(frozen=True)
class CardFile(Generic[Card]):
    """A kind of model file."""

    format: str
    """As its metadata says it: i2i-translator."""
    noun: str
    """What the file holds: translator."""
    card: TypeAdapter[Card]
    most: int = 1 << 16
    """Letters of a card, beyond which it is refused."""

    def save(self, network: nn.Module, card: Card, path: Path) -> None:
        """Write a network, whole at every moment. Raises OSError."""
        metadata = {"format": self.format, "card": self.card.dump_json(card).decode()}
        write_safetensors(network.state_dict(), metadata, path)

    def read_card(self, path: Path) -> Card:
        """What a file says of itself. Raises ModelFileError."""
        from safetensors import SafetensorError, safe_open

        try:
            if not path.is_file():  # opening a pipe would wait for ever
                raise OSError("it is no file")
            with safe_open(path, framework="pt") as file:
                metadata = file.metadata() or {}
        except (SafetensorError, OSError) as error:
            raise ModelFileError(f"{path}: not a {self.noun} file ({error}).") from None
        if metadata.get("format") != self.format:
            if other := _OTHERS.get(metadata.get("format", "")):
                raise ModelFileError(f"{path}: is no {self.noun}: {other}.")
            raise ModelFileError(f"{path}: a safetensors file, but not a {self.noun} of i2i.")
        if len(metadata.get("card", "")) > self.most:
            raise ModelFileError(f"{path}: its description has {len(metadata['card']):,} letters; a card has 500.")
        try:
            return self.card.validate_json(metadata.get("card", ""))
        except ValidationError as error:
            found = error.errors()[0]
            place = ".".join(map(str, found["loc"]))
            raise ModelFileError(f"{path}: its description cannot be used ({place}: {found['msg']}).") from None

    def load(self, path: Path, build: Callable[[Card], nn.Module]) -> tuple[nn.Module, Card]:
        """The network that `build` makes of a file's card, with its weights. Raises ModelFileError."""
        from safetensors import SafetensorError, safe_open

        card = self.read_card(path)
        try:
            # Built without memory, and compared with the file's header before any weight is read.
            with only_shapes():
                network = build(card)
            with safe_open(path, framework="pt") as file:
                names = list(file.keys())
                parts = {name: file.get_slice(name) for name in names}
                shapes = {name: tuple(part.get_shape()) for name, part in parts.items()}
                _refuse_odd_types({part.get_dtype() for part in parts.values()})
                _refuse_misfits(path, network, shapes)
                if any(value.is_meta for value in _unsaved(network)):
                    # What a network computes when it is built lies in no file.
                    with torch.random.fork_rng(devices=[]):
                        network = build(card)
                fill(network, {name: file.get_tensor(name) for name in names})
        except (SettingsError, SafetensorError, OSError, RuntimeError, OverflowError, TypeError, ValueError) as error:
            reason = str(error).splitlines()[0]
            raise ModelFileError(f"{path}: describes a network that cannot be built ({reason}).") from None
        return network, card


def _unsaved(network: nn.Module) -> list[torch.Tensor]:
    """Buffers that are no part of the weights."""
    saved = network.state_dict().keys()
    return [value for name, value in network.named_buffers() if name not in saved]


def _refuse_odd_types(found: set[str]) -> None:
    if odd := found - _TYPES:
        raise TypeError(f"its weights are of type {', '.join(sorted(odd))}, wanted {', '.join(sorted(_TYPES))}")


def _refuse_misfits(path: Path, network: nn.Module, found: Shapes) -> None:
    try:
        refuse_misfits(network, found)
    except ValueError as error:
        raise ModelFileError(f"{path}: its weights are not those of the network it describes: {error}.") from None
