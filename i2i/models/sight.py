"""What a discriminator sees of pictures: all of it, or an augmented and noisy view of real and fake alike."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from i2i.game import Progress
from i2i.models.augment import Colour, Geometry, draw_colour, draw_geometry
from i2i.models.decay import Decay
from i2i.models.settings.sight import Operation

TURNS = 4
"""D's turns between two corrections of ADA (Karras et al. 2020a, Sec. 3)."""


class Adaptive(nn.Module):
    """How often to augment, so that D overfits just so much (ADA, Karras et al. 2020a, Sec. 3.1).

    p rises while r_t = E[sign(D(real))], over some turns, is above `target`, and falls below it: from 0 to 1 in `reach`
    images at the fastest. It lives in buffers, so a run goes on with it, and a captured round moves it; of several
    processes each has its own, by its own pictures.
    """

    p: Tensor
    signs: Tensor
    turns: Tensor

    def __init__(self, *, target: float = 0.6, reach: int = 500_000) -> None:
        super().__init__()
        self.target, self.reach = target, reach
        self.register_buffer("p", torch.zeros(()))
        self.register_buffer("signs", torch.zeros(()))
        self.register_buffer("turns", torch.zeros((), dtype=torch.long))

    @torch.no_grad()
    def follow(self, scores: Tensor, undecided: float) -> None:
        """Take D's scores of the real pictures of a turn into account. Shape: (N, ...), raw."""
        self.signs += (scores.float() - undecided).sign().mean()
        self.turns += 1
        due = self.turns >= TURNS
        overfits = (self.signs / self.turns - self.target).sign()
        step = overfits * (TURNS * len(scores) / self.reach)
        self.p.copy_(torch.where(due, (self.p + step).clamp(0, 1), self.p))
        self.signs.mul_(~due)
        self.turns.mul_(~due)


@dataclass(frozen=True, slots=True)
class Look:
    """One look at a batch: what was drawn for it, so that two pictures can be seen in the same way."""

    colour: Colour | None
    geometry: Geometry | None
    noise: Tensor | None

    def __call__(self, pictures: Tensor) -> Tensor:
        """What is seen of pictures. Shape: (N, C, H, W) -> same."""
        if self.colour is not None:
            pictures = self.colour(pictures)
        if self.geometry is not None:
            pictures = self.geometry(pictures)
        return pictures if self.noise is None else pictures + self.noise

    def beside(self, sources: Tensor) -> Tensor:
        """What is seen of the sources beside them: they move as their pictures do. Shape: (N, C, H, W) -> same."""
        return sources if self.geometry is None else self.geometry(sources)


class Sight(nn.Module):
    """Draws how each batch is looked at; nothing is drawn where there is nothing to do."""

    def __init__(
        self, operations: Sequence[Operation] = (), *, adaptive: Adaptive | None = None, noise: Decay | None = None
    ) -> None:
        """`operations` are done to every picture, or as often as `adaptive` says."""
        super().__init__()
        self.operations, self.adaptive, self.noise = frozenset(operations), adaptive, noise or Decay(0.0)
        self._deviation: Tensor | float = 0.0

    def phase(self, progress: Progress) -> Hashable:
        """Write down what the coming round needs; whether noise is a part of it."""
        self.noise.fill(progress)
        return self.noise.over(progress)

    def at(self, progress: Progress) -> "Sight | None":
        """Itself in the round after `progress`; None where everything is seen as it is."""
        self._deviation = 0.0 if self.noise.over(progress) else self.noise.now(progress)
        return self if self.operations or not self.noise.over(progress) else None

    def look(self, pictures: Tensor) -> Look:
        """Draw for a batch of this shape, (N, C, H, W)."""
        chance = None if self.adaptive is None else self.adaptive.p
        colour = draw_colour(pictures, chance) if "colour" in self.operations else None
        moved = self.operations - {"colour"}
        geometry = draw_geometry(pictures, moved, chance) if moved else None
        noisy = isinstance(self._deviation, Tensor) or self._deviation > 0
        return Look(colour, geometry, self._deviation * torch.randn_like(pictures) if noisy else None)

    def follow(self, on_real: Tensor, undecided: float | None) -> None:
        """Let D's scores of real pictures say how often to augment from now on."""
        if self.adaptive is not None and undecided is not None:
            self.adaptive.follow(on_real, undecided)
