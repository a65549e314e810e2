"""A hub of this machine for the client, and runs to share: what tests of several folders need."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from fake_hub import TOKEN, FakeHub

from i2i import images
from i2i.networks.settings import ResNet
from i2i.settings import Direction
from i2i.translator import Card, save_network

SMALL = ResNet(width=2, blocks=1)


@contextmanager
def serving(monkeypatch: pytest.MonkeyPatch, folder: Path) -> Iterator[FakeHub]:
    """A hub that is empty, the client's cache in `folder`, and somebody who is logged in."""
    pytest.importorskip("huggingface_hub")
    from huggingface_hub import constants

    hub = FakeHub()
    monkeypatch.setenv("HF_ENDPOINT", hub.address)
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(folder / "cache"))
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(folder / "token"))
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)  # a protocol of its own, whose server this is not
    for name in ("HF_HUB_ETAG_TIMEOUT", "HF_HUB_DOWNLOAD_TIMEOUT"):
        monkeypatch.setattr(constants, name, 300)  # seconds; a busy machine takes its time
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "127.0.0.1")
    try:
        yield hub
    finally:
        hub.close()


def save(path: Path, direction: Direction = "AtoB", recipe: str = "pix2pix") -> Path:
    """A small translator."""
    path.parent.mkdir(parents=True, exist_ok=True)
    card = Card(architecture=SMALL, in_channels=3, out_channels=3, direction=direction, recipe=recipe, steps=1200)
    save_network(SMALL.build(3, 3, (8, 8)), card, path)
    return path


def make_run(run: Path, *, two: bool = False) -> Path:
    """A run as training leaves it, with things in it that are nobody's business."""
    if two:
        save(run / "translator_AtoB.safetensors", "AtoB", "cyclegan")
        save(run / "translator_BtoA.safetensors", "BtoA", "cyclegan")
    else:
        save(run / "translator.safetensors")
    (run / "notes.txt").write_text("6 pairs in /home/ada/secret/faces/train/A and /home/ada/secret/faces/train/B\n")
    (run / "experiment.yaml").write_text(
        "recipe: pix2pix\nmodel:\n  teacher: /home/ada/secret/runs/big\n  lambda_l1: 100.0\n"
    )
    (run / "log.jsonl").write_text(json.dumps({"step": 1200, "images": 4800, "seconds": 7260.0}) + "\n{broken")
    (run / "samples").mkdir()
    for step in (100, 1200):
        images.write(run / "samples" / f"{step:08d}.png", np.full((40, 60, 3), step % 255, np.uint8))
    (run / "checkpoint.pt").write_bytes(b"everything")
    return run


def evaluated(folder: Path, **other: object) -> Path:
    """What i2i evaluate leaves, and other than that."""
    folder.mkdir(parents=True)
    content = {
        "pictures": 20,
        "split": "test",
        "metrics": {"l1": 12.345, "psnr": 18.5, "random64/kid": 0.0123},
        "floors": {"copy the input": {"l1": 40.0, "psnr": 9.0}},
        "ceilings": {},
        **other,
    }
    (folder / "metrics.json").write_text(json.dumps(content))
    return folder
