"""A whole round as one CUDA graph: recorded once, then started by one call instead of by a thousand."""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

WARM_UP = 4
"""Rounds of a phase that are played eagerly first: kernels are chosen, optimizers make their moments."""
PHASES = 8
"""Graphs kept, at most: each holds memory of its own."""

Play = Callable[[Sequence[Any]], None]
Capture = Callable[[Callable[[], None]], Callable[[], None]]
"""Plays a round once, and returns what plays the same kernels on the same memory again."""


def cuda_graph(run: Callable[[], None]) -> Callable[[], None]:
    """Record the kernels of `run`, play them once, and return what plays them again."""
    graph = torch.cuda.CUDAGraph()
    # Other threads of the process (one pins batches) may go on allocating meanwhile.
    with torch.cuda.graph(graph, capture_error_mode="thread_local"):
        run()
    graph.replay()
    return graph.replay


@dataclass(slots=True)
class _Recorded:
    replay: Callable[[], None]
    batches: Sequence[Any]


class Graphs:
    """Plays rounds, from the fifth of a phase on by replaying its graph.

    A graph bakes in every Python branch and number, so there is one for each phase of a model and each shape of a
    batch; what changes within a phase (learning rate, decay of the average, sums of losses, history) has to live in
    tensors. The rounds before recording are rounds of the training like any other, so nothing has to be undone.
    Where a round cannot be recorded, it and all after it are played eagerly, and `fallback` says why.
    """

    def __init__(self, play: Play, capture: Capture, fallback: str | None = None) -> None:
        """`play` is a round, eagerly; with a `fallback` from the start nothing is ever recorded."""
        self._play, self._capture = play, capture
        self.fallback = fallback
        self.replayed = 0
        """Rounds that were played from a graph."""
        self._recorded: dict[Hashable, _Recorded] = {}
        self._seen: dict[Hashable, int] = {}

    def round(self, batches: Sequence[Any], phase: Hashable) -> None:
        """Play a round on these batches."""
        if self.fallback is not None:
            self._play(batches)
            return
        key = phase, tuple((tensor.shape, tensor.dtype) for batch in batches for tensor in batch)
        recorded = self._recorded.get(key)
        if recorded is None:
            seen = self._seen[key] = self._seen.get(key, 0) + 1
            if seen <= WARM_UP:
                self._play(batches)
            else:
                self._record(key, batches)
            return
        for kept, batch in zip(recorded.batches, batches, strict=True):
            for ours, theirs in zip(kept, batch, strict=True):
                ours.copy_(theirs)
        recorded.replay()
        self.replayed += 1

    @property
    def recorded(self) -> int:
        """Graphs there are."""
        return len(self._recorded)

    def clear(self) -> None:
        """Forget what was recorded: the tensors that it works on are others now."""
        self._recorded.clear()
        self._seen.clear()

    def _record(self, key: Hashable, batches: Sequence[Any]) -> None:
        if len(self._recorded) >= PHASES:
            self.fallback = f"the rounds are of more than {PHASES} kinds"
            self._play(batches)
            return
        kept = [type(batch)(*(_copied(tensor) for tensor in batch)) for batch in batches]
        try:
            self._recorded[key] = _Recorded(self._capture(lambda: self._play(kept)), kept)
        except RuntimeError as error:  # a recording never runs a kernel, so the round is still to be played
            self._recorded.clear()
            self.fallback = str(error).strip().splitlines()[0]
            self._play(batches)
        else:
            self.replayed += 1


def _copied(tensor: Tensor) -> Tensor:
    return tensor.clone(memory_format=torch.preserve_format)
