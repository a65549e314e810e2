"""How good a translator between two domains is, where no picture has a partner to be compared with."""

import math
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch

from i2i import images
from i2i.data.opening import Opened
from i2i.data.unpaired import UnpairedFolder
from i2i.engine.trainer import Trainer
from i2i.evaluation.features import random_features
from i2i.evaluation.kid import discrepancy
from i2i.evaluation.structure import Structure, kept, normalised
from i2i.game import View
from i2i.training.shipping import evaluating
from i2i.translator import NormMode

LEAST = 8
"""Held-out pictures of either domain, below which nothing is said about a distribution."""
MOST = 64
"""Those that are looked at, at most."""
SHARE = 4
"""Pictures trained on for each that is looked at: two passes forward, of the some 70 that four steps are."""
_ALIKE = 0.01
"""KID below which two domains are the same to features of so few pictures."""

Array = np.ndarray[Any, Any]


def held_out_counts(opened: Opened) -> tuple[int, int] | None:
    """Held-out pictures of either domain; None where there are no domains, or nothing is held out."""
    if not isinstance(opened.validation, UnpairedFolder):
        return None
    x, y = opened.validation.domains
    return len(x), len(y)


def error_of(kid: float, floor: float, structure: float, unrelated: float) -> float:
    """1 minus the share of the way to the other domain, times the root of the structure that was kept on it.

    The way is KID: 1 for a distance of nothing, 0 for the `floor`, that of the inputs themselves. Structure counts from
    the `unrelated`, what a real picture of something else has in common with an input, to 1. So a translator that
    copies and one that answers with unrelated real pictures both have an error of 1, by either factor; a perfect one
    has less for all that it keeps. The root, because a true translation need not keep all: leaving a picture as it is
    but for its brightness would win by the plain product. More than 1 is farther off than the inputs are.
    """
    way = 1 - kid / max(floor, _ALIKE)
    remains = min(1.0, max(0.0, (structure - unrelated) / max(1 - unrelated, 1e-6)))
    return 1 - (way * math.sqrt(remains) if way > 0 else way)


class _Reference(NamedTuple):
    """What of a direction is the same at every look."""

    lights: list[Array]
    """Of the inputs."""
    real: Array
    """Features."""
    floor: float
    unrelated: float


class Judge:
    """Looks at the first of the held-out pictures, always the same; what does not change is computed once.

    Draws nothing from training's generators, and computes features on the CPU whatever trains.
    """

    def __init__(self, counts: tuple[int, int], trained: int) -> None:
        """`counts` are of either domain, `trained` the pictures trained on between two looks."""
        self.pictures = min(MOST, max(counts), max(2 * LEAST, trained // SHARE))
        self._counts = dict(zip("AB", counts, strict=True))
        self._references: dict[str, _Reference] = {}

    def __call__(self, trainer: Trainer, held_out: Iterable[Any], mode: NormMode) -> dict[str, dict[str, float]]:
        """{"AtoB": {"error", "kid", "structure"}, ...} of batches with `pictures` in all, networks in [-1, 1]."""
        seen: dict[str, list[tuple[Array, Array, Array]]] = {}
        with evaluating(trainer, mode), torch.inference_mode():
            for batch in held_out:
                for direction, view in trainer.model.views(batch, trainer.translators()).items():
                    seen.setdefault(direction, []).append(_pixels(view))
        return {direction: self._score(direction, parts) for direction, parts in seen.items()}

    def _score(self, direction: str, parts: Sequence[tuple[Array, Array, Array]]) -> dict[str, float]:
        source, real, made = (np.concatenate(part) for part in zip(*parts, strict=True))
        # The smaller domain is gone through again and again, and a picture counts once.
        inputs = self._counts[direction[0]]
        source, real, made = source[:inputs], real[: self._counts[direction[-1]]], made[:inputs]
        if direction not in self._references:
            self._references[direction] = _reference(source, real)
        lights, features, floor, unrelated = self._references[direction]
        kid = discrepancy(_features(made), features)
        structure = _mean(kept(one, normalised(two)) for one, two in zip(lights, made, strict=True))
        return {"error": error_of(kid, floor, structure, unrelated), "kid": kid, "structure": structure}


def _pixels(view: View) -> tuple[Array, Array, Array]:
    """Input, real and made. Shape: (N, H, W, C) uint8 each."""
    assert view.source is not None  # two domains have pictures on either side
    return images.from_network(view.source), images.from_network(view.real), images.from_network(view.make())


def _reference(source: Array, real: Array) -> _Reference:
    lights, others = [normalised(one) for one in source], [normalised(one) for one in real]
    # From the other end of the set: files of one name may belong together, and neighbours look alike.
    shifted = [others[(at + len(others) // 2) % len(others)] for at in range(len(lights))]
    features = _features(real)
    unrelated = _mean(kept(one, two) for one, two in zip(lights, shifted, strict=True))
    return _Reference(lights, features, discrepancy(_features(source), features), unrelated)


def _features(pictures: Array) -> Array:
    """Shape: (N, H, W, C) uint8 -> (N, D) float64."""
    network = random_features(min(pictures.shape[1:3]))
    return network(torch.from_numpy(pictures).movedim(-1, 1)).numpy().astype(np.float64)


def _mean(structures: Iterable[Structure]) -> float:
    return float(np.mean([np.mean(one) for one in structures]))
