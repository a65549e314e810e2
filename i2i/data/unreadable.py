"""Training pictures that cannot be read: others stand in for them, each is named, and many of them are an error."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from i2i.data.training_set import TrainingSet, too_many

Tell = Callable[[str], None]
"""Told of a group that is left out: which file cannot be read, and why."""


class Unreadable:
    """What is known of a set's unreadable groups by the process that trains, whichever process has met them."""

    def __init__(self, dataset: TrainingSet[Any], tell: Tell = lambda reason: None) -> None:
        self.dataset, self.tell = dataset, tell
        self.reasons: dict[int, str] = {}

    def hear(self, found: Mapping[int, str]) -> None:
        """Count groups, and tell each of them once. Raises DatasetError where they are more than may be left out."""
        new = {group: reason for group, reason in found.items() if group not in self.reasons}
        if not new:
            return
        self.reasons |= new
        for part in self.dataset.parts:
            known: Sequence[str] = [self.reasons[group] for group in sorted(self.reasons) if group in part]
            if len(known) > self.dataset.settings.unreadable * len(part):
                raise too_many(self.dataset, known, len(part))
        for reason in new.values():
            self.tell(reason)


def merged(found: Iterable[Mapping[int, str]]) -> dict[int, str]:
    """What could not be read on the way to a batch, of what could not be read on the way to each of its items."""
    return {group: reason for one in found for group, reason in one.items()}
