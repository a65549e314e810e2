"""Statistics shared over the frames of a sequence, so that what moves in one corner does not shift every pixel.

Norms that take a picture's own statistics look at the whole frame: a car that drives through, or the noise of a
sensor, changes them, and with them all colours, a little in every frame. Here they are averaged over the frames that
went before, with exponentially falling weights.

The average is causal, so it holds for a stream, and every layer averages what it sees while those before it are
normalised by their averages, so the layers settle together. A pass over frames of the whole sequence beforehand would
give one set of statistics to all its scenes and be wrong in each; here a scene begins an average of its own.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from i2i.networks.blocks import BatchNorm, InstanceNorm

WINDOW = 32
"""Frames after which the weight of one has fallen to 1/e; the first ones of a scene count alike."""

State = tuple[Tensor, Tensor]
"""Mean and variance of every channel."""


class Average:
    """The statistics of one layer, averaged over the frames so far."""

    def __init__(self) -> None:
        self.rates: Sequence[float] = ()
        """How much each frame of the coming batch weighs against all before it; 1 begins anew."""
        self.state: State | None = None

    def __call__(self, means: Tensor, variances: Tensor) -> State:
        """Frames' own statistics, in order, to those that they are normalised by. Shape: (N, C) each -> same."""
        steady: list[State] = []
        for rate, mean, variance in zip(self.rates, means, variances, strict=True):
            if rate < 1 and self.state is not None:
                before, spread = self.state
                apart = mean - before
                # Of all frames' pixels together (West 1979): no difference of large squares.
                variance = (1 - rate) * (spread + rate * apart * apart) + rate * variance
                mean = before + rate * apart
            self.state = mean, variance
            steady.append(self.state)
        return torch.stack([mean for mean, _ in steady]), torch.stack([variance for _, variance in steady])


class Steady:
    """Lets the norms of a network that look at one picture share their statistics over frames.

    Every batch of frames is announced by `coming`, and then goes through the network once.
    """

    def __init__(self, network: nn.Module, window: int = WINDOW) -> None:
        self.window = window
        self.layers: list[Average] = []
        """One a norm that has anything to share; none where all normalise by fixed statistics already."""
        self._frames = 0
        self._before: tuple[int, list[State | None]] = 0, []
        for layer in network.modules():
            if isinstance(layer, InstanceNorm) or (isinstance(layer, BatchNorm) and layer.own_statistics):
                layer.shared = average = Average()
                self.layers.append(average)

    def coming(self, scenes: Sequence[bool]) -> None:
        """The next batch holds so many frames, in order; True where a frame begins another scene."""
        self._before = self._frames, [layer.state for layer in self.layers]
        rates: list[float] = []
        for begins in scenes:
            self._frames = 1 if begins else self._frames + 1
            rates.append(1 / min(self._frames, self.window))
        for layer in self.layers:
            layer.rates = rates

    def take_back(self) -> None:
        """Forget the batch that was announced last, which did not come through."""
        self._frames, states = self._before
        for layer, state in zip(self.layers, states, strict=True):
            layer.state = state
