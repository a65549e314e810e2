"""The batch of the first round that was no number, found without asking the device."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor


@dataclass(slots=True)
class _Kept:
    batch: Mapping[str, Tensor]
    seen: Tensor
    round: Tensor


class FirstBroken:
    """Keeps the batch of the first round whose loss is NaN or infinite.

    A number that is asked for makes the host wait for the device, so a run notices at the next line of its log, up to
    100 rounds later. Until then the batch is kept by arithmetic alone, in tensors that stay where they are, so that it
    works inside a captured graph as well.
    """

    def __init__(self, device: torch.device) -> None:
        self._rounds = torch.zeros((), dtype=torch.long, device=device)
        self._kept: dict[Hashable, _Kept] = {}

    def count(self) -> None:
        """A round is over."""
        self._rounds.add_(1)

    @torch.no_grad()
    def see(self, loss: Tensor, batch: Any) -> None:
        """The loss of a turn of the round that is being played, and the batch that it came from."""
        parts = batch._asdict() if hasattr(batch, "_asdict") else {str(i): part for i, part in enumerate(batch)}
        key = tuple((part.shape, part.dtype) for part in batch)
        kept = self._kept.get(key)
        if kept is None:
            empty = {name: torch.zeros_like(part) for name, part in parts.items()}
            seen = torch.zeros((), dtype=torch.bool, device=loss.device)
            kept = self._kept[key] = _Kept(empty, seen, self._rounds.clone())
        now = ~torch.isfinite(loss.detach()) & ~kept.seen
        for name, theirs in parts.items():
            torch.where(now, theirs, kept.batch[name], out=kept.batch[name])
        torch.where(now, self._rounds, kept.round, out=kept.round)
        kept.seen.logical_or_(now)

    def found(self) -> tuple[int, Mapping[str, Tensor]] | None:
        """Rounds before the first broken one, and its batch by part; None where none was. Waits for the device."""
        broken = [(int(kept.round), kept.batch) for kept in self._kept.values() if bool(kept.seen)]
        return min(broken, key=lambda at: at[0]) if broken else None
