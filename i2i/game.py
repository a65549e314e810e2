"""All that the engine and a model know of each other: a round is a Python generator that yields turns.

A model writes its algorithm as the paper prints it. At each `yield` the engine differentiates the turn's terms with
respect to that player's weights only, averages over processes and steps that player's optimizer. No model holds an
optimizer, a schedule, a `requires_grad` switch, autocast or a process group; no engine knows a model.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

Terms = Mapping[str, "Tensor | Terms"]
Signals = Mapping[str, "Tensor | Signals"]
Scores = Tensor | Sequence[Tensor]
"""What a discriminator returns, raw: a score of each patch, or such a map for each of the scales that it looks at."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One player's move: the engine descends `weight` times the sum of `terms`, in `player`'s weights alone."""

    player: str
    terms: Terms
    """Named scalars to add up; nesting groups them in the log: gan/fake."""
    weight: float = 1.0
    signals: Signals = field(default_factory=dict)
    """D's scores on `real` and `fake`, detached, for the monitor; nesting groups them by judge: x/real."""


@dataclass(frozen=True, slots=True)
class View:
    """One direction of a game, laid open for the monitor outside training: the pictures, and who makes and judges."""

    real: Tensor
    """What is to be made. Shape: (N, C, H, W) in [-1, 1]."""
    make: Callable[[], Tensor]
    """The translator's pictures, made when asked for; the shape of `real`."""
    score: Callable[[Tensor], Scores]
    """D on pictures such as `real`, its condition closed over: raw scores."""
    source: Tensor | None = None
    """What they are made from; None where that is noise."""
    paired: bool = False
    """Whether each source belongs to its real picture."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far training is; whatever is scheduled is a function of this."""

    rounds: int = 0
    images: int = 0


class Model(nn.Module, ABC):
    """Networks, an objective, and one round of the game they play."""

    @abstractmethod
    def players(self) -> Mapping[str, Sequence[nn.Module]]:
        """Who owns an optimizer, and the modules it moves: {"G": [self.G, self.F], "D": [self.D_X, self.D_Y]}."""

    @abstractmethod
    def step(self, batch: Any, progress: Progress) -> Iterator[Turn]:
        """One round. Every forward pass belongs after the turn that may have changed its weights."""

    @abstractmethod
    def translators(self) -> Mapping[str, nn.Module]:
        """The networks that are averaged, exported and shown, by direction: {"AtoB": self.G, "BtoA": self.F}."""

    @abstractmethod
    def show(self, batch: Any, translators: Mapping[str, nn.Module]) -> Mapping[str, Tensor]:
        """Named pictures for the sample grid, (N, C, H, W) in [-1, 1], made with the given translators."""

    def views(self, batch: Any, translators: Mapping[str, nn.Module]) -> Mapping[str, View]:
        """What the monitor looks at, by direction; a model without any is watched by its losses and scores alone."""
        return {}

    def phase(self, progress: Progress) -> Hashable:
        """Rounds of one phase run the same code. The key of a captured graph."""
        return None


def flatten(terms: "Terms | Signals", prefix: str = "") -> dict[str, Tensor]:
    """Terms as one level of names: {"gan": {"real": a, "fake": b}} -> {"gan/real": a, "gan/fake": b}."""
    flat: dict[str, Tensor] = {}
    for name, value in terms.items():
        if isinstance(value, Tensor):
            flat[prefix + name] = value
        else:
            flat.update(flatten(value, f"{prefix}{name}/"))
    return flat


def patches(scores: Scores) -> Tensor:
    """The scores of all patches, those of several scales in one row. Shape: any -> (N, patches), or that of one map."""
    return scores if isinstance(scores, Tensor) else torch.cat([scale.flatten(1) for scale in scores], dim=1)
