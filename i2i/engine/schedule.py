"""The learning rate as a pure function of progress: resuming needs nothing else."""

from dataclasses import dataclass
from typing import Literal

from i2i.game import Progress


@dataclass(frozen=True, slots=True)
class Schedule:
    """Constant for the first half of the run, then linear to almost zero (CycleGAN, Sec. 4; pix2pix's code).

    A run of whole epochs changes its rate between epochs, as the reference does: in epoch k (from 1) of n + m the
    factor is 1 - max(0, k - n) / (m + 1), which is 1 at 100 of 200, 1 - 1/101 at 101 and 1/101 at 200. A run counted
    in steps is laid out in the same way, a step being its epoch.
    """

    kind: Literal["linear", "constant"]
    units: int
    """Epochs of the run, or its steps where it is counted in steps."""
    rounds_per_unit: int
    shift: int = 0
    """Added to the rounds played: a run that goes on with more or fewer processes has other rounds an epoch."""

    def factor(self, progress: Progress) -> float:
        """What the learning rate is multiplied with in the round after `progress`."""
        if self.kind == "constant":
            return 1.0
        unit = min((progress.rounds + self.shift) // self.rounds_per_unit + 1, self.units)
        constant = self.units // 2
        return 1 - max(0, unit - constant) / (self.units - constant + 1)
