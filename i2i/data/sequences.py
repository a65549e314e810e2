"""Sequences whose items are made when asked for: a million names are two arrays, not a million objects.

That keeps a large set small, and its forked loaders too: an array is shared with them, while of a list each would in
time hold a copy, since looking at an object writes its reference count.
"""

import os
from abc import abstractmethod
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import accumulate, chain, islice
from typing import Any, TypeVar, overload

import numpy as np
from numpy.typing import NDArray

T = TypeVar("T", covariant=True)

_CHUNK = 8192
"""Names encoded or decoded in one go."""


class Lazy(Sequence[T]):
    """A sequence that makes its items; a slice of it is as lazy."""

    @abstractmethod
    def _at(self, index: int) -> T:
        """Make an item; `index` is from 0 to the length."""

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[T]: ...
    def __getitem__(self, index: int | slice) -> T | Sequence[T]:
        place = range(len(self))[index]
        return Chosen(self, place) if isinstance(place, range) else self._at(place)

    def __iter__(self) -> Iterator[T]:
        return map(self._at, range(len(self)))

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {len(self)}: {', '.join(map(repr, islice(self, 3)))}, ...>"


class Names(Lazy[str]):
    """Names of files, in one piece of memory."""

    def __init__(self, text: NDArray[np.uint8]) -> None:
        """`text` holds the names as the file system spells them, each ended by a zero, which no name contains."""
        self.text = text
        self._ends = np.flatnonzero(text == 0)

    @classmethod
    def of(cls, names: Iterable[str]) -> "Names":
        """Pack names, which are consumed."""
        text = bytearray()
        coming = iter(names)
        while part := list(islice(coming, _CHUNK)):
            text += os.fsencode("\0".join(part) + "\0")
        return cls(np.frombuffer(text, np.uint8))

    def __len__(self) -> int:
        return len(self._ends)

    def _at(self, index: int) -> str:
        start = self._ends[index - 1] + 1 if index else 0
        return os.fsdecode(self.text[start : self._ends[index]].tobytes())

    def __iter__(self) -> Iterator[str]:
        start = 0
        for first in range(0, len(self), _CHUNK):
            end = self._ends[min(first + _CHUNK, len(self)) - 1]
            yield from os.fsdecode(self.text[start:end].tobytes()).split("\0")
            start = end + 1


class Chosen(Lazy[T]):
    """Items of another sequence, by their indices."""

    def __init__(self, items: Sequence[T], indices: range | NDArray[np.integer[Any]]) -> None:
        self.items = items
        self.indices = indices

    def __len__(self) -> int:
        return len(self.indices)

    def _at(self, index: int) -> T:
        return self.items[int(self.indices[index])]


class Mapped(Lazy[T]):
    """A function of the items of one or more sequences of one length."""

    def __init__(self, function: Callable[..., T], *sequences: Sequence[Any] | NDArray[Any]) -> None:
        """`function` is pickled by spawned loaders, so it must have a name in a module."""
        self.function = function
        self.sequences = sequences

    def __len__(self) -> int:
        return len(self.sequences[0])

    def _at(self, index: int) -> T:
        return self.function(*[sequence[index] for sequence in self.sequences])

    def __iter__(self) -> Iterator[T]:
        return map(self.function, *self.sequences)


class Joined(Lazy[T]):
    """Sequences one after the other."""

    def __init__(self, *sequences: Sequence[T]) -> None:
        self.sequences = sequences
        self._ends = list(accumulate(map(len, sequences)))

    def __len__(self) -> int:
        return self._ends[-1] if self._ends else 0

    def _at(self, index: int) -> T:
        part = bisect_right(self._ends, index)
        return self.sequences[part][index - (self._ends[part - 1] if part else 0)]

    def __iter__(self) -> Iterator[T]:
        return chain.from_iterable(self.sequences)
