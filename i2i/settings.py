"""The shapes of configuration that need no torch: typed, frozen, keyword-only, strict.

Every class of settings is declared with `@settings`, lives in a module without torch (`i2i/<package>/settings`),
has a docstring under each field (it becomes `--help`), defaults that are the paper's, and a `build()` that imports what
it builds when it is called.
"""

import dataclasses
import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Any, Literal, TypeVar, dataclass_transform

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field
from pydantic.dataclasses import dataclass

T = TypeVar("T")


@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(dataclasses.field, Field))
def settings(cls: type[T]) -> type[T]:
    """Make `cls` a frozen, keyword-only, strict pydantic dataclass; unknown keys, infinity and nan are errors."""
    config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False, use_attribute_docstrings=True)
    make: Any = dataclass(frozen=True, kw_only=True, config=config)
    return make(cls)


def as_dict(value: Any) -> dict[str, Any]:
    """Settings as plain nested dictionaries, ready for YAML."""
    return dataclasses.asdict(value)


def leaves(value: Any) -> dict[str, Any]:
    """Settings by their paths: {"training.lr": 0.0002, ...}."""

    def below(tree: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, Any]]:
        for name, one in tree.items():
            if isinstance(one, dict):
                yield from below(one, f"{prefix}{name}.")
            else:
                yield prefix + name, one

    return dict(below(as_dict(value), ""))


def parse_size(text: str) -> tuple[int, int]:
    """'256' -> (256, 256); '256x512' -> (256, 512), height first as in tensor shapes."""
    found = re.fullmatch(r"([0-9]{1,5})(?:x([0-9]{1,5}))?", text)
    if not found or not int(found[1]) or not int(found[2] or 1):
        raise ValueError(f"a size is '256' or '256x512' (height x width), not {text!r}")
    return int(found[1]), int(found[2] or found[1])


def _check_size(text: str) -> str:
    parse_size(text)
    return text


Size = Annotated[
    str, BeforeValidator(lambda value: str(value) if type(value) is int else value), AfterValidator(_check_size)
]
"""'256' or '256x512' (height x width)."""

Direction = Literal["AtoB", "BtoA"]
Resize = Literal["square", "short", "none"]
Norm = Literal["batch", "instance", "none"]
Downsample = Literal["stride", "blur"]
Upsample = Literal["transpose", "resize", "bilinear", "shuffle"]
Positive = Annotated[int, Field(gt=0)]
Count = Annotated[int, Field(ge=0)]
Width = Annotated[int, Field(gt=0, le=4096)]
"""Channels: at 4096 the paper's U-Net has 200 billion weights, and what claims more is no network but an attack."""
Weight = Annotated[float, Field(ge=0)]
"""A non-negative factor of a loss term."""


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """'did you mean x?', or all that there is."""
    names = sorted(known)
    near = difflib.get_close_matches(name, names, 1)
    return f"did you mean {near[0]}?" if near else f"there are {', '.join(names)}."
