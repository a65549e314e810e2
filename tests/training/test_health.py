"""The monitor inside a run: looks that change nothing, verdicts in log, page and notes, the batch that broke it."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors import safe_open

from i2i import images
from i2i.data.settings import DataSettings
from i2i.engine import checkpoint, series
from i2i.engine.settings import TrainingSettings
from i2i.errors import TrainingError
from i2i.experiment import Experiment
from i2i.models.pix2pix import Pix2Pix as Pix2PixModel
from i2i.models.settings import GAN, CycleGAN, Pix2Pix
from i2i.networks.blocks import BatchNorm
from i2i.networks.settings import DCGANDiscriminator, DCGANGenerator, PatchGAN, ResNet
from i2i.training import Listener, probing, train

MODELS: dict[str, Any] = {
    "pix2pix": Pix2Pix(
        generator=ResNet(width=2, blocks=1, dropout=True, norm="batch"), discriminator=PatchGAN(width=2, layers=1)
    ),
    "cyclegan": CycleGAN(
        generator=ResNet(width=2, blocks=1), discriminator=PatchGAN(width=2, layers=1, norm="instance"), history=2
    ),
    "dcgan": GAN(generator=DCGANGenerator(width=2, latent=4), discriminator=DCGANDiscriminator(width=2)),
}


def experiment(model: str = "pix2pix", **training: Any) -> Experiment:
    settings = {"precision": "fp32", "steps": 6, "batch_size": 2, "log_every": 2} | training
    return Experiment(
        recipe="tiny",
        model=MODELS[model],
        data=DataSettings(size="28" if model == "dcgan" else "16"),
        training=TrainingSettings(**settings),
    )


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("data")
    for split in ("train", "val"):
        for side in "AB":
            for index in range(8):
                pixels = np.random.default_rng(1000 * ord(side) + index).integers(0, 256, (30, 30, 3), dtype=np.uint8)
                (root / split / side).mkdir(parents=True, exist_ok=True)
                images.write(root / split / side / f"{index}.png", pixels)
    return root


def play(model: str, data: Path, out: Path, listener: Listener | None = None, **training: Any) -> list[dict[str, Any]]:
    folder = data / "train" / "B" if model == "dcgan" else data
    train(experiment(model, **training), data=folder, out=out, device="cpu", workers=0, listener=listener)
    return [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]


@pytest.fixture
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look at every line of the log."""
    monkeypatch.setattr(probing, "PICTURES", 1)


def state(out: Path) -> dict[str, torch.Tensor]:
    return checkpoint.load(out / "checkpoint.pt")["model"]


@pytest.mark.parametrize("batch_size", [1, 2])
@pytest.mark.parametrize("model", MODELS)
def test_looks_change_nothing_of_the_training(model, batch_size, data, tmp_path, monkeypatch):
    if model == "dcgan" and batch_size == 1:
        pytest.skip("batch norm of one picture of 1 x 1")
    without = play(model, data, tmp_path / "without", batch_size=batch_size)
    monkeypatch.setattr(probing, "PICTURES", 1)
    looked = play(model, data, tmp_path / "with", batch_size=batch_size)
    assert [line["losses"] for line in looked] == [line["losses"] for line in without]
    one, two = state(tmp_path / "with"), state(tmp_path / "without")
    assert one.keys() == two.keys()
    assert all(torch.equal(one[name], two[name]) for name in one)
    assert not any("checkerboard" in name for line in without for name in line["health"])
    assert all(any("checkerboard" in name for name in line["health"]) for line in looked)


@pytest.mark.usefixtures("often")
@pytest.mark.parametrize(
    ("model", "judges", "directions"),
    [("pix2pix", ["D"], ["AtoB"]), ("cyclegan", ["D/x", "D/y"], ["AtoB", "BtoA"]), ("dcgan", ["D"], ["sample"])],
)
def test_every_line_has_its_signs_and_a_verdict(model, judges, directions, data, tmp_path):
    for line in play(model, data, tmp_path / "run"):
        health = line["health"]
        assert health["verdict"] == "healthy"
        assert {f"{judge}/{sign}" for judge in judges for sign in ("accuracy", "separation", "real", "fake")} <= set(
            health
        )
        wanted = {"checkerboard", "border", "grid", "held-out", "border read"}
        wanted |= set() if model == "dcgan" else {"diversity", "change", "correlation", "expected"}
        assert {f"{direction}/{sign}" for direction in directions for sign in wanted} <= set(health)
        assert all(isinstance(value, float) for name, value in health.items() if name != "verdict")
        if model != "dcgan":
            assert "AtoB/trained-on" in health


def test_a_look_is_due_by_pictures_at_lines_of_the_log():
    class Trainer:
        settings = TrainingSettings(batch_size=4)

    probe = probing.Probe(Trainer(), "running", (lambda _: None, 1), None, 10)  # pyright: ignore[reportArgumentType]
    assert [step for step in range(10, 201, 10) if probe.due(step)] == [50, 100, 150, 200]


