import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from i2i import images
from i2i.data.settings import DataSettings
from i2i.engine import checkpoint, series
from i2i.engine.settings import TrainingSettings
from i2i.errors import SettingsError, TrainingError
from i2i.experiment import Experiment, change, from_yaml
from i2i.models.settings import CycleGAN, Pix2Pix
from i2i.networks.settings import PatchGAN, ResNet
from i2i.training import Listener, train
from i2i.training.lock import NAME, alone
from i2i.translator import Translator

TINY = Experiment(
    recipe="tiny",
    model=Pix2Pix(generator=ResNet(width=2, blocks=1), discriminator=PatchGAN(width=2, layers=1)),
    data=DataSettings(size="16"),
    training=TrainingSettings(precision="fp32", steps=8, checkpoint_every=2, keep=3, log_every=1),
)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("data")
    for index in range(5):
        for side, first in (("A", 0), ("B", 100)):
            path = root / "train" / side / f"{index}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            images.write(path, np.random.default_rng(first + index).integers(0, 256, (18, 18, 3), dtype=np.uint8))
    return root


def run(experiment: Experiment, data: Path, out: Path, **options: Any) -> Path:
    return train(experiment, data=data, out=out, device="cpu", workers=0, **options).path


def go_on(run: Path, **options: Any) -> None:
    train(resume=run, device="cpu", workers=0, **options)


def log(run: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]


def broken(path: Path) -> None:
    """A checkpoint whose weights are no numbers any more."""
    state = checkpoint.load(path)
    next(iter(state["model"].values())).fill_(torch.nan)
    path.unlink()  # it may have another name
    checkpoint.save(state, path)


class Notes(Listener):
    def __init__(self) -> None:
        self.texts: list[str] = []

    def note(self, text: str) -> None:
        self.texts.append(text)


def kept(run: Path) -> list[int]:
    return [step for step, _ in checkpoint.kept(run / "checkpoint.pt")]


def test_a_run_returns_to_the_last_healthy_checkpoint_with_half_the_rate(data: Path, tmp_path: Path) -> None:
    out = run(TINY, data, tmp_path / "run")
    assert kept(out) == [8, 6, 4]
    for file in ("checkpoint.pt", "checkpoint-8.pt", "checkpoint-6.pt"):
        broken(out / file)
    notes = Notes()
    go_on(out, rollback=True, steps=9, listener=notes)
    told = "Returned to the checkpoint of step 4 from step 8; learning rate 0.0002 lowered to 0.0001."
    assert told in notes.texts
    assert told in (out / "notes.txt").read_text()
    records = log(out)
    assert [record["step"] for record in records] == list(range(1, 10))
    assert [record["step"] for record in records if "rollbacks" in record] == [5]
    assert records[4]["rollbacks"] == [{"step": 4, "from": 8, "lr_before": 2e-4, "lr": 1e-4}]
    assert from_yaml(out / "experiment.yaml").training.lr == 1e-4
    assert records[4]["learning_rate"] < records[3]["learning_rate"] * 0.6
    assert kept(out) == [9, 8, 6]
    # The command line that began it still goes on with it, and a second rollback halves once more.
    run(change(TINY, {"training": {"steps": 10}}), data, out, existing="continue")
    go_on(out, rollback=True, steps=11)
    assert from_yaml(out / "experiment.yaml").training.lr == 5e-5


def test_a_rate_of_the_discriminators_own_is_halved_with_the_other(data: Path, tmp_path: Path) -> None:
    of_its_own = change(TINY, {"training": {"lr_discriminator": 4e-4, "steps": 4}})
    out = run(of_its_own, data, tmp_path / "run")
    for file in ("checkpoint.pt", "checkpoint-4.pt"):
        broken(out / file)
    go_on(out, rollback=True)
    training = from_yaml(out / "experiment.yaml").training
    assert (training.lr, training.lr_discriminator) == (1e-4, 2e-4)
    # The command line that began it still goes on with it.
    run(change(of_its_own, {"training": {"steps": 5}}), data, out, existing="continue")


