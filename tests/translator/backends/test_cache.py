"""Exports are kept in the user's cache folder, under what they follow from."""

import dataclasses
import os
import sys
from pathlib import Path

import pytest
import torch

from i2i.networks.blocks import BatchNorm
from i2i.networks.settings import UNet
from i2i.translator import Card
from i2i.translator.backends import cache

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="$XDG_CACHE_HOME is Linux's")
KEY = "0" * 64


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "i2i" / "exported"


def test_what_is_kept_is_found(folder: Path) -> None:
    assert cache.find(KEY) is None
    assert not cache.has(KEY)
    path = cache.keep(KEY, b"network")
    assert path is not None
    assert path.parent == folder
    assert cache.find(KEY) == b"network"
    assert cache.has(KEY)


def test_what_was_damaged_is_not_found(folder: Path) -> None:
    cache.keep(KEY, b"network")
    for content in (b"", b"short", (folder / f"{KEY}.bin").read_bytes()[:-1]):
        (folder / f"{KEY}.bin").write_bytes(content)
        assert cache.find(KEY) is None


def test_a_folder_that_others_can_write_to_is_not_used(folder: Path) -> None:
    cache.keep(KEY, b"network")
    folder.chmod(0o777)
    assert cache.find(KEY) is None
    assert cache.keep("1" * 64, b"network") is None


def test_without_a_place_nothing_is_kept(folder: Path) -> None:
    folder.parent.write_bytes(b"a file, not a folder")
    assert cache.keep(KEY, b"network") is None


def test_what_was_used_longest_ago_makes_room(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "MOST_BYTES", 100)
    for age, key in enumerate("abc"):
        path = cache.keep(key * 64, bytes(20))
        if path is not None and path.exists():
            os.utime(path, (1000 + age, 1000 + age))
    assert {path.name[0] for path in folder.iterdir()} == {"c"}  # 52 bytes each


def test_a_relative_cache_folder_is_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "here")
    assert cache.cache_folder() == Path.home() / ".cache" / "i2i"


def test_the_key_follows_from_all_that_makes_an_export() -> None:
    architecture = UNet(width=2, depth=5)
    torch.manual_seed(0)
    network = architecture.build(3, 3, (32, 32))
    card = Card(architecture=architecture, in_channels=3, out_channels=3)
    keys = [cache.key_of(network, card), cache.key_of(network, dataclasses.replace(card, recipe="other"))]
    next(layer for layer in network.modules() if isinstance(layer, BatchNorm)).own_statistics = True
    keys.append(cache.key_of(network, card))
    with torch.no_grad():
        next(network.parameters()).view(-1)[0].add_(1e-3)
    keys.append(cache.key_of(network, card))
    assert len(set(keys)) == 4
    assert cache.key_of(network.to(memory_format=torch.channels_last), card) == keys[-1]
