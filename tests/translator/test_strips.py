"""Pictures too large to be translated whole."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from i2i.errors import PictureError, SettingsError
from i2i.networks.settings import ResNet, UNet
from i2i.translator import Card, Translator, room

RESNET, UNET = ResNet(width=8, blocks=2), UNet(width=8, depth=4)


def translator(
    architecture: Any = RESNET, *, in_channels: int = 3, out_channels: int = 3, **options: Any
) -> Translator:
    torch.manual_seed(0)
    network = architecture.build(in_channels, out_channels, (64, 64))
    card = Card(architecture=architecture, in_channels=in_channels, out_channels=out_channels)
    return Translator(network, card, **{"device": "cpu", "precision": "fp32", "fit": "native"} | options)


def photo(height: int, width: int, dtype: Any = np.uint8, channels: int = 3) -> np.ndarray:
    """A ramp with noise: no strip of it has the statistics of the whole."""
    values = np.random.default_rng(0).random((height, width, channels)) * 0.5
    values += np.linspace(0, 0.5, height)[:, None, None]
    return values.astype(dtype) if dtype == np.float32 else (values * np.iinfo(dtype).max).astype(dtype)


@pytest.mark.parametrize("architecture", [RESNET, UNET])
@pytest.mark.parametrize("size", [(70, 50), (64, 64), (33, 90), (40, 1), (1000, 3)])
def test_strips_change_nothing(architecture: Any, size: tuple[int, int]) -> None:
    picture = photo(*size)
    whole = translator(architecture, tile=0)(picture)
    made = translator(architecture, tile=16)(picture)
    assert made.shape == whole.shape
    assert np.abs(made.astype(int) - whole).max() <= 1  # a level on the edge between two


@pytest.mark.parametrize("dtype", [np.uint16, np.float32])
def test_strips_keep_the_depth(dtype: Any) -> None:
    picture = photo(70, 50, dtype)
    whole, made = (translator(tile=tile, precision="bf16")(picture) for tile in (0, 16))
    assert made.dtype == dtype
    top = 1 if dtype == np.float32 else 65535
    assert np.abs(made.astype(float) - whole.astype(float)).max() < 1e-4 * top  # fp32: bf16 has 8 bits


def test_strips_of_gray() -> None:
    picture = photo(70, 50, channels=1)
    whole, made = (translator(in_channels=1, out_channels=3, tile=tile)(picture) for tile in (0, 16))
    assert made.shape == (70, 50, 1) or made.shape == whole.shape
    assert np.abs(made.astype(int) - whole).max() <= 1


def test_strips_in_bf16_stay_near_the_whole() -> None:
    picture = photo(128, 64)
    exact = translator(ResNet(width=16, blocks=9), tile=0)(picture).astype(int)
    whole, made = (
        translator(ResNet(width=16, blocks=9), precision="bf16", tile=tile)(picture).astype(int) for tile in (0, 32)
    )
    assert np.abs(made - exact).mean() < 1.5 * np.abs(whole - exact).mean() + 0.1


def test_a_picture_goes_in_strips_by_itself_where_it_is_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    picture = photo(96, 64)
    expected = translator(tile=0)(picture)
    monkeypatch.setattr(room, "UNHEEDED_BYTES", 0)
    monkeypatch.setattr(room, "WHOLE_BYTES", 100_000)
    t = translator(tell=told.append)
    made = [t(picture), t(picture)]
    assert all(np.abs(one.astype(int) - expected).max() <= 1 for one in made)
    assert told == ["64 x 96 pixels: in strips of rows, to the same result, with about 0.3 GB."]
    assert t(photo(8, 8)).shape == (8, 8, 3)
    assert len(told) == 1


def test_few_bytes_free_put_maps_into_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    told: list[str] = []
    picture = photo(96, 64)
    expected = translator(tile=0)(picture)
    monkeypatch.setattr(room, "UNHEEDED_BYTES", 0)
    monkeypatch.setattr(room, "STRIP_BYTES", 1000)
    monkeypatch.setattr(room, "free_bytes", lambda: 100_000)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    made = translator(tell=told.append)(picture)
    assert np.abs(made.astype(int) - expected).max() <= 1
    assert "of them in a file" in told[0]
    assert not list(tmp_path.iterdir())


def test_a_picture_is_refused_where_memory_and_disk_are_full(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "UNHEEDED_BYTES", 0)
    monkeypatch.setattr(room, "free_bytes", lambda: 10_000)
    with pytest.raises(PictureError, match=r"64 x 96 pixels: takes about .* give a smaller --fit"):
        translator()(photo(96, 64))


def test_a_full_disk_is_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    class Usage:
        free = 1000

    monkeypatch.setattr(room, "UNHEEDED_BYTES", 0)
    monkeypatch.setattr(room, "STRIP_BYTES", 1000)
    monkeypatch.setattr(room, "free_bytes", lambda: 100_000)
    monkeypatch.setattr("shutil.disk_usage", lambda folder: Usage)
    with pytest.raises(PictureError, match=r"or .* GB of it in a file in .*, and"):
        translator()(photo(96, 64))


def test_a_strip_has_some_rows() -> None:
    with pytest.raises(SettingsError, match="tile -1: wanted the rows of a strip, 0 for the whole picture, or auto"):
        translator(tile=-1)


def test_what_runs_out_of_memory_whole_goes_on_in_strips(monkeypatch: pytest.MonkeyPatch) -> None:
    picture = photo(96, 64)
    expected = translator(tile=0)(picture)

    def runs_out(*_: Any) -> Any:
        raise torch.OutOfMemoryError("CUDA out of memory")

    t = translator()
    monkeypatch.setattr(t, "translate_prepared", runs_out)
    assert np.abs(t(picture).astype(int) - expected).max() <= 1
    whole = translator(tile=0)
    monkeypatch.setattr(whole, "translate_prepared", runs_out)
    with pytest.raises(PictureError, match="too many for the memory of cpu"):
        whole(picture)


def test_a_disk_that_fills_up_meanwhile_is_one_pictures_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(room, "memory_for_maps", lambda *_: 0)
    monkeypatch.setattr("os.posix_fallocate", full)
    with pytest.raises(PictureError, match=r"found no room in a file \(No space left on device\)"):
        translator(tile=16)(photo(96, 64))


def test_pictures_of_16_bits_need_twice_the_memory_of_bf16(monkeypatch: pytest.MonkeyPatch) -> None:
    # 96 x 64 pixels of a ResNet of width 8: 32 + 3.6 * 8 * 2 bytes each in bf16, of 16 bits 32 + 3.6 * 8 * 4.
    monkeypatch.setattr(room, "UNHEEDED_BYTES", 0)
    monkeypatch.setattr(room, "free_bytes", lambda: 96 * 64 * 120)
    t = translator(precision="bf16", tile=0)
    assert t(photo(96, 64)).dtype == np.uint8
    with pytest.raises(PictureError, match="64 x 96 pixels: takes about"):
        t(photo(96, 64, np.uint16))
