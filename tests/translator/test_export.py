"""Networks to ONNX and back, with torch's own exporter: slow, as it takes seconds to load."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from i2i import cli, images
from i2i.errors import ModelFileError, SettingsError
from i2i.networks.blocks import BatchNorm
from i2i.networks.settings import ResNet, UNet
from i2i.translator import Card, Translator, save_network
from i2i.translator.export import export

SIZES = [(2, 9), (33, 70), (64, 40), (5, 130)]  # instance norm of a single colour is noise over noise


@pytest.fixture
def tools() -> None:
    for package in ("onnx", "onnxscript", "onnxruntime"):
        pytest.importorskip(package)


def saved(folder: Path, architecture: Any, **fields: Any) -> Path:
    torch.manual_seed(0)
    network = architecture.build(3, 3, (64, 64))
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for name, value in network.state_dict().items():
            if value.is_floating_point():
                value.copy_(0.15 * torch.randn(value.shape, generator=generator))
                if name.endswith("running_var"):
                    value.abs_().add_(0.5)
    card = Card(architecture=architecture, in_channels=3, out_channels=3, recipe="pix2pix", **fields)
    save_network(network, card, folder / "t.safetensors")
    return folder / "t.safetensors"


def noise(size: tuple[int, int], dtype: Any = np.uint8) -> Any:
    return np.random.default_rng(0).integers(0, np.iinfo(dtype).max + 1, (*size, 3)).astype(dtype)


@pytest.mark.slow
@pytest.mark.usefixtures("tools")
@pytest.mark.parametrize(
    ("architecture", "fields"),
    [
        (UNet(width=4, depth=5), {}),
        (UNet(width=4, depth=5, upsample="shuffle"), {"norm_mode": "picture"}),
        (ResNet(width=4, blocks=1), {"resize": "short", "size": "64"}),
        (ResNet(width=4, blocks=1, norm="none", upsample="resize"), {"labels": True}),
        (ResNet(width=4, blocks=1, downsample="blur", upsample="bilinear"), {}),
        (ResNet(width=4, blocks=1, mask=True), {}),
    ],
)
def test_an_export_translates_every_size_as_the_original(tmp_path: Path, architecture: Any, fields: Any) -> None:
    model = saved(tmp_path, architecture, **fields)
    out = tmp_path / "made" / "t.onnx"
    comparisons = export(model, out)
    assert comparisons
    assert all(0 < one.largest < 1e-3 for one in comparisons)
    assert b"site-packages" not in out.read_bytes()  # no trace of where it was made
    original = Translator.load(model, device="cpu", precision="fp32", backend="torch")
    for one in comparisons:
        exported = Translator.load(out, precision="fp32", backend=one.engine)
        assert exported.card == original.card
        for size in SIZES:
            for dtype in (np.uint8, np.uint16):
                picture = noise(size, dtype)
                apart = np.abs(exported(picture).astype(int) - original(picture).astype(int))
                assert apart.max() <= (1 if dtype == np.uint8 else 66), (one.engine, size)


@pytest.mark.slow
@pytest.mark.usefixtures("tools")
def test_the_command_writes_and_translate_runs_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model, out = saved(tmp_path, ResNet(width=2, blocks=0)), tmp_path / "t.onnx"
    assert cli.main(["export", str(model), str(out)]) == 0
    said = capsys.readouterr().out
    assert "onnxruntime: largest difference from the original" in said
    images.write(tmp_path / "a.png", noise((20, 30)))
    assert cli.main(["translate", str(out), str(tmp_path / "a.png"), str(tmp_path / "b.png")]) == 0
    assert images.read(tmp_path / "b.png").shape == (20, 30, 3)
    with pytest.raises(ModelFileError, match="exported already"):
        export(out, tmp_path / "again.onnx")


@pytest.mark.slow
@pytest.mark.usefixtures("tools")
def test_an_engine_keeps_what_it_exported_and_uses_it_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from i2i.translator import onnx_file
    from i2i.translator.backends import cache

    monkeypatch.setattr(cache, "cache_folder", lambda: tmp_path / "cache")
    model = saved(tmp_path, ResNet(width=2, blocks=0))
    said: list[str] = []
    first = Translator.load(model, device="cpu", backend="onnxruntime", tell=said.append)(noise((20, 30)))
    assert len(said) == 2
    assert str(tmp_path / "cache") in said[1]
    monkeypatch.setattr(onnx_file, "to_onnx", None)
    again = Translator.load(model, device="cpu", backend="onnxruntime", tell=said.append)(noise((20, 30)))
    assert len(said) == 2
    assert np.array_equal(first, again)


@pytest.mark.slow
@pytest.mark.usefixtures("tools")
def test_what_differs_is_not_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("i2i.translator.export.TOLERANCE", -1.0)
    model = saved(tmp_path, ResNet(width=2, blocks=0))
    with pytest.raises(ModelFileError, match="Nothing is written"):
        export(model, tmp_path / "t.onnx")
    assert not (tmp_path / "t.onnx").exists()


@pytest.mark.parametrize(
    ("words", "part"),
    [
        ("m", "got 1 of these"),
        ("m out.onnx more", "got 3 of these"),
        ("m out.pt", "wanted a name that ends in .onnx"),
        ("m there.onnx", "is there already"),
        ("m out.onnx", "no such model"),
        ("m out.onnx --opest 18", "did you mean --opset?"),
    ],
)
def test_wrong_usage_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], words: str, part: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("there.onnx").touch()
    assert cli.main(["export", *words.split()]) == 2
    said = capsys.readouterr().err
    assert part in said
    assert said.count("\n") == 1


def test_an_opset_that_torch_does_not_write_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("onnx")
    pytest.importorskip("onnxscript")
    with pytest.raises(SettingsError, match="opset 11: wanted 18 to"):
        export(saved(tmp_path, ResNet(width=2, blocks=0)), tmp_path / "t.onnx", opset=11)


def test_without_an_engine_it_says_that_nothing_was_compared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def write(network: Any, card: Any, **options: Any) -> bytes:
        assert isinstance(network.layers[2], BatchNorm)
        assert network.layers[2].own_statistics  # by --norm-mode
        return b"model"

    monkeypatch.setattr("i2i.translator.export.to_onnx", write)
    monkeypatch.setattr("i2i.translator.export.installed", list)
    model, out = saved(tmp_path, ResNet(width=2, blocks=0, norm="batch")), tmp_path / "t.onnx"
    assert cli.main(["export", str(model), str(out), "--norm-mode", "picture"]) == 0
    assert "Not compared" in capsys.readouterr().out
    assert out.read_bytes() == b"model"


def test_without_the_packages_it_says_how_to_install_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("i2i.translator.onnx_file.importlib.util.find_spec", lambda name: None)
    with pytest.raises(SettingsError, match=r"i2i-toolkit\[onnx\]"):
        export(saved(tmp_path, ResNet(width=2, blocks=0)), tmp_path / "t.onnx")
