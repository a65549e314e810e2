"""What every process has of its own in a run: random numbers, and buffers such as the history of past fakes."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from i2i.engine.distributed import World
from i2i.engine.trainer import random_state, set_random_state


def gather_own(world: World, model: nn.Module, device: torch.device) -> list[dict[str, Any]]:
    """On process 0 what each process has of its own, by rank, for the checkpoint; elsewhere, and alone, nothing.

    Every process has to call it. Which buffers are a process's own is seen by comparing them.
    """
    if world.size == 1:
        return []
    buffers = _buffers(model)
    prints = world.everyones({name: _fingerprint(buffer) for name, buffer in buffers.items()})
    own = {name: value.cpu() for name, value in buffers.items() if len({each[name] for each in prints}) > 1}
    return world.gathered({"random": random_state(device), "buffers": own})


def take_own(
    world: World, saved: Sequence[Mapping[str, Any]], model: nn.Module, device: torch.device, seed: int, rounds: int
) -> None:
    """Give each process what was its own in a checkpoint, once the model and process 0's random state are loaded.

    Where there are more processes now, the new ones draw afresh, from (seed, rank, rounds), and share the buffers of
    those that were.
    """
    if saved:
        buffers = _buffers(model)
        with torch.no_grad():
            for name, value in saved[world.rank % len(saved)]["buffers"].items():
                buffers[name].copy_(value)
    if world.rank < len(saved):
        set_random_state(saved[world.rank]["random"], device)
    elif world.rank > 0:
        torch.manual_seed(int(np.random.SeedSequence((seed, world.rank, rounds)).generate_state(1)[0]))


def _buffers(model: nn.Module) -> dict[str, Tensor]:
    """The buffers that a checkpoint holds."""
    kept = model.state_dict().keys()
    return {name: buffer for name, buffer in model.named_buffers() if name in kept}


def _fingerprint(buffer: Tensor) -> bytes:
    return hashlib.sha1(buffer.detach().cpu().contiguous().view(-1).view(torch.uint8).numpy().tobytes()).digest()
