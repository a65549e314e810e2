"""Sampler files: safetensors with a card, and run folders that hold them."""

from pathlib import Path
from typing import cast

from i2i.errors import ModelFileError
from i2i.networks.card_file import CardFile
from i2i.networks.sampler import Sampler
from i2i.sampler.card import CARD, Card
from i2i.settings import parse_size

# A class has a name of some 10 letters, and there may be thousands of them.
FILE = CardFile("i2i-sampler", "sampler", CARD, most=1 << 22)
NAME = "sampler.safetensors"
"""In a run folder."""


def holds_sampler(path: Path) -> bool:
    """Whether a run folder or a file makes pictures from noise, as far as its name or its card says. Raises nothing."""
    if path.is_dir():
        return (path / NAME).is_file()
    try:
        FILE.read_card(path)
    except ModelFileError:
        return False
    return True


def load_sampler(path: Path) -> tuple[Sampler, Card]:
    """A generator and its card, from a run folder or a sampler file. Raises ModelFileError."""
    if path.is_dir():
        path = _file_of_run(path)
    if not path.exists():
        raise ModelFileError(f"{path}: no such model. A model is a run folder or a sampler .safetensors.")
    network, card = FILE.load(path, _built)
    return cast(Sampler, network), card


def save_sampler(network: Sampler, card: Card, path: Path) -> None:
    """Write a sampler file, whole at every moment. Raises OSError."""
    FILE.save(network, card, path)


def _built(card: Card) -> Sampler:
    return card.architecture.build(card.out_channels, parse_size(card.size), len(card.classes))


def _file_of_run(run: Path) -> Path:
    if (run / NAME).exists():
        return run / NAME
    if list(run.glob("translator*.safetensors")):
        raise ModelFileError(
            f"{run}: translates pictures and makes none from noise. To translate: i2i translate {run} photos/ "
            f"translated/"
        )
    if (run / "experiment.yaml").exists():
        raise ModelFileError(f"{run}: has no {NAME} yet; its first checkpoint was not reached.")
    raise ModelFileError(f"{run}: not a run folder of i2i (no {NAME} in it).")