def test_losses_that_were_no_numbers_make_a_checkpoint_sick(data: Path, tmp_path: Path) -> None:
    out = run(TINY, data, tmp_path / "run")
    lines = (out / "log.jsonl").read_text().splitlines()
    record = json.loads(lines[6])
    record["losses"]["G/l1"] = float("nan")
    (out / "log.jsonl").write_text("\n".join([*lines[:6], json.dumps(record), lines[7]]) + "\n")
    notes = Notes()
    go_on(out, rollback=True, listener=notes)
    assert any("step 6 from step 8" in text for text in notes.texts)


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three looks in a row at a run of some steps are enough for a verdict."""
    monkeypatch.setattr(series, "SETTLED", 0)
    monkeypatch.setattr(series, "LASTS", 2)


def collapsed(run: Path, first: int, last: int) -> None:
    """Outputs that were all the same from one step to another, by the log."""
    records = log(run)
    for record in records:
        record["health"]["AtoB/diversity"] = 0.01 if first <= record["step"] <= last else 0.9
    (run / "log.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))


@pytest.mark.usefixtures("hasty")
def test_what_was_saved_since_an_ailment_began_is_sick_though_it_was_told_later(data: Path, tmp_path: Path) -> None:
    out = run(TINY, data, tmp_path / "run")
    collapsed(out, 6, 8)  # at step 6 by one look of three
    notes = Notes()
    go_on(out, rollback=True, listener=notes)
    assert any("step 4 from step 8" in text for text in notes.texts)


@pytest.mark.usefixtures("hasty")
def test_what_was_saved_in_an_ailment_before_another_is_sick_too(data: Path, tmp_path: Path) -> None:
    out = run(TINY, data, tmp_path / "run")
    collapsed(out, 4, 6)
    broken(out / "checkpoint.pt")
    broken(out / "checkpoint-8.pt")
    with pytest.raises(TrainingError) as refusal:
        go_on(out, rollback=True)
    found = str(refusal.value)
    assert "step 8: " in found
    assert "is not a number" in found
    assert "step 6: mode collapse since step 4; step 4: mode collapse since step 4" in found
    assert f"i2i doctor {out}" in found


@pytest.mark.usefixtures("hasty")
def test_a_game_that_recovered_is_gone_on_with_from_where_it_stands(data: Path, tmp_path: Path) -> None:
    out = run(TINY, data, tmp_path / "run")
    collapsed(out, 4, 6)
    notes = Notes()
    go_on(out, rollback=True, listener=notes)
    assert any("step 8 from step 8" in text for text in notes.texts)


def test_where_nothing_is_healthy_nothing_is_changed(data: Path, tmp_path: Path) -> None:
    out = run(change(TINY, {"training": {"keep": 1}}), data, tmp_path / "run")
    assert kept(out) == []
    broken(out / "checkpoint.pt")
    before = (out / "checkpoint.pt").read_bytes()
    with pytest.raises(TrainingError, match=r"no healthy checkpoint.*step 8: .* is not a number"):
        go_on(out, rollback=True)
    assert (out / "checkpoint.pt").read_bytes() == before


def test_there_is_nothing_to_return_to_in_a_new_run(data: Path, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="rollback"):
        run(TINY, data, tmp_path / "run", rollback=True)


def test_how_many_are_kept_may_change(data: Path, tmp_path: Path) -> None:
    out = run(TINY, data, tmp_path / "run")
    notes = Notes()
    go_on(out, keep=2, checkpoint_every=1, steps=10, listener=notes)
    assert kept(out) == [10, 9]
    saved = from_yaml(out / "experiment.yaml").training
    assert (saved.keep, saved.checkpoint_every) == (2, 1)
    go_on(out, keep=1, steps=11)
    assert kept(out) == []


def test_the_best_on_held_out_pairs_lies_beside_the_latest(data: Path, tmp_path: Path) -> None:
    looks = change(TINY, {"training": {"sample_every": 2, "lr": 0.05}})
    out = run(looks, data, tmp_path / "run")
    seen = [record["validation"] for record in log(out) if "validation" in record]
    assert [look["step"] for look in seen] == [2, 4, 6, 8]
    best = min(seen, key=lambda look: look["l1"])
    assert seen[-1]["best_step"] == best["step"]
    translator = Translator.load(out / "best.safetensors", device="cpu")
    assert translator.card.steps == best["step"]
    assert Translator.load(out, device="cpu").card.steps == 8  # the latest, unless the file is named
    # The same weights as of a run that ends there.
    state = checkpoint.load(out / f"checkpoint-{best['step']}.pt") if best["step"] >= 4 else None
    if state is not None:
        weights = {name.removeprefix("G."): value for name, value in state["model"].items() if name.startswith("G.")}
        assert all(torch.equal(value, weights[name]) for name, value in load_file(out / "best.safetensors").items())


def test_where_too_few_are_held_out_no_step_is_best(data: Path, tmp_path: Path) -> None:
    nets = CycleGAN(
        generator=ResNet(width=2, blocks=1), discriminator=PatchGAN(width=2, layers=1, norm="instance"), history=2
    )
    out = run(
        change(Experiment(recipe="c", model=nets, data=TINY.data), {"training": {"steps": 2}}), data, tmp_path / "r"
    )
    assert not list(out.glob("best*"))


def test_a_second_trainer_is_refused_and_reading_is_not(data: Path, tmp_path: Path) -> None:
    out = run(TINY, data, tmp_path / "run")
    with alone(out):
        for start in (lambda: go_on(out, steps=20), lambda: run(TINY, data, out, existing="continue"),
                      lambda: run(TINY, data, out, existing="overwrite"), lambda: run(TINY, data, out)):  # fmt: skip
            with pytest.raises(TrainingError, match="another process is training it"):
                start()
        Translator.load(out, device="cpu")
    assert checkpoint.load(out / "checkpoint.pt")["progress"]["rounds"] == 8
    assert not (out / NAME).exists()
    with alone(tmp_path / "run"):
        pass