def test_gradients_are_measured_every_twenty_steps(data, tmp_path):
    lines = play("pix2pix", data, tmp_path / "run", steps=48)
    assert [line["step"] for line in lines if "G/gradient" in line["health"]] == [20, 40]
    assert all(line["health"]["G/gradient"] > 0 for line in lines if "G/gradient" in line["health"])


@pytest.mark.usefixtures("often")
def test_a_run_that_goes_on_has_the_signs_of_one_that_never_stopped(data, tmp_path):
    def signs(out: Path) -> list[Any]:
        return [json.loads(line)["health"] for line in (out / "log.jsonl").read_text().splitlines()]

    play("pix2pix", data, tmp_path / "whole", schedule="constant")
    play("pix2pix", data, tmp_path / "parts", schedule="constant", steps=4)
    train(resume=tmp_path / "parts", steps=6, device="cpu", workers=0)
    assert signs(tmp_path / "parts") == signs(tmp_path / "whole")


class Notes(Listener):
    def __init__(self) -> None:
        self.texts: list[str] = []

    def note(self, text: str) -> None:
        self.texts.append(text)


@pytest.mark.usefixtures("often")
def test_an_ailment_is_told_once_in_the_log_and_on_the_page(data, tmp_path, monkeypatch):
    monkeypatch.setattr(series, "SETTLED", 1)
    monkeypatch.setattr(series, "LASTS", 4)
    show = Pix2PixModel.views

    def one_picture(self: Any, batch: Any, translators: Any) -> Any:
        views = show(self, batch, translators)
        views["AtoB"] = views["AtoB"].__class__(
            **{name: getattr(views["AtoB"], name) for name in ("real", "score", "source", "paired")}
            | {"make": lambda: torch.zeros_like(batch[1])}
        )
        return views

    monkeypatch.setattr(Pix2PixModel, "views", one_picture)
    notes = Notes()
    lines = play("pix2pix", data, tmp_path / "run", notes, steps=12)
    assert [line["health"]["verdict"] for line in lines] == ["healthy"] * 2 + ["mode collapse"] * 4
    told = [text for text in notes.texts if "mode collapse" in text]
    assert len(told) == 1
    assert told[0].startswith("Step 6: mode collapse. Outputs of AtoB")
    assert " Try: " in told[0]
    page = (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    assert "mode collapse" in page
    assert "What to try:" in page
    assert "accuracy of D" in page


@pytest.mark.parametrize(
    ("every", "message"), [(3, "step 5: D/gan/fake, G/gan, G/l1 is not a number"), (2, "step 4: the weights")]
)
def test_numbers_that_end_stop_the_run_and_leave_the_batch_that_did_it(every, message, data, tmp_path, monkeypatch):
    step = Pix2PixModel.step

    def breaks(self: Any, batch: Any, progress: Any) -> Any:
        for turn in step(self, batch, progress):
            if progress.rounds == 3 and turn.player == "G":
                turn.terms["l1"] = turn.terms["l1"] * float("nan")
            yield turn

    monkeypatch.setattr(Pix2PixModel, "step", breaks)
    with pytest.raises(TrainingError) as refusal:
        play("pix2pix", data, tmp_path / "run", steps=20, log_every=5, checkpoint_every=every)
    assert message in str(refusal.value)
    run = tmp_path / "run"
    assert f"The batch of step 4, the first to do it, is kept: {run / 'broken.png'}" in str(refusal.value)
    with safe_open(run / "broken.safetensors", "pt") as file:
        assert set(file.keys()) == {"source", "target"}
        assert file.metadata() == {"step": "4"}
        assert file.get_tensor("source").shape == (2, 3, 16, 16)
        assert file.get_tensor("source").abs().max() > 0
    assert images.read(run / "broken.png").ndim == 3
    lines = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    assert lines[-1]["health"]["verdict"] == "exploding gradients"
    kept = checkpoint.load(run / "checkpoint.pt")
    assert kept["progress"]["rounds"] == every
    assert all(torch.isfinite(value).all() for value in kept["model"].values() if value.is_floating_point())


def test_after_a_look_batch_norm_is_as_training_left_it(data, tmp_path, monkeypatch):
    monkeypatch.setattr(probing, "PICTURES", 1)
    seen: list[BatchNorm] = []
    look = probing.Probe.look

    def watched(self: Any, step: int) -> dict[str, float]:
        found = look(self, step)
        seen.extend(layer for layer in self.trainer.model.modules() if isinstance(layer, BatchNorm))
        assert all(layer.training and layer.track_running_stats and not layer.own_statistics for layer in seen)
        return found

    monkeypatch.setattr(probing.Probe, "look", watched)
    play("pix2pix", data, tmp_path / "run")
    assert seen
