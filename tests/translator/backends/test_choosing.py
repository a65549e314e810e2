"""Which engine runs what."""

from typing import Any

import numpy as np
import pytest
import torch

from i2i.errors import SettingsError
from i2i.networks.settings import ResNet
from i2i.translator import Card, Translator
from i2i.translator.backends import choosing, engines
from i2i.translator.backends.choosing import choose_backend
from i2i.translator.backends.torch import TorchBackend

ARCHITECTURE = ResNet(width=2, blocks=1)
CARD = Card(architecture=ARCHITECTURE, in_channels=3, out_channels=3)


def choose(name: Any, device: str = "cpu", steady: bool = False) -> Any:
    network = ARCHITECTURE.build(3, 3, (16, 16)).eval()
    return choose_backend(
        name,
        network,
        CARD,
        device=torch.device(device),
        precision=torch.float32,
        steady=steady,
        tell=lambda line: None,
    )


def test_torch_where_it_is_asked_for_and_where_nothing_else_can_do_it() -> None:
    assert isinstance(choose("torch"), TorchBackend)
    assert isinstance(choose("auto", device="meta"), TorchBackend)
    assert isinstance(choose("auto", steady=True), TorchBackend)
    assert choose("auto").name == "torch"


@pytest.mark.parametrize("engine", ["onnxruntime", "openvino"])
def test_an_engine_that_is_not_there_is_said_at_once(engine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "installed", list)
    with pytest.raises(SettingsError, match=rf"{engine}: not installed.*i2i-toolkit\["):
        choose(engine)


@pytest.mark.parametrize("engine", ["onnxruntime", "openvino"])
def test_what_an_engine_cannot_do_is_said(engine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "installed", lambda: ["onnxruntime", "openvino"])
    with pytest.raises(SettingsError, match="not on meta"):
        choose(engine, device="meta")
    with pytest.raises(SettingsError, match="over frames"):
        choose(engine, steady=True)


def test_an_engine_starts_with_the_first_picture_and_once(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[Any] = []

    def start(engine: Any, network: Any, *rest: Any) -> Any:
        started.append(engine)
        return TorchBackend(network, torch.device("cpu"))

    monkeypatch.setattr(engines, "installed", lambda: ["openvino"])
    monkeypatch.setattr(choosing, "_started", start)
    translator = Translator(ARCHITECTURE.build(3, 3, (16, 16)), CARD, device="cpu", backend="openvino")
    assert not started
    for _ in range(2):
        assert translator(np.zeros((8, 8, 3), np.uint8)).shape == (8, 8, 3)
    assert started == ["openvino"]


def test_a_conversion_tells_auto_how_many_pictures_come(tmp_path: Any) -> None:
    from i2i import conversion, images

    (tmp_path / "in").mkdir()
    for name in "abc":
        images.write(tmp_path / "in" / f"{name}.png", np.zeros((8, 8, 3), np.uint8))
    translator = Translator(ARCHITECTURE.build(3, 3, (16, 16)), CARD, device="cpu")
    expected: list[int] = []
    translator.expect = expected.append  # type: ignore[method-assign]
    conversion.translate(translator, tmp_path / "in", tmp_path / "out")
    assert expected == [3]
