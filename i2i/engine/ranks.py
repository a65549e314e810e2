"""What every process has of its own in a run: random numbers, and buffers such as the history of past fakes."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from i2i.engine.trainer import Trainer, random_state, set_random_state

_SUMMED = "losses", "signals"


def gather_own(trainer: Trainer) -> list[dict[str, Any]]:
    """On process 0 what each process has of its own, by rank, for the checkpoint; elsewhere, and alone, nothing.

    Every process has to call it. Which buffers are a process's own is seen by comparing them.
    """
    world = trainer.world
    if world.size == 1:
        return []
    buffers = _buffers(trainer.model)
    prints = world.everyones({name: _fingerprint(buffer) for name, buffer in buffers.items()})
    own = {name: value.cpu() for name, value in buffers.items() if len({each[name] for each in prints}) > 1}
    sums = {kind: {name: total.cpu() for name, total in trainer.sums()[kind].items()} for kind in _SUMMED}
    return world.gathered({"random": random_state(trainer.device), "buffers": own, "sums": sums})


def take_own(trainer: Trainer, saved: Sequence[Mapping[str, Any]]) -> None:
    """Give each process what was its own in a checkpoint, once its state is loaded; a new run has saved nothing.

    Where there are more processes now, the new ones draw afresh, from (seed, rank, rounds), and share the buffers of
    those that were. Sums of losses are kept as they are by as many processes as before, and shared out among others.
    """
    world, rounds = trainer.world, trainer.progress.rounds
    if saved:
        own = saved[world.rank % len(saved)]
        buffers = _buffers(trainer.model)
        with torch.no_grad():
            for name, value in own["buffers"].items():
                buffers[name].copy_(value)
        sums = [each["sums"] for each in saved if "sums" in each]  # format 1 has none
        if sums and len(saved) != world.size:
            means = {
                kind: {name: sum(each[kind][name] for each in sums) / len(sums) for name in sums[0][kind]}
                for kind in _SUMMED
            }
            sums = [means] * world.size
        if sums:
            trainer.set_sums(trainer.sums() | sums[world.rank])
    if world.rank < len(saved):
        set_random_state(saved[world.rank]["random"], trainer.device)
    elif world.rank > 0:
        torch.manual_seed(int(np.random.SeedSequence((trainer.settings.seed, world.rank, rounds)).generate_state(1)[0]))


def _buffers(model: nn.Module) -> dict[str, Tensor]:
    """The buffers that a checkpoint holds."""
    kept = model.state_dict().keys()
    return {name: buffer for name, buffer in model.named_buffers() if name in kept}


def _fingerprint(buffer: Tensor) -> bytes:
    return hashlib.sha1(buffer.detach().cpu().contiguous().view(-1).view(torch.uint8).numpy().tobytes()).digest()
