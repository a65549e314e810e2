"""Keep a small part of a training set out of training, for samples and validation."""

import random
from collections.abc import Sequence
from typing import Literal, TypeVar

import numpy as np

from i2i.data.sequences import Chosen
from i2i.errors import DatasetError

T = TypeVar("T")


def hold_out(
    items: Sequence[T], holdout: Literal["auto"] | int, has_val: bool, seed: int
) -> tuple[Sequence[T], Sequence[T]]:
    """Split a training set into what is trained on and what is held out.

    Nothing is held out where there is a val or test split (`has_val`) or `holdout` is 0. 'auto' takes 5 percent, at
    least 1, at most 16, and never more than a quarter, so that of fewer than 4 none is taken. One is drawn from each of
    as many equal stretches of the list: a function of the list's length and the seed. Raises DatasetError.
    """
    total = len(items)
    count = min(max(1, round(total / 20)), 16, total // 4) if holdout == "auto" else holdout
    if has_val or not count:
        return items, []
    if count >= total:
        raise DatasetError(f"--holdout {count} leaves nothing to train on: there are {total} pictures. Hold out fewer.")
    draw = random.Random(f"hold out {seed}")
    held = np.array([draw.randrange(part * total // count, (part + 1) * total // count) for part in range(count)])
    return Chosen(items, np.delete(np.arange(total), held)), Chosen(items, held)
