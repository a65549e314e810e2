"""A model as small as models get, saved as training saves them, and pictures for it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from i2i import images
from i2i.networks.settings import ResNet
from i2i.translator import Card, save_network

Tiny = Callable[..., Path]


@pytest.fixture(scope="session")
def tiny() -> Tiny:
    """Saves an untrained translator: `tiny(path, labels=True)`."""

    def save(path: Path, **fields: Any) -> Path:
        card = Card(**{"architecture": ResNet(width=2, blocks=1), "in_channels": 3, "out_channels": 3} | fields)
        torch.manual_seed(0)
        path.parent.mkdir(parents=True, exist_ok=True)
        save_network(card.architecture.build(card.in_channels, card.out_channels, (16, 16)), card, path)
        return path

    return save


@pytest.fixture
def picture(tmp_path: Path) -> Callable[..., Path]:
    """Writes a picture of noise: `picture("a.png", (20, 30))`."""

    def write(name: str, size: tuple[int, int] = (20, 30), folder: Path = tmp_path, seed: int = 0) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        images.write(folder / name, np.random.default_rng(seed).integers(0, 256, (*size, 3), np.uint8))
        return folder / name

    return write
