"""A model of two domains that translates one way only, from training to scores."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from i2i import images
from i2i.data.settings import DataSettings
from i2i.engine.settings import TrainingSettings
from i2i.errors import ModelFileError
from i2i.evaluation import measure
from i2i.experiment import Experiment, change
from i2i.models.settings import CUT
from i2i.networks.settings import PatchGAN, ResNet
from i2i.training import probing, train
from i2i.translator import Translator

TINY = Experiment(
    recipe="cut",
    model=CUT(
        generator=ResNet(width=2, blocks=1, downsample="blur", upsample="bilinear"),
        discriminator=PatchGAN(width=2, layers=1, norm="instance"),
        head_width=4,
    ),
    data=DataSettings(size="16", load=0, resize="short"),
    training=TrainingSettings(precision="fp32", steps=4, sample_every=2, log_every=2, ema=0.5),
)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory, draw_domains: Callable[..., Path]) -> Path:
    """Streets by day and others by night, of which 16 and 17 are held out."""
    return draw_domains(tmp_path_factory.mktemp("data"), train=(5, 4), test=(16, 17))


def run(data: Path, out: Path, monkeypatch: pytest.MonkeyPatch, **changes: Any) -> list[dict[str, Any]]:
    monkeypatch.setattr(probing, "PICTURES", 1)
    train(change(TINY, {"data": changes}), data=data, out=out, device="cpu", workers=0)
    return [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]


@pytest.mark.parametrize(("direction", "other"), [("AtoB", "BtoA"), ("BtoA", "AtoB")])
def test_it_ships_and_judges_its_one_direction(direction, other, data, tmp_path, monkeypatch):
    out = tmp_path / "run"
    lines = run(data, out, monkeypatch, direction=direction)
    assert sorted(path.name for path in out.glob("*.safetensors")) == ["best.safetensors", "translator.safetensors"]
    # Within a run the way from source to target is AtoB, whichever folder is the source.
    for line in lines:
        assert {"AtoB/error", "AtoB/kid", "AtoB/structure", "AtoB/best_step"} <= set(line["validation"])
        signs = {"accuracy", "separation"} | {f"AtoB/{name}" for name in ("diversity", "correlation", "trained-on")}
        assert {f"D/{name}" if "/" not in name else name for name in signs} <= set(line["health"])
    assert lines[-1]["losses"].keys() == {"D/gan/fake", "D/gan/real", "G/gan", "G/nce/x", "G/nce/y"}
    assert (out / "samples" / "00000004.png").exists()
    assert (out / "report.html").exists()

    for stem in ("translator", "best"):
        assert Translator.load(out / f"{stem}.safetensors", device="cpu").card.direction == direction
    night = Translator.load(out, direction=direction, device="cpu")  # pyright: ignore[reportArgumentType]
    assert night(np.zeros((19, 23, 3), np.uint8)).shape == (19, 23, 3)
    with pytest.raises(ModelFileError, match=rf"trained {direction} alone.*--direction {other}"):
        Translator.load(out, direction=other, device="cpu")  # pyright: ignore[reportArgumentType]


def test_it_is_measured_as_one_of_two_domains(data, tmp_path, monkeypatch):
    run(data, tmp_path / "run", monkeypatch)
    scores = measure(Translator.load(tmp_path / "run", device="cpu"), data)
    assert scores.metrics
    assert "copy the input" in scores.floors


def test_the_source_is_the_folder_that_the_direction_names(data, tmp_path, monkeypatch):
    """The sample's first column, enlarged from the crop, is of days or of nights: nights are darker."""
    light = {}
    for direction in ("AtoB", "BtoA"):
        run(data, tmp_path / direction, monkeypatch, direction=direction)
        sheet = images.read(tmp_path / direction / "samples" / "00000000.png")
        light[direction] = float(sheet[:, : sheet.shape[1] // 3].mean() - sheet[:, -(sheet.shape[1] // 3) :].mean())
    assert light["AtoB"] > 10
    assert light["BtoA"] < -10
