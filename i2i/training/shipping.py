"""What a run ships: a translator file for each direction, or a sampler where pictures are made from noise."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import nn

from i2i.engine.trainer import Trainer
from i2i.experiment import Experiment
from i2i.losses.reconstruction import l1
from i2i.networks.blocks import BatchNorm
from i2i.networks.sampler import Sampler
from i2i.networks.settings import AnySampler as SamplerSettings
from i2i.sampler import Card as SamplerCard
from i2i.sampler import save_sampler
from i2i.sampler.files import NAME as SAMPLER
from i2i.settings import Direction, as_dict
from i2i.translator import Card, NormMode, save_network


def ship(
    experiment: Experiment,
    channels: tuple[int, int],
    trainer: Trainer,
    norm_mode: NormMode,
    run: Path,
    stem: str = "translator",
    only: str = "",
    captions: tuple[str, ...] = (),
) -> None:
    """Write the run's networks: translator.safetensors, two translator_*.safetensors, or sampler.safetensors.

    `stem` is the name of translators, `only` the direction of the one to write; all of them without. `captions` are
    some that a sampler learnt from.
    """
    architecture = experiment.generator
    networks = trainer.translators()
    if "sample" in networks:
        _ship_sampler(experiment, architecture, channels[1], trainer, run, captions)
        return
    source, target = channels
    labels = experiment.data.labels
    both: tuple[Direction, ...] = ("AtoB", "BtoA")
    for direction in both:
        if direction not in networks or only not in ("", direction):
            continue
        forth = direction == "AtoB"
        card = Card(
            architecture=architecture,
            in_channels=source if forth else target,
            out_channels=target if forth else source,
            # A model of pairs knows one way only, from source to target; which is which was chosen with the data.
            direction=experiment.data.direction if len(networks) == 1 else direction,
            resize=experiment.data.resize,
            size=experiment.data.size,
            labels=labels in ("both", "source" if forth else "target"),
            task=experiment.data.task,
            norm_mode=norm_mode,
            recipe=experiment.recipe,
            steps=trainer.progress.rounds,
        )
        name = stem if len(networks) == 1 else f"{stem}_{direction}"
        save_network(networks[direction], card, run / f"{name}.safetensors")


def _ship_sampler(
    experiment: Experiment,
    architecture: SamplerSettings,
    channels: int,
    trainer: Trainer,
    run: Path,
    captions: tuple[str, ...],
) -> None:
    network = trainer.translators()["sample"]
    assert isinstance(network, Sampler)
    data = experiment.data
    card = SamplerCard(
        architecture=architecture,
        out_channels=1 if channels == 1 else 3,
        size=data.size,
        resize=data.resize,
        load=min(data.loaded),
        classes=tuple(as_dict(experiment.model)["classes"]) if network.classes else (),
        vocabulary=() if data.embedding or not network.text else data.vocabulary,
        embedding=data.embedding if network.text else 0,
        # Of the user's vectors none is in the file.
        captions=() if data.embedding else captions,
        recipe=experiment.recipe,
        steps=trainer.progress.rounds,
    )
    save_sampler(network, card, run / SAMPLER)


def choose_norm_mode(experiment: Experiment, trainer: Trainer, held_out: Iterable[Any]) -> NormMode:
    """How batch norm does better (L1) on batches of held-out pairs; with none to measure on, as it was trained."""
    if not has_batch_norm(trainer):
        return "running"
    unmeasured: NormMode = "picture" if experiment.training.batch * trainer.world.size == 1 else "running"
    if experiment.needs != "pairs":
        return unmeasured
    errors = held_out_errors(trainer, held_out)
    return min(errors, key=lambda mode: errors[mode]) if any(errors.values()) else unmeasured


def has_batch_norm(trainer: Trainer) -> bool:
    """Whether it matters how batch norm is shipped."""
    networks = trainer.translators().values()
    return any(isinstance(layer, BatchNorm) for network in networks for layer in network.modules())


def held_out_errors(trainer: Trainer, held_out: Iterable[Any]) -> dict[NormMode, float]:
    """Mean L1 on batches of held-out pairs, networks in [-1, 1], for each mode of batch norm that makes a difference.

    0 where there are none.
    """
    modes: tuple[NormMode, ...] = ("running", "picture") if has_batch_norm(trainer) else ("running",)
    errors, pictures = dict.fromkeys(modes, 0.0), 0
    for batch in held_out:
        pictures += len(batch[0])
        for mode in modes:
            with evaluating(trainer, mode), torch.inference_mode():
                shown = trainer.model.show(batch, trainer.translators())
                errors[mode] += float(l1(shown["translated"], shown["target"])) * len(batch[0])
    return {mode: total / max(1, pictures) for mode, total in errors.items()}


@contextmanager
def evaluating(trainer: Trainer, mode: NormMode) -> Iterator[None]:
    """Dropout off, batch norm as it will be shipped; training's modes afterwards."""
    # Averaged networks are no part of the model.
    networks: tuple[nn.Module, ...] = (trainer.model, *trainer.translators().values())
    layers = [layer for network in networks for layer in network.modules() if isinstance(layer, BatchNorm)]
    trainer.model.eval()
    for layer in layers:
        layer.own_statistics = mode == "picture"
    try:
        yield
    finally:
        trainer.model.train()
        for layer in layers:
            layer.own_statistics = False
