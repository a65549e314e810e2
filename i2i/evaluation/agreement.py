"""Whether translations are nearer to a domain than their inputs, and whether all features say so.

No features see everything: random filters see no layout, trained ones what their training needed. So a claim rests on
all that were asked, and never on the ones that suit it.
"""

import math
from collections.abc import Sequence
from typing import Literal

from i2i.evaluation.scores import Scores

Verdict = Literal["nearer", "farther", "undecided"]
"""What features say of translations, beside the copied input."""
ERRORS = 2.0
"""Standard errors that a difference has to be larger than, about 95%."""


def verdict(features: str, made: Scores, copied: Scores) -> Verdict:
    """By KID and its errors; both lots share inputs and real ones, which makes the sum of their errors a cautious one.

    `made` and `copied` hold "{features}/kid" and "{features}/kid error".
    """
    way = copied[f"{features}/kid"] - made[f"{features}/kid"]
    error = math.hypot(made[f"{features}/kid error"], copied[f"{features}/kid error"])
    if abs(way) <= ERRORS * error:
        return "undecided"
    return "nearer" if way > 0 else "farther"


def agreement(names: Sequence[str], made: Scores, copied: Scores) -> str:
    """One line for a reader: what all features say, or that they do not agree."""
    said = {name: verdict(name, made, copied) for name in names}
    each = "; ".join(
        f"{name} {found}, KID {_shown(name, made)} beside {_shown(name, copied)}" for name, found in said.items()
    )
    claim = "the translations are nearer to the domain than the copied input"
    if len(said) == 1:
        return f"whether {claim} was asked of these features alone: {each}. A claim needs two that agree"
    who = "both" if len(said) == 2 else f"all {len(said)}"
    found = set(said.values())
    if found == {"nearer"}:
        return f"{who} features agree that {claim} ({each})"
    if found == {"farther"}:
        return f"{who} features agree that {claim.replace('nearer to', 'farther from')} ({each})"
    if found == {"undecided"}:
        return f"{who} features find no difference beyond {ERRORS:.0f} standard errors: no claim that {claim} ({each})"
    return f"the features do not agree that {claim}: no claim rests on one of them ({each})"


def _shown(name: str, scores: Scores) -> str:
    return f"{scores[f'{name}/kid']:.3f} ± {scores[f'{name}/kid error']:.3f}"
