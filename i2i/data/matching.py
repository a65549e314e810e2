"""Which picture of one folder belongs to which of another: by stem, half a million at a time."""

import numpy as np
from numpy.typing import NDArray

from i2i.data.listing import Listing, by_stem, stem
from i2i.data.sequences import Chosen, Names

Order = NDArray[np.intp]
"""For every name of one listing the index of its partner in the other."""


def partners(one: Listing, other: Listing) -> Order | None:
    """The partners by stem; None where not every stem is in both. Raises DatasetError where one is there twice."""
    if len(one) == len(other):
        for match in (_in_step, _by_hash):
            found = match(one, other)
            if found is not None:
                return found
    left, right = by_stem(one), by_stem(other)  # exact, and 300 bytes a name
    if left.keys() != right.keys():
        return None
    place = {name: index for index, name in enumerate(other.names)}
    return np.array([place[right[stem(name)]] for name in one.names], np.intp)


def _in_step(one: Listing, other: Listing) -> Order | None:
    """Where each folder has one suffix only, the order of the names is that of the stems: a few steps for them all."""
    left, right = _stems(one.names), _stems(other.names)
    return np.arange(len(one)) if left is not None and right is not None and np.array_equal(left, right) else None


def _stems(names: object) -> NDArray[np.uint8] | None:
    """The stems of names in ASCII that all have the same suffix, each ended by a zero."""
    if not isinstance(names, Names) or not len(names) or names.text.max() > 127:
        return None
    ends = np.flatnonzero(names.text == 0)
    dots = np.flatnonzero(names.text == ord("."))
    dots = dots[np.searchsorted(dots, ends) - 1]
    width = int(ends[0] - dots[0])
    suffixes = [names.text[dots + place] for place in range(width)]
    if np.any(ends - dots != width) or any(np.any(letters != letters[0]) for letters in suffixes):
        return None
    kept = np.ones(len(names.text), np.bool_)
    for place in range(width):
        kept[dots + place] = False
    return names.text[kept]


def _by_hash(one: Listing, other: Listing) -> Order | None:
    """Match 64 bits for each stem, then compare the stems of every match. None also where two share their 64 bits."""
    hashes = [np.fromiter((hash(stem(name)) for name in side.names), np.int64, len(side)) for side in (one, other)]
    orders = [np.argsort(side) for side in hashes]
    left, right = (side[order] for side, order in zip(hashes, orders, strict=True))
    if not np.array_equal(left, right) or np.any(left[1:] == left[:-1]):
        return None
    found = np.empty(len(one), np.intp)
    found[orders[0]] = orders[1]
    matched = zip(one.names, Chosen(other.names, found), strict=True)
    return found if all(stem(name) == stem(partner) for name, partner in matched) else None
