"""Random pictures in the shape of a loader's batch."""

from typing import Any

import torch

from i2i.batches import Captioned, Domains, Labelled, Pairs
from i2i.experiment import Experiment


def random_batch(experiment: Experiment, channels: tuple[int, int] = (3, 3)) -> Any:
    """Bytes on the CPU, as a loader hands them to the trainer. Shape: (N, C, H, W) uint8 each."""
    count, size = experiment.training.batch, experiment.data.crop

    def pictures(channels: int, size: tuple[int, int] = size) -> torch.Tensor:
        return torch.randint(256, (count, channels, *size), dtype=torch.uint8)

    if experiment.needs == "pictures":
        return Labelled(pictures(channels[1]), torch.zeros(count, dtype=torch.long))
    if experiment.needs == "captions":
        says = torch.nn.functional.normalize(torch.randn(2, count, max(1, experiment.data.caption)), dim=2)
        return Captioned(pictures(channels[1]), *says)
    source = pictures(channels[0], experiment.source_size)
    return (Pairs if experiment.needs == "pairs" else Domains)(source, pictures(channels[1]))
