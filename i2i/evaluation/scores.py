"""What an evaluation finds: scores of a translator, of what needs no learning, and of real pictures."""

import dataclasses
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
Scores = dict[str, float]
Interval = tuple[float, float]
"""The lower and the upper end of what a score strays between."""
Intervals = dict[str, Interval]
NAMES = {"l1": "L1 (of 255)", "psnr": "PSNR (dB)", "ssim": "SSIM"}
"""Scores of pairs, by the titles of their columns."""
LOWER = frozenset({"l1", "lpips", "kid", "kid error", "fid"})
"""What is better the lower it is, by the last part of its name."""

OURS = "this model"
"""The first row of a table."""


@dataclasses.dataclass(frozen=True, slots=True)
class Section:
    """Scores that stand in a table of their own: they are of all pictures together, or say little by themselves."""

    title: str
    titles: dict[str, str]
    """Names of the scores and what to call them, in order."""
    rows: dict[str, Scores]
    """The translator, and what real pictures get."""
    intervals: dict[str, Intervals] = dataclasses.field(default_factory=dict)
    """By row and score, as those of an evaluation."""
    notes: list[str] = dataclasses.field(default_factory=list)


@dataclasses.dataclass(frozen=True, slots=True)
class Evaluation:
    """Scores of a translator on a split, and of what needs no learning.

    Of pairs: l1 (mean absolute difference, of 255; lower is better), psnr (dB), ssim (at most 1), means over pictures.
    Of two domains: `titles` names them; the names of those that rest on features begin with the features' name.
    """

    metrics: Scores
    floors: dict[str, Scores]
    """The same scores for: copy the input, best constant gain, mean target."""
    pictures: int
    split: str
    notes: list[str]
    ceilings: dict[str, Scores] = dataclasses.field(default_factory=dict)
    """The same scores for real pictures, where those can be had."""
    titles: dict[str, str] = dataclasses.field(default_factory=lambda: dict(NAMES))
    """Names of the scores and what to call them, in order."""
    features: list[dict[str, str | int]] = dataclasses.field(default_factory=list)
    """Name, hash and dimension of the features that some scores rest on, and what each says (`agreement.verdict`)."""
    intervals: dict[str, Intervals] = dataclasses.field(default_factory=dict)
    """By row and score: where 95% of the means over drawn pictures lie (`bootstrap`), for scores of single pictures."""
    checkpoint: str = ""
    """By which rule the weights were chosen; begins with last, best, file or given."""
    segmenter: dict[str, object] = dataclasses.field(default_factory=dict)
    """What the segmenter was trained on and what it took the label maps for, where there is one."""
    sections: dict[str, Section] = dataclasses.field(default_factory=dict)
    """"checks": copies, diversity, checkerboards; "more": what people ask for. Both of 10 pictures or more."""
    unreadable: list[str] = dataclasses.field(default_factory=list)
    """Pictures of the split that no row counts, each with the reason why it cannot be read."""

    @property
    def main(self) -> str:
        """The score by which single pictures are put in order; "" where there are only scores of all together."""
        return next((name for name in ("pixel", "l1", "structure") if name in self.metrics), "")

    @property
    def best_floor(self) -> Scores:
        """The best that any floor reaches, score by score."""
        return {
            name: (min if name.rpartition("/")[2] in LOWER else max)(floor[name] for floor in self.floors.values())
            for name in self.titles
        }

    @property
    def rows(self) -> list[tuple[str, Scores]]:
        """The translator, the floors and the ceilings, as they stand in a table."""
        return [(OURS, self.metrics), *self.floors.items(), *self.ceilings.items()]
