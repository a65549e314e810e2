"""What a translator file says of itself, beside its weights."""

import json
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, TypeAdapter

from i2i import __version__
from i2i.networks.settings import Generator
from i2i.settings import Direction, Resize, Size, parse_size, settings

NormMode = Literal["running", "picture"]


def _no_larger(size: str) -> str:
    if max(parse_size(size)) > 8192:
        raise ValueError(f"no network is trained at {size} pixels, wanted 8192 a side at most")
    return size


@settings
class Card:
    """What a translator file says of itself, beside its weights."""

    architecture: Generator
    """The generator."""
    in_channels: Annotated[int, Field(gt=0, le=64)]
    """Channels of the source."""
    out_channels: Annotated[int, Field(gt=0, le=64)]
    """Channels of the result."""
    direction: Direction = "AtoB"
    """Which way it translates."""
    resize: Resize = "none"
    """How training brought pictures to its scale."""
    size: Annotated[Size, AfterValidator(_no_larger)] = "256"
    """The training crop, 8192 a side at most: pictures are enlarged to it."""
    labels: bool = False
    """Whether the source holds label maps, which are resized by nearest neighbour."""
    norm_mode: NormMode = "running"
    """Batch norm by its running statistics, or by those of each picture alone."""
    recipe: str = ""
    """The recipe that trained it."""
    steps: Annotated[int, Field(ge=0)] = 0
    """Training steps behind it."""
    version: str = __version__
    """The i2i that wrote it."""


CARD: TypeAdapter[Card] = TypeAdapter(Card)


def describe(card: Card) -> str:
    """One line: 'pix2pix AtoB, U-Net, 3 to 3 channels, trained at 256 (square)'."""
    parts = json.loads(CARD.dump_json(card))
    return (
        f"{card.recipe or 'translator'} {card.direction}, {parts['architecture']['kind']} of width "
        f"{card.architecture.width}, {card.in_channels} to {card.out_channels} channels, trained at {card.size} "
        f"({card.resize})"
    )
