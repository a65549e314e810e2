"""The health of the game: from the lines of a log to a verdict in plain words, its evidence and what to try.

Numbers alone, without torch, so that `i2i doctor` answers at once. Which signs there are says `signals` (of every
round) and `probe` (of some pictures, now and then); what they show says `ailments`.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from i2i.engine.ailments import AILMENTS
from i2i.engine.series import Records, Signs

UNTOLD = "nothing to tell from"
"""The verdict on a log that has only begun."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is the matter with a game, in plain words."""

    name: str
    healthy: bool
    evidence: tuple[str, ...] = ()
    """What was seen: numbers, and the steps they are of."""
    advice: tuple[str, ...] = ()
    """What to try, the likeliest first."""
    step: int = 0
    """Since when."""


def verdict_of(records: Records) -> Verdict:
    """What the log says of the game as it stands at its last line."""
    if not records:
        return Verdict(UNTOLD, True, ("The log has no lines yet.",))
    signs = Signs(records)
    for ailment in AILMENTS:
        found = ailment.shown(signs)
        if found:
            return Verdict(ailment.name, False, found.evidence, ailment.advice, found.step)
    return Verdict("healthy", True, _wellbeing(signs), (), int(records[-1]["step"]))


def history(records: Records) -> list[tuple[int, str]]:
    """What the log told along the way: the step of each line that changed the verdict, and its verdict."""
    told: list[tuple[int, str]] = []
    for record in records:
        health = record.get("health")
        name = health.get("verdict") if isinstance(health, Mapping) else None
        if isinstance(name, str) and (not told or told[-1][1] != name):
            told.append((int(record["step"]), name))
    return told


def told(verdict: Verdict, step: int) -> str:
    """A verdict in a line or two, as it is told at a step of the run."""
    if verdict.healthy:
        return f"Step {step:,}: {verdict.name} again."
    advice = f" Try: {verdict.advice[0]}" if verdict.advice else ""
    return f"Step {step:,}: {verdict.name}. {' '.join(verdict.evidence)}{advice}"


def _wellbeing(signs: Signs) -> tuple[str, ...]:
    """The latest of the signs that say most."""
    texts = {
        "accuracy": "{who} scores {value:.0%} of the real patches above the fake ones",
        "diversity": "Outputs of {who} differ from each other by {value:.0%} of what real pictures do",
    }
    said = [
        f"{text.format(who=who, value=points[-1][1])} (step {points[-1][0]:,})."
        for sign, text in texts.items()
        for who, points in signs.of(sign).items()
    ]
    return tuple(said) or ("The log has losses alone, no signs of health.",)
