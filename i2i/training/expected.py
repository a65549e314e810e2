"""What a run will cost, said before its first step: time, memory, disk."""

import shutil
from pathlib import Path
from typing import Any

import torch

from i2i.engine.trainer import Trainer
from i2i.errors import TrainingError


def announce(trainer: Trainer, batch: Any, run: Path, where: str, pictures: int) -> str:
    """One line: steps, time, memory, disk. `pictures` is how many the samples will hold, of `batch`'s size.

    Rehearses a round and puts everything back. Raises TrainingError where the disk is too small.
    """
    left = trainer.steps - trainer.progress.rounds
    seconds = trainer.rehearse(batch) * trainer.settings.accumulate
    height, width = batch[0].shape[-2:]
    disk = _disk(trainer) + 3 * pictures * height * width
    free = shutil.disk_usage(run).free
    if free < disk:
        raise TrainingError(
            f"{run}: {_bytes(free)} are free, but the run needs about {_bytes(disk)}. Make room, or choose another "
            f"place with --out."
        )
    return (
        f"{left} steps on {where}; expected: {_span(seconds * left)}, {_memory(trainer)} of memory, {_bytes(disk)} of "
        f"disk in {run} ({_bytes(free)} free)."
    )


def _moments(trainer: Trainer) -> int:
    """Bytes of Adam's two moments."""
    return sum(2 * 4 * weight.numel() for player in trainer.players.values() for weight in player.weights)


def _disk(trainer: Trainer) -> int:
    """Bytes of the checkpoints, one more because it is written beside the one before it, and of the translators."""
    model = sum(value.numel() * value.element_size() for value in trainer.model.state_dict().values())
    shipped = sum(4 * weight.numel() for network in trainer.translators().values() for weight in network.parameters())
    return (1 + trainer.settings.keep) * (model + _moments(trainer)) + 2 * shipped


def _memory(trainer: Trainer) -> str:
    """Peak memory of the rehearsal, and the optimizers' moments that it did not need."""
    if trainer.device.type == "cuda":
        return _bytes(torch.cuda.max_memory_allocated(trainer.device) + _moments(trainer))
    try:
        import resource
    except ImportError:  # Windows
        return "an unknown amount"
    import sys

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    return _bytes(peak + _moments(trainer))


def _bytes(count: float) -> str:
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:.3g} TB"


def _span(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = seconds / 60
    return f"{minutes:.0f} min" if minutes < 90 else f"{minutes / 60:.1f} h"
