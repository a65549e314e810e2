"""A number that falls to zero while a run goes on."""

import torch
from torch import Tensor, nn

from i2i.game import Progress


class Decay(nn.Module):
    """Falls linearly from `start` to 0 over the first `until` images, and stays where `until` is 0.

    A captured round would keep a Python number as it was, so it lies on the device: a model fills it in where it is
    asked for the phase, before every round. It is a function of Progress, and no part of a checkpoint.
    """

    value: Tensor

    def __init__(self, start: float, until: int = 0) -> None:
        super().__init__()
        self.start, self.until = start, until
        self.register_buffer("value", torch.tensor(float(start)), persistent=False)
        self._filled: Progress | None = None

    def at(self, progress: Progress) -> float:
        """What it is in the round after `progress`."""
        return self.start * max(0.0, 1 - progress.images / self.until) if self.until else self.start

    def over(self, progress: Progress) -> bool:
        """Whether nothing is left of it, nor ever will be."""
        return self.at(progress) == 0

    def fill(self, progress: Progress) -> None:
        """Write down what it is in the coming round."""
        self._filled = progress
        self.value.fill_(self.at(progress))

    def now(self, progress: Progress) -> Tensor | float:
        """What it is: a tensor where it changes, which a captured round reads anew, and otherwise the number."""
        if not self.until:
            return self.start
        if progress != self._filled:  # nobody has asked for the phase: not an engine, so there is no graph
            self.fill(progress)
        return self.value
