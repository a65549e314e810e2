"""A look at the game from outside every some hundred pictures: what the monitor cannot read from the rounds."""

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch

from i2i.engine import probe
from i2i.engine.trainer import Trainer
from i2i.networks.blocks import BatchNorm
from i2i.training.shipping import evaluating
from i2i.translator import NormMode

TOGETHER = 6
"""Pictures of a look: as many as a sample shows, so that a compiled generator knows the shape."""
GROUPS = 3
"""Groups of pictures that take turns."""
PICTURES = 192
"""Pictures trained on between two looks. A look costs about two steps of batch 1: one or two passes forward of 6."""

Batches = Callable[[Sequence[int]], Any]
"""A batch of a set, by indices, as the loader hands it out."""


class Probe:
    """Looks at some held-out pictures, and at training pictures for comparison.

    When it looks, and at which pictures, follows from the step; it draws nothing from training's generators and leaves
    nothing behind, so a run trains the same with it and without.
    """

    def __init__(
        self,
        trainer: Trainer,
        norm_mode: NormMode,
        held_out: tuple[Batches, int],
        trained_on: tuple[Batches, int] | None,
        log_every: int,
    ) -> None:
        """Both sets with their lengths; without a held-out one, training pictures are `held_out`."""
        self.trainer = trainer
        self.norm_mode: NormMode = norm_mode
        self.log_every = log_every
        self.every = max(log_every, math.ceil(PICTURES / trainer.settings.batch))
        self._sets = held_out, trained_on
        self._groups: list[tuple[Any, Any]] = []

    def due(self, step: int) -> bool:
        """Whether the line of the log at this step has a look."""
        return step // self.every != (step - self.log_every) // self.every

    def look(self, step: int) -> dict[str, float]:
        """Signs by direction: AtoB/diversity."""
        if not self._groups:
            self._groups = self._load()
        held, train = self._groups[step // self.every % len(self._groups)]
        trainer, model = self.trainer, self.trainer.model
        bf16 = trainer.precision == torch.bfloat16
        found: dict[str, float] = {}
        with (
            self._outside_training() as judged,
            torch.inference_mode(),
            torch.autocast(trainer.device.type, dtype=torch.bfloat16, enabled=bf16),
        ):
            translators = trainer.translators()
            views = model.views(trainer.move(held), translators)
            others = model.views(trainer.move(train), translators) if train is not None else {}
            for direction, view in views.items():
                signs = probe.look(view, others.get(direction), judged=judged)
                found |= {f"{direction}/{name}": value for name, value in signs.items()}
        return found

    def _load(self) -> list[tuple[Any, Any]]:
        """Groups of pictures, kept as bytes: decoding them at each look would cost more than looking."""
        (held, held_count), trained_on = self._sets
        together = min(TOGETHER, held_count)
        groups = max(1, min(GROUPS, held_count // together))
        loaded = []
        for group in range(groups):
            train = None
            if trained_on:
                batches, count = trained_on
                # From all over the set: files lie next to those that they resemble.
                places = [(group * together + i) * count // (groups * together) for i in range(together)]
                train = batches(places)
            loaded.append((held(range(group * together, (group + 1) * together)), train))
        return loaded

    @contextmanager
    def _outside_training(self) -> Iterator[bool]:
        """Generators as they are shipped, discriminators as they are trained but learning nothing; whether they can."""
        trainer = self.trainer
        made = {layer for network in trainer.model.translators().values() for layer in network.modules()}
        judging = [layer for layer in trainer.model.modules() if isinstance(layer, BatchNorm) and layer not in made]
        alone = trainer.settings.batch == 1
        with evaluating(trainer, self.norm_mode):
            for layer in judging:
                # A discriminator never runs by the running statistics, which are those of real and fake together.
                layer.own_statistics = alone
                layer.train(not alone)
                layer.track_running_stats = False
            try:
                # The batch norm of several processes waits for all of them, and only the first one looks.
                yield trainer.world.size == 1 or not judging
            finally:
                for layer in judging:
                    layer.own_statistics, layer.track_running_stats = False, True
