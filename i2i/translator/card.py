"""What a translator file says of itself, beside its weights."""

import json
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, TypeAdapter

from i2i import __version__
from i2i.data.tasks.settings import NoTask, SuperResolution, Task, scale_of, source_channels
from i2i.networks.settings import Generator, SRResNet
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
    task: Task = NoTask()
    """How its sources were made of its targets, and so what it does to a picture."""
    norm_mode: NormMode = "running"
    """Batch norm by its running statistics, or by those of each picture alone."""
    recipe: str = ""
    """The recipe that trained it."""
    steps: Annotated[int, Field(ge=0)] = 0
    """Training steps behind it."""
    version: str = __version__
    """The i2i that wrote it."""

    @property
    def grows(self) -> int:
        """Times that the network itself enlarges both sides."""
        return self.architecture.scale or 1 if isinstance(self.architecture, SRResNet) else 1

    @property
    def refused(self) -> str:
        """Why no picture could be translated by it; empty where channels and scales agree with its task."""
        if self.out_channels not in (1, 3) or (
            self.in_channels not in (1, 3)
            if self.task.kind == "none"
            else self.in_channels != source_channels(self.task, self.out_channels)
        ):
            what = "a picture has 1 (gray) or 3 (RGB)" if self.task.kind == "none" else f"{self.task.kind} has others"
            return f"translates {self.in_channels} channels to {self.out_channels}; {what}"
        enlarged = isinstance(self.task, SuperResolution) and self.task.enlarged
        if self.grows != (1 if enlarged else scale_of(self.task)):
            return f"enlarges {self.grows} times, which is not what its task ({self.task.kind}) does"
        return ""


CARD: TypeAdapter[Card] = TypeAdapter(Card)


def describe(card: Card) -> str:
    """One line: 'pix2pix AtoB, U-Net, 3 to 3 channels, trained at 256 (square)'."""
    parts = json.loads(CARD.dump_json(card))
    scale = f" x{scale_of(card.task)}" if scale_of(card.task) > 1 else ""
    return (
        f"{card.recipe or 'translator'} {card.direction}{scale}, {parts['architecture']['kind']} of width "
        f"{card.architecture.width}, {card.in_channels} to {card.out_channels} channels, trained at {card.size} "
        f"({card.resize})"
    )
