"""What a sampler file says of itself, beside its weights."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, TypeAdapter

from i2i import __version__
from i2i.networks.settings import AnySampler, TextGenerator
from i2i.networks.settings.text import LONGEST
from i2i.settings import Count, Resize, Size, parse_size, settings


def _no_larger(size: str) -> str:
    if max(parse_size(size)) > 8192:
        raise ValueError(f"no network makes pictures of {size} pixels, wanted 8192 a side at most")
    return size


@settings
class Card:
    """What a sampler file says of itself, beside its weights."""

    architecture: AnySampler
    """The generator."""
    out_channels: Literal[1, 3]
    """Channels of its pictures: gray or RGB."""
    size: Annotated[Size, AfterValidator(_no_larger)]
    """Of its pictures: those that it learnt from were cropped to it."""
    resize: Resize = "none"
    """How training brought pictures to its scale."""
    load: Count = 0
    """The side that this brought them to; 0 is 286/256 of the crop."""
    classes: Annotated[tuple[str, ...], Field(max_length=100_000)] = ()
    """Names of the classes it can be asked for, in the order of its labels; empty where it knows none."""
    vocabulary: Annotated[tuple[str, ...], Field(max_length=LONGEST)] = ()
    """Terms whose presence in a text it reads, in the order of its weights; empty where it reads none."""
    embedding: Annotated[Count, Field(le=LONGEST)] = 0
    """Length of the vectors that it reads in their place."""
    captions: Annotated[tuple[str, ...], Field(max_length=100_000)] = ()
    """Some that it learnt from."""
    recipe: str = ""
    """The recipe that trained it."""
    steps: Count = 0
    """Training steps behind it."""
    version: str = __version__
    """The i2i that wrote it."""

    def __post_init__(self) -> None:
        reads = self.architecture.text if isinstance(self.architecture, TextGenerator) else 0
        told = self.embedding or len(self.vocabulary)
        if reads != told:
            raise ValueError(f"its generator reads {reads} numbers of a text, and texts become {told}")


CARD: TypeAdapter[Card] = TypeAdapter(Card)


def describe(card: Card) -> str:
    """One line: 'cgan, dcgan of width 64, 3 channels, 32 pixels, 10 classes, 4000 steps'."""
    classes = [f"{len(card.classes)} classes"] if card.classes else []
    if card.vocabulary:
        classes = [f"{sum(' ' not in term for term in card.vocabulary)} words"]
    parts = [card.recipe or "sampler", f"{card.architecture.kind} of width {card.architecture.width}"]
    parts += [f"{card.out_channels} channel{'s' if card.out_channels > 1 else ''}", f"{card.size} pixels", *classes]
    return ", ".join([*parts, f"{card.steps} steps"])
