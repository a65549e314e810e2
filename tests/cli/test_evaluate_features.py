"""`i2i evaluate --features --weights`, with networks that are small enough for a test."""

import json
from functools import partial
from pathlib import Path

import pytest
import torch
from torchvision.models import alexnet

from i2i import cli, images
from i2i.data.day2night import draw
from i2i.evaluation import own_features
from i2i.evaluation.lpips import CHANNELS
from i2i.networks.settings import ResNet
from i2i.translator import Card, save_network

CPU = ["--device", "cpu", "--precision", "fp32"]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Streets of 32 x 32 by day and by night, and a translator without training."""
    root = tmp_path_factory.mktemp("place")
    for split, first, count in (("train", 100, 20), ("test", 0, 10)):
        for side, folder in enumerate("AB"):
            (root / "data" / f"{split}{folder}").mkdir(parents=True)
            for seed in range(first, first + count):
                images.write(root / "data" / f"{split}{folder}" / f"{seed}{folder}.png", draw(seed, (32, 32))[side])
    (root / "pairs" / "test").mkdir(parents=True)
    images.write(root / "pairs" / "test" / "0.png", images.read(root / "data" / "testA" / "0A.png").repeat(2, axis=1))
    architecture = ResNet(width=2, blocks=1)
    card = Card(architecture=architecture, in_channels=3, out_channels=3, size="32")
    save_network(architecture.build(3, 3, (32, 32)), card, root / "model.safetensors")
    return root


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("i2i.evaluation.asked_features.own_features", partial(own_features, steps=1))


def test_two_domains_are_seen_with_both_and_a_line_says_what_they_say_together(
    place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [str(place / "model.safetensors"), str(place / "data"), "--features-cache", str(tmp_path / "own")]
    assert cli.main(["evaluate", *words, "--out", str(tmp_path / "out"), *CPU]) == 0
    said = capsys.readouterr()
    assert "KID (random128)" in said.out
    assert "KID (own64)" in said.out
    assert "features agree that" in said.out or "no claim" in said.out
    assert "own64: features of your own training pictures" in said.err
    kept = json.loads((tmp_path / "out" / "metrics.json").read_text())
    assert [one["name"] for one in kept["features"]] == ["random128", "own64"]
    assert {one["says"] for one in kept["features"]} <= {"nearer", "farther", "undecided"}
    assert cli.main(["evaluate", *words, "--features", "own", "--json", *CPU]) == 0
    again = json.loads(capsys.readouterr().out)
    assert [one["hash"] for one in again["features"]] == [kept["features"][1]["hash"]]
    assert again["metrics"]["own64/kid"] == kept["metrics"]["own64/kid"]
    assert "random128/kid" not in again["metrics"]


def test_lpips_is_a_column_of_pairs_and_nothing_for_two_domains(
    place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with torch.device("meta"):
        layers = alexnet(weights=None).features
    state = {f"features.{name}": torch.randn(value.shape) * 0.05 for name, value in layers.state_dict().items()}
    torch.save(state, tmp_path / "network.pth")
    linear = {f"lin{at}.model.1.weight": torch.rand(1, count, 1, 1) for at, count in enumerate(CHANNELS["alex"])}
    torch.save(linear, tmp_path / "linear.pth")
    weights = ["--weights", str(tmp_path / "network.pth"), str(tmp_path / "linear.pth")]
    model = str(place / "model.safetensors")
    assert cli.main(["evaluate", model, str(place / "pairs"), *CPU, *weights]) == 0
    assert "LPIPS (alex)" in capsys.readouterr().out
    assert cli.main(["evaluate", model, str(place / "pairs"), "--json", *CPU, *weights]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["metrics"]["lpips-alex/lpips"] > 0
    assert found["floors"]["copy the input"]["lpips-alex/lpips"] > 0
    assert [one["name"] for one in found["features"]][-1] == "lpips-alex"
    assert cli.main(["evaluate", model, str(place / "data"), "--features", "random", *CPU, *weights]) == 2
    assert "LPIPS compares with the truth" in capsys.readouterr().err


def test_words_behind_weights_are_taken_for_weights(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["evaluate", "--weights", "a.pth", str(place / "model.safetensors"), str(place / "data")]) == 2
    assert "--weights takes all the words behind it" in capsys.readouterr().err


def test_flags_that_nothing_answers_to_are_refused(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = [str(place / "model.safetensors"), str(place / "data"), *CPU]
    assert cli.main(["evaluate", *words, "--features", "random", "--features-cache", "x"]) == 2
    assert "--features random leaves out" in capsys.readouterr().err
    assert cli.main(["evaluate", *words, "--weights", "missing.pth"]) == 2
    assert "features are used that need no file" in capsys.readouterr().err
