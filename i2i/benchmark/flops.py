"""Count what a round of the game computes, without computing it."""

from functools import cache
from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode

from i2i import images
from i2i.benchmark.batches import random_batch
from i2i.experiment import Experiment
from i2i.game import Model, Progress, flatten


def count_game(model: Model, batch: Any) -> int:
    """Floating-point operations of one round on `batch`: forward and backward of every turn.

    Of matrix products and convolutions, a multiplication and its addition counted as two; norms, activations and the
    optimizers are not counted. Gradients are taken in the mover's weights alone, as the trainer takes them.
    """
    weights = {
        name: [weight for module in modules for weight in module.parameters()]
        for name, modules in model.players().items()
    }
    model.train()
    with FlopCounterMode(display=False) as counter:
        for turn in model.step(batch, Progress()):
            loss = torch.stack([term.float() for term in flatten(turn.terms).values()]).sum()
            torch.autograd.backward(loss, inputs=weights[turn.player])
    return counter.get_total_flops()


@cache
def count_round(experiment: Experiment, channels: tuple[int, int] = (3, 3)) -> int:
    """Floating-point operations of one round of an experiment's game, all batches that it accumulates included.

    Played on tensors that have a shape and no memory, so it costs seconds whatever the size.
    """
    from torch._subclasses.fake_tensor import FakeTensorMode

    with FakeTensorMode():
        batch = random_batch(experiment, channels)
        batch = type(batch)(*(images.scale(part) if part.ndim == 4 else part for part in batch))
        return count_game(experiment.build(*channels), batch) * experiment.training.accumulate
