import json
import signal
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from i2i import images
from i2i.data.settings import DataSettings
from i2i.engine import checkpoint
from i2i.engine.settings import TrainingSettings
from i2i.errors import DatasetError, ModelFileError, SettingsError, TrainingError, UserError
from i2i.experiment import Experiment, change, from_yaml
from i2i.losses.reconstruction import l1
from i2i.models.settings import GAN, CycleGAN, Pix2Pix
from i2i.networks.blocks import BatchNorm
from i2i.networks.settings import DCGANDiscriminator, DCGANGenerator, PatchGAN, ResNet, UNet
from i2i.training import Listener, Run, train
from i2i.training.recorder import Recorder
from i2i.training.shipping import evaluating
from i2i.translator import Translator, load_network

RESNET, PATCHGAN = ResNet(width=2, blocks=1), PatchGAN(width=2, layers=1)
PIX2PIX = Experiment(
    recipe="tiny",
    model=Pix2Pix(generator=RESNET, discriminator=PATCHGAN),
    data=DataSettings(size="16"),
    training=TrainingSettings(precision="fp32", steps=3),
)
CYCLEGAN = Experiment(
    recipe="tiny-cycle",
    model=CycleGAN(
        generator=ResNet(width=2, blocks=1, dropout=True),
        discriminator=PatchGAN(width=2, layers=1, norm="instance"),
        history=2,
    ),
    data=DataSettings(size="16", rotate=20.0, brightness=0.3, noise=0.1),
    training=TrainingSettings(precision="fp32", steps=7, log_every=3),
)


def picture(path: Path, seed: int, size: tuple[int, int] = (18, 18), channels: int = 3) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    generator = np.random.default_rng(seed)
    images.write(path, generator.integers(0, 256, (*size, channels), dtype=np.uint8))
    return path


def folders(root: Path, count: int = 5, split: str = "train", channels: tuple[int, int] = (3, 3)) -> Path:
    for index in range(count):
        picture(root / split / "A" / f"{index}.png", index, channels=channels[0])
        picture(root / split / "B" / f"{index}.png", 100 + index, channels=channels[1])
    return root


def run(experiment: Any, data: Path | None, out: Path | None, **options: Any) -> Run:
    return train(experiment, data=data, out=out, **{"device": "cpu", "workers": 0} | options)


def on(experiment: Experiment, **settings: Any) -> Experiment:
    return change(experiment, {"training": settings})


def log(out: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]


def equal(one: Any, two: Any) -> bool:
    """Two states, bit for bit."""
    if isinstance(one, torch.Tensor):
        return one.dtype == two.dtype and torch.equal(one, two)
    if isinstance(one, dict):
        return one.keys() == two.keys() and all(equal(one[key], two[key]) for key in one)
    if isinstance(one, (list, tuple)):
        return len(one) == len(two) and all(map(equal, one, two))
    return one == two


def learned(out: Path) -> dict[str, Any]:
    state = checkpoint.load(out / "checkpoint.pt")
    return {key: state[key] for key in ("model", "average", "optimizers", "progress", "random")}


class Notes(Listener):
    def __init__(self) -> None:
        self.texts: list[str] = []

    def note(self, text: str) -> None:
        self.texts.append(text)

    def __contains__(self, text: str) -> bool:
        return any(text in note for note in self.texts)


class Stops(Notes):
    """Asks the process to stop after a step."""

    def __init__(self, step: int, number: signal.Signals = signal.SIGTERM) -> None:
        super().__init__()
        self.step, self.number = step, number

    def stepped(self, step: int) -> None:
        if step == self.step:
            signal.raise_signal(self.number)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return folders(tmp_path_factory.mktemp("pairs"))


@pytest.fixture(scope="module")
def trained(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of 6 steps, a line of the log each."""
    return run(on(PIX2PIX, steps=6), data, tmp_path_factory.mktemp("runs") / "trained").path


# --------------------------------------------------------------------------------------------------------- what is left


def assert_whole(out: Path, steps: int, translators: set[str]) -> None:
    assert (out / "experiment.yaml").is_file()
    assert torch.load(out / "checkpoint.pt", weights_only=True)["progress"]["rounds"] == steps
    assert {path.name for path in out.glob("translator*.safetensors")} == translators - {"sampler.safetensors"}
    assert (out / "sampler.safetensors").exists() == ("sampler.safetensors" in translators)
    assert [record["step"] for record in log(out)][-1] == steps
    assert (out / "samples" / f"{steps:08d}.png").is_file()
    assert "<html" in (out / "report.html").read_text(encoding="utf-8")
    assert list((out / "tensorboard").glob("*tfevents*"))
    assert not [path for path in out.rglob("*") if "writ" in path.name]


def test_a_run_leaves_every_file_that_is_promised(trained):
    assert_whole(trained, 6, {"translator.safetensors"})
    assert from_yaml(trained / "experiment.yaml") == on(PIX2PIX, steps=6)


def test_a_run_of_one_step_leaves_every_file_too(data, tmp_path):
    assert run(on(PIX2PIX, steps=1), data, tmp_path / "run").steps == 1
    assert_whole(tmp_path / "run", 1, {"translator.safetensors"})


def test_a_run_of_two_domains_leaves_two_translators(data, tmp_path):
    run(on(CYCLEGAN, steps=1), data, tmp_path / "run")
    assert_whole(tmp_path / "run", 1, {"translator_AtoB.safetensors", "translator_BtoA.safetensors"})
    for direction in ("AtoB", "BtoA"):
        assert load_network(tmp_path / "run", direction)[1].direction == direction


def test_a_dcgan_leaves_samples_and_its_sampler(tmp_path):
    for index in range(4):
        picture(tmp_path / "data" / f"{index}.png", index, (32, 32))
    experiment = Experiment(
        recipe="tiny-dcgan",
        model=GAN(generator=DCGANGenerator(width=2, latent=4), discriminator=DCGANDiscriminator(width=2)),
        data=DataSettings(size="28"),
        training=TrainingSettings(precision="fp32", steps=2, batch_size=2),
    )
    run(experiment, tmp_path / "data", tmp_path / "run")
    assert_whole(tmp_path / "run", 2, {"sampler.safetensors"})
    assert load_file(tmp_path / "run" / "sampler.safetensors")
    with pytest.raises(ModelFileError, match="noise"):
        Translator.load(tmp_path / "run")


def test_a_line_of_the_log_has_the_promised_keys_and_finite_numbers(trained):
    for record in log(trained):
        promised = {"step", "images", "epoch", "seconds", "images_per_second", "data_wait", "learning_rate", "losses"}
        assert record["replayed"] == 0
        assert promised <= record.keys()
        assert record["images"] == record["step"]
        assert 0 <= record["data_wait"] <= 1
        assert record["losses"].keys() == {"D/gan/real", "D/gan/fake", "G/gan", "G/l1"}
        assert all(np.isfinite(value) for value in record["losses"].values())


def test_steps_and_seconds_of_the_log_increase_strictly(trained):
    steps, seconds = ([record[key] for record in log(trained)] for key in ("step", "seconds"))
    assert steps == [1, 2, 3, 4, 5, 6]
    assert seconds == sorted(seconds)


def test_what_is_returned_is_where_the_run_stands(data, tmp_path):
    result = run(PIX2PIX, data, tmp_path / "run")
    assert (result.path, result.steps) == (tmp_path / "run", 3)
    assert result.losses == log(tmp_path / "run")[-1]["losses"]


def test_the_folder_is_named_for_recipe_and_data_where_none_is_given(data, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run(on(PIX2PIX, steps=1), data, None)
    assert (tmp_path / "runs" / f"tiny-{data.name}" / "checkpoint.pt").is_file()


def test_epochs_are_counted_in_the_pictures_that_are_trained_on(data, tmp_path):
    # Of 5 pictures 1 is held out; the incomplete batch of an epoch is left out.
    assert run(on(PIX2PIX, steps=0, epochs=2), data, tmp_path / "one").steps == 8
    assert run(on(PIX2PIX, steps=0, epochs=2, batch_size=3), data, tmp_path / "three").steps == 2


def test_the_rate_falls_in_the_second_half(trained):
    rates = [record["learning_rate"] for record in log(trained)]
    # A line tells the rate of the round to come.
    assert rates == pytest.approx([2e-4 * factor for factor in (1, 1, 0.75, 0.5, 0.25, 0.25)])


# ------------------------------------------------------------------------------------------------------------- going on


@pytest.mark.parametrize("stop", [2, 5])
def test_going_on_equals_never_stopping(stop, data, tmp_path):
    # Of two domains of 4 pictures step 2 and 5 are inside an epoch; dropout, history and augmentation are on.
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    run(CYCLEGAN, data, whole)
    with pytest.raises(SystemExit):
        run(CYCLEGAN, data, parts, workers=2, listener=Stops(stop))
    assert checkpoint.load(parts / "checkpoint.pt")["progress"]["rounds"] == stop
    train(resume=parts, device="cpu", workers=1)
    assert equal(learned(parts), learned(whole))
    steps = [record["step"] for record in log(parts)]
    assert steps == [3, 6, 7]
    for name in ("translator_AtoB.safetensors", "translator_BtoA.safetensors"):
        assert equal(load_file(parts / name), load_file(whole / name))


def test_a_longer_run_equals_one_that_was_long_from_the_start(data, tmp_path):
    constant = on(PIX2PIX, schedule="constant", ema=0.5)
    run(on(constant, steps=6), data, tmp_path / "whole")
    run(on(constant, steps=2), data, tmp_path / "parts")
    train(resume=tmp_path / "parts", steps=6, device="cpu", workers=0)
    assert equal(learned(tmp_path / "parts"), learned(tmp_path / "whole"))
    assert from_yaml(tmp_path / "parts" / "experiment.yaml") == on(constant, steps=6)


@pytest.mark.parametrize("gone", ["train", "val"])
def test_a_picture_that_vanishes_costs_no_step_that_was_made_before(gone, tmp_path):
    data = folders(folders(tmp_path / "data", 4), 1, "val")

    class Vanishes(Notes):
        def stepped(self, step: int) -> None:
            if step == 3:
                for file in (data / gone / "A").iterdir():
                    file.unlink()

    with pytest.raises(DatasetError, match=f"cannot be read.*{gone}/A"):
        run(on(PIX2PIX, steps=9, sample_every=4), data, tmp_path / "run", listener=Vanishes(), cache="none")
    assert learned(tmp_path / "run")["progress"]["rounds"] == (3 if gone == "train" else 4)


def test_pictures_that_are_kept_decoded_may_vanish(tmp_path):
    data = folders(folders(tmp_path / "data", 4), 1, "val")

    class Vanishes(Notes):
        def started(self, step: int, steps: int) -> None:
            for file in (data / "train" / "A").iterdir():
                file.unlink()

    assert run(on(PIX2PIX, steps=9), data, tmp_path / "run", listener=Vanishes(), cache="memory").steps == 9


@pytest.mark.parametrize("cache", ["memory", "disk"])
@pytest.mark.parametrize("experiment", [PIX2PIX, CYCLEGAN], ids=["cropped", "augmented"])
def test_a_run_is_the_same_however_it_is_fed(experiment, cache, data, tmp_path):
    kept = Notes()
    run(on(experiment, steps=7), data, tmp_path / "decoded", cache="none")
    run(on(experiment, steps=4), data, tmp_path / "kept", cache=cache, cache_dir=tmp_path / "c", listener=kept)
    assert f"kept in {tmp_path / 'c' if cache == 'disk' else 'memory'}" in kept
    assert any((tmp_path / "c").glob("*.pixels")) == (cache == "disk")
    whole = tmp_path / "whole"
    run(on(experiment, steps=7), data, whole, cache=cache, cache_dir=tmp_path / "c", workers=1)
    assert equal(learned(whole), learned(tmp_path / "decoded"))
    assert all(record["data_wait"] < 1 for record in log(whole))


def test_a_longer_schedule_is_noted(data, tmp_path):
    run(on(PIX2PIX, steps=1), data, tmp_path / "run")
    notes = Notes()
    assert train(resume=tmp_path / "run", steps=2, device="cpu", workers=0, listener=notes).steps == 2
    assert "laid over the new length" in notes


def test_what_a_killed_run_logged_after_its_checkpoint_is_logged_once(data, tmp_path):
    with pytest.raises(SystemExit):
        run(on(PIX2PIX, steps=5), data, tmp_path / "run", listener=Stops(3))
    with (tmp_path / "run" / "log.jsonl").open("a") as file:
        file.write('{"step": 4, "images": 4, "losses": {}}\n{"step": 5, "ima')
    train(resume=tmp_path / "run", device="cpu", workers=0)
    assert [record["step"] for record in log(tmp_path / "run")] == [1, 2, 3, 4, 5]


def test_a_finished_run_is_told_how_to_go_further(data, tmp_path):
    run(on(PIX2PIX, steps=2), data, tmp_path / "run")
    before = learned(tmp_path / "run")
    notes = Notes()
    assert train(resume=tmp_path / "run", device="cpu", workers=0, listener=notes).steps == 2
    assert "--steps 4" in notes
    assert equal(learned(tmp_path / "run"), before)


@pytest.mark.parametrize(
    ("changed", "name"),
    [({"batch_size": 2}, "batch_size"), ({"size": 32}, "size"), ({"width": 4}, "width"), ({"seed": 1}, "seed")],
)
def test_a_resumed_run_refuses_changed_settings_by_name(changed, name, trained):
    with pytest.raises(SettingsError, match=name):
        train(resume=trained, device="cpu", workers=0, **changed)


def test_a_continued_run_refuses_changed_settings_by_name(trained, data):
    before = learned(trained)
    with pytest.raises(SettingsError, match=r"training\.batch_size from 1 to 2"):
        run(on(PIX2PIX, steps=6, batch_size=2), data, trained, existing="continue")
    with pytest.raises(SettingsError, match="recipe from 'tiny' to 'tiny-cycle'"):
        run(CYCLEGAN, data, trained, existing="continue")
    assert equal(learned(trained), before)


def test_going_on_with_data_of_other_channels_is_refused(data, tmp_path):
    run(on(PIX2PIX, steps=1), data, tmp_path / "run")
    gray = folders(tmp_path / "gray", channels=(1, 1))
    with pytest.raises(DatasetError, match=r"1 to 1 channels.*3 to 3"):
        train(resume=tmp_path / "run", data=gray, steps=2, device="cpu", workers=0)


@pytest.mark.parametrize("make", ["missing", "empty", "foreign", "text"])
def test_going_on_from_what_is_no_run_is_refused(make, tmp_path):
    folder = tmp_path / "run"
    if make != "missing":
        folder.mkdir()
    if make == "foreign":
        torch.save({"version": 1, "weights": torch.zeros(2)}, folder / "checkpoint.pt")
    if make == "text":
        (folder / "checkpoint.pt").write_text("no checkpoint")
    with pytest.raises(ModelFileError, match="run"):
        train(resume=folder, device="cpu", workers=0)


# ----------------------------------------------------------------------------------------------- folders that are there


def test_a_folder_that_holds_a_run_is_refused(trained, data):
    before = learned(trained)
    with pytest.raises(TrainingError, match=r"holds a run already.*--overwrite"):
        run(PIX2PIX, data, trained)
    assert equal(learned(trained), before)


def test_continue_starts_a_run_and_goes_on_with_it(data, tmp_path):
    with pytest.raises(SystemExit):
        run(PIX2PIX, data, tmp_path / "run", existing="continue", listener=Stops(1))
    assert run(PIX2PIX, data, tmp_path / "run", existing="continue").steps == 3
    assert [record["step"] for record in log(tmp_path / "run")] == [1, 2, 3]


def test_continue_starts_in_a_folder_where_only_a_scheduler_has_written(data, tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "slurm-1.out").write_text("hello")
    assert run(on(PIX2PIX, steps=1), data, tmp_path / "run", existing="continue").steps == 1
    assert (tmp_path / "run" / "slurm-1.out").read_text() == "hello"


def test_overwrite_leaves_nothing_of_the_run_before(data, tmp_path):
    run(on(CYCLEGAN, steps=2), data, tmp_path / "run")
    run(on(PIX2PIX, steps=1), data, tmp_path / "run", existing="overwrite")
    assert_whole(tmp_path / "run", 1, {"translator.safetensors"})
    assert sorted(path.name for path in (tmp_path / "run" / "samples").iterdir()) == ["00000000.png", "00000001.png"]


def test_an_overwrite_that_cannot_start_keeps_the_run_before(data, tmp_path):
    run(on(PIX2PIX, steps=1), data, tmp_path / "run")
    before = learned(tmp_path / "run")
    with pytest.raises(DatasetError):
        run(PIX2PIX, tmp_path / "nothing", tmp_path / "run", existing="overwrite")
    assert equal(learned(tmp_path / "run"), before)


def test_overwrite_does_not_touch_a_folder_that_holds_no_run(data, tmp_path):
    precious = tmp_path / "photos" / "samples" / "1.png"
    precious.parent.mkdir(parents=True)
    precious.write_bytes(b"precious")
    with pytest.raises(TrainingError, match="no run"):
        run(PIX2PIX, data, tmp_path / "photos", existing="overwrite")
    assert precious.read_bytes() == b"precious"


@pytest.mark.parametrize("there", [False, True])
def test_a_run_that_cannot_start_leaves_no_folder(there, tmp_path):
    out = tmp_path / "runs" / "new"
    if there:
        out.mkdir(parents=True)
    with pytest.raises(DatasetError):
        run(PIX2PIX, tmp_path / "nothing", out)
    assert out.exists() == there
    assert not there or not list(out.iterdir())
    assert (tmp_path / "runs").exists() == there


def test_a_run_that_fails_before_its_first_step_leaves_no_folder(data, tmp_path, monkeypatch):
    monkeypatch.setattr("i2i.training.expected.shutil.disk_usage", lambda place: type("Usage", (), {"free": 10}))
    with pytest.raises(TrainingError, match="10 B are free"):
        run(PIX2PIX, data, tmp_path / "run")
    assert not (tmp_path / "run").exists()


# ------------------------------------------------------------------------------------------------------------- stopping


@pytest.mark.parametrize(
    ("number", "raised", "code"),
    [
        (signal.SIGTERM, SystemExit, 143),
        (signal.SIGINT, KeyboardInterrupt, None),
        pytest.param(
            getattr(signal, "SIGUSR1", None),
            SystemExit,
            138,
            marks=pytest.mark.skipif(not hasattr(signal, "SIGUSR1"), reason="Windows has no SIGUSR1"),
        ),
    ],
)
def test_a_signal_saves_the_run_and_then_stops_it(number, raised, code, data, tmp_path):
    before = signal.getsignal(number)
    notes = Stops(2, number)
    with pytest.raises(raised) as stopped:
        run(PIX2PIX, data, tmp_path / "run", listener=notes)
    assert_whole(tmp_path / "run", 2, {"translator.safetensors"})
    assert "--resume" in notes
    assert signal.getsignal(number) == before
    if code:
        assert stopped.value.code == code


def test_a_process_that_is_told_to_end_saves_and_ends_with_143(data, tmp_path):
    code = f"""
import sys, i2i
from i2i.experiment import from_yaml
from i2i.training import Listener, train
from pathlib import Path
class Tells(Listener):
    def stepped(self, step):
        print(step, flush=True)
train(from_yaml(Path({str(tmp_path / "tiny.yaml")!r})), data={str(data)!r}, out={str(tmp_path / "run")!r},
      device="cpu", workers=1, listener=Tells())
"""
    from i2i.experiment import to_yaml

    (tmp_path / "tiny.yaml").write_text(to_yaml(on(PIX2PIX, steps=100_000)))
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline().strip() == "1"
    process.terminate()
    _, errors = process.communicate(timeout=300)
    assert (process.returncode, errors) == (143, "")
    assert checkpoint.load(tmp_path / "run" / "checkpoint.pt")["progress"]["rounds"] >= 1


def test_time_that_is_up_saves_and_returns(data, tmp_path):
    notes = Notes()
    result = run(on(PIX2PIX, steps=100_000), data, tmp_path / "run", max_seconds=0.5, listener=notes)
    assert 0 <= result.steps < 100_000
    assert checkpoint.load(tmp_path / "run" / "checkpoint.pt")["progress"]["rounds"] == result.steps
    assert "Time is up" in notes


def test_a_checkpoint_is_written_every_so_many_steps(data, tmp_path, monkeypatch):
    saved = []
    write = checkpoint.save
    monkeypatch.setattr(
        checkpoint, "save", lambda state, path: (saved.append(state["progress"]["rounds"]), write(state, path))
    )
    run(on(PIX2PIX, steps=5, checkpoint_every=2), data, tmp_path / "run")
    assert saved == [2, 4, 5]


def test_weights_that_are_no_numbers_are_never_saved(data, tmp_path):
    with pytest.raises(TrainingError, match="number"):
        run(on(PIX2PIX, steps=40, lr=1e30, checkpoint_every=1, log_every=40), data, tmp_path / "run")
    path = tmp_path / "run" / "checkpoint.pt"
    if path.exists():
        values = checkpoint.load(path)["model"].values()
        assert all(value.isfinite().all() for value in values if value.is_floating_point())


# ------------------------------------------------------------------------------------------------------ what is trained


def test_held_out_pictures_are_named_and_never_trained_on(data, tmp_path, monkeypatch):
    from i2i.data import paired

    read: list[str] = []
    whole = paired.read_sides
    monkeypatch.setattr(paired, "read_sides", lambda pair, to: (read.append(pair.name), whole(pair, to))[1])
    shown: list[tuple[str, str]] = []
    original = Recorder._batch

    def batch(self: Recorder, dataset: Any, indices: Iterable[int]) -> Any:
        start = len(read)
        result = original(self, dataset, indices)
        shown.extend(("train" if dataset is self.opened.train else "held", name) for name in read[start:])
        del read[start:]
        return result

    monkeypatch.setattr(Recorder, "_batch", batch)
    notes = Notes()
    run(on(PIX2PIX, steps=20), data, tmp_path / "run", listener=notes)
    held = {name for which, name in shown if which == "held"}
    assert len(held) == 1
    assert set(read) == {"0", "1", "2", "3", "4"} - held
    assert any("held out" in note and held.copy().pop() in note for note in notes.texts)
    assert "held out" in (tmp_path / "run" / "notes.txt").read_text()


def colours(root: Path, a: int, b: int, count: int = 2) -> Path:
    """Pairs of one gray level each, which cannot be mixed up."""
    for index in range(count):
        for side, level in (("A", a), ("B", b)):
            path = root / "train" / side / f"{index}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            images.write(path, np.full((16, 16, 3), level, np.uint8))
    return root


@pytest.mark.parametrize(("direction", "source"), [("AtoB", 50), ("BtoA", 200)])
def test_direction_swaps_source_and_target(direction, source, tmp_path, monkeypatch):
    seen: list[Any] = []
    from i2i.models.pix2pix import Pix2Pix as Game

    step = Game.step
    monkeypatch.setattr(
        Game, "step", lambda self, batch, progress: (seen.append(batch), step(self, batch, progress))[1]
    )
    run(on(PIX2PIX, steps=1), colours(tmp_path / "data", 50, 200), tmp_path / "run", direction=direction)
    assert {round(float(batch.source.mean()) * 127.5 + 127.5) for batch in seen} == {source}
    assert {round(float(batch.target.mean()) * 127.5 + 127.5) for batch in seen} == {250 - source}
    assert load_network(tmp_path / "run")[1].direction == direction


@pytest.mark.parametrize(("direction", "channels"), [("AtoB", (1, 3)), ("BtoA", (3, 1))])
def test_gray_data_gives_a_translator_of_one_channel(direction, channels, tmp_path):
    data = folders(tmp_path / "data", channels=(1, 3))
    run(on(PIX2PIX, steps=1), data, tmp_path / "run", direction=direction)
    card = load_network(tmp_path / "run")[1]
    assert (card.in_channels, card.out_channels) == channels


def test_width_sets_both_networks(data, tmp_path):
    run(on(PIX2PIX, steps=1), data, tmp_path / "run", width=4)
    experiment = from_yaml(tmp_path / "run" / "experiment.yaml")
    assert isinstance(experiment.model, Pix2Pix)
    assert (experiment.model.generator.width, experiment.model.discriminator.width) == (4, 4)
    assert checkpoint.load(tmp_path / "run" / "checkpoint.pt")["model"]["D.layers.0.weight"].shape[0] == 4


def test_a_named_recipe_takes_every_short_setting(data, tmp_path):
    run(
        "pix2pix",
        data,
        tmp_path / "run",
        steps=1,
        batch_size=2,
        size=32,
        width=2,
        direction="BtoA",
        resize="short",
        seed=5,
        checkpoint_every=7,
        precision="fp32",
    )
    saved = from_yaml(tmp_path / "run" / "experiment.yaml")
    settings = saved.training
    assert (settings.steps, settings.batch_size, settings.seed) == (1, 2, 5)
    assert (settings.checkpoint_every, settings.precision) == (7, "fp32")
    assert (saved.data.size, saved.data.direction, saved.data.resize) == ("32", "BtoA", "short")


def test_the_average_is_shipped_where_the_recipe_averages(data, tmp_path):
    run(on(PIX2PIX, steps=3, ema=0.9), data, tmp_path / "run")
    state = checkpoint.load(tmp_path / "run" / "checkpoint.pt")
    shipped = load_file(tmp_path / "run" / "translator.safetensors")
    assert equal(shipped, state["average"]["AtoB"])
    last = {name.removeprefix("G."): value for name, value in state["model"].items() if name.startswith("G.")}
    assert not equal(shipped, last)


def test_the_last_weights_are_shipped_where_it_does_not(trained):
    state = checkpoint.load(trained / "checkpoint.pt")["model"]
    last = {name.removeprefix("G."): value for name, value in state.items() if name.startswith("G.")}
    assert equal(load_file(trained / "translator.safetensors"), last)


def test_a_seed_gives_the_same_run_and_another_seed_another(trained, data, tmp_path):
    run(on(PIX2PIX, steps=6), data, tmp_path / "same", workers=1)
    run(on(PIX2PIX, steps=6), data, tmp_path / "other", seed=1)
    assert equal(learned(tmp_path / "same"), learned(trained))
    assert not equal(learned(tmp_path / "other")["model"], learned(trained)["model"])


def test_looking_does_not_change_training(data, tmp_path, monkeypatch):
    looking = change(
        on(CYCLEGAN, sample_every=1, log_every=1, checkpoint_every=1, ema=0.9, steps=4),
        {"model": {"generator": {"norm": "batch"}}},
    )
    run(looking, data, tmp_path / "looking")
    monkeypatch.setattr(Recorder, "sample", lambda self: None)
    monkeypatch.setattr("i2i.training.playing.Trainer.rehearse", lambda self, batch: 0.0)
    run(change(looking, {"training": {"sample_every": 9, "checkpoint_every": 9}}), data, tmp_path / "blind")
    assert equal(learned(tmp_path / "looking"), learned(tmp_path / "blind"))


@pytest.mark.parametrize("ema", [0.0, 0.9])
def test_batch_norm_ships_in_the_mode_that_is_nearer_on_held_out_pairs(ema, data, tmp_path):
    experiment = change(on(PIX2PIX, steps=2, ema=ema), {"model": {"generator": {"norm": "batch"}}})
    errors: dict[str, float] = {}

    original = Recorder.finish

    def finish(self: Recorder) -> None:
        original(self)
        network = self.trainer.translators()["AtoB"]
        source, target = self.trainer.move(self._batch(self._seen, range(1)))
        layers = [layer for layer in network.modules() if isinstance(layer, BatchNorm)]
        training = network.training
        network.eval()
        for mode in ("running", "picture"):
            for layer in layers:
                layer.own_statistics = mode == "picture"
            by_hand = network(source).detach()
            errors[mode] = float(l1(by_hand, target))
            for layer in layers:
                layer.own_statistics = False
            with evaluating(self.trainer, "picture" if mode == "picture" else "running"):
                shown = self.trainer.model.show((source, target), self.trainer.translators())
            assert torch.equal(shown["translated"], by_hand)
            assert not any(layer.own_statistics for layer in layers)
            network.eval()
        network.train(training)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Recorder, "finish", finish)
        run(experiment, data, tmp_path / "run")
    assert errors["running"] != errors["picture"]
    assert load_network(tmp_path / "run")[1].norm_mode == min(errors, key=lambda mode: errors[mode])


def test_a_unet_ships_with_the_depth_that_its_size_gave_it(tmp_path):
    data = folders(tmp_path / "data", 1)
    experiment = change(PIX2PIX, {"model": {"generator": {"kind": "unet", "width": 2}}, "data": {"size": "32"}})
    run(on(experiment, steps=1), data, tmp_path / "run")
    architecture = load_network(tmp_path / "run")[1].architecture
    assert isinstance(architecture, UNet)
    assert architecture.depth == 5


def test_the_cost_is_told_before_the_first_step(data, tmp_path):
    class Order(Notes):
        def started(self, step: int, steps: int) -> None:
            self.texts.append(f"started {step} of {steps}")

    notes = Order()
    run(on(PIX2PIX, steps=2), data, tmp_path / "run", listener=notes)
    cost = next(note for note in notes.texts if "expected" in note)
    assert all(word in cost for word in ("2 steps on cpu", "memory", "disk"))
    assert notes.texts.index(cost) < notes.texts.index("started 0 of 2")
    assert "5 pairs" in notes.texts[0]


# --------------------------------------------------------------------------------------------------- errors before work


@pytest.mark.parametrize(
    ("experiment", "options", "error", "message"),
    [
        pytest.param(change(PIX2PIX, {"data": {"resize": "none", "size": "32"}}), {}, DatasetError, "crop of 32 x 32",
                     id="the crop is larger than the pictures"),
        pytest.param("pix2pix", {"size": 100}, SettingsError, "--size 96", id="a U-Net cannot halve the size"),
        pytest.param("pix2pix", {"size": "many"}, SettingsError, r"data\.size", id="a size that is none"),
        pytest.param(PIX2PIX, {"size": 18}, SettingsError, "multiples of 4", id="a ResNet cannot halve the size"),
        pytest.param("pix2pics", {}, SettingsError, "did you mean pix2pix", id="an unknown recipe"),
        pytest.param(PIX2PIX, {"steps": 0}, SettingsError, "1 step", id="no steps"),
        pytest.param(PIX2PIX, {"steps": 5, "epochs": 5}, SettingsError, "two lengths", id="two lengths"),
        pytest.param(PIX2PIX, {"batch_size": 0}, SettingsError, "batch_size", id="no batch"),
        pytest.param(PIX2PIX, {"workers": -1}, SettingsError, "workers", id="fewer workers than none"),
        pytest.param(PIX2PIX, {"cache": "ram"}, SettingsError, "wanted one of auto", id="an unknown cache"),
        pytest.param(PIX2PIX, {"device": "gpu"}, SettingsError, "not a device", id="no such device"),
        pytest.param(change(PIX2PIX, {"data": {"holdout": 5}}), {}, DatasetError, "holdout", id="all held out"),
    ],
)  # fmt: skip
def test_what_cannot_be_trained_is_said_before_work(experiment, options, error, message, data, tmp_path):
    with pytest.raises(error, match=message):
        run(experiment, data, tmp_path / "run", **options)
    assert not (tmp_path / "run").exists()


@pytest.mark.skipif(torch.cuda.is_available(), reason="has a GPU")
def test_cuda_where_there_is_none_is_said(data, tmp_path):
    with pytest.raises(SettingsError, match="device cuda"):
        run(PIX2PIX, data, tmp_path / "run", device="cuda")
    assert not (tmp_path / "run").exists()


def test_no_data_is_said(tmp_path):
    with pytest.raises(SettingsError, match="--data"):
        run(PIX2PIX, None, tmp_path / "run")


def test_a_folder_without_pictures_is_said(tmp_path):
    (tmp_path / "data").mkdir()
    with pytest.raises(DatasetError, match="no pictures"):
        run(PIX2PIX, tmp_path / "data", tmp_path / "run")


def test_unpaired_data_with_a_recipe_for_pairs_is_told_of_the_other_recipe(tmp_path):
    picture(tmp_path / "data" / "trainA" / "1.png", 1)
    picture(tmp_path / "data" / "trainB" / "2.png", 2)
    with pytest.raises(DatasetError, match="cyclegan"):
        run(PIX2PIX, tmp_path / "data", tmp_path / "run")


@pytest.mark.parametrize("below", ["file", "file/run", "file/a/run"])
def test_a_run_that_cannot_be_written_is_said_before_work(below, data, tmp_path):
    (tmp_path / "file").write_text("a file")
    with pytest.raises(TrainingError, match="--out"):
        run(PIX2PIX, data, tmp_path / below)
    assert (tmp_path / "file").read_text() == "a file"


def test_a_picture_that_breaks_during_training_is_named(data, tmp_path):
    broken = folders(tmp_path / "data")
    (broken / "train" / "A" / "2.png").write_bytes(b"broken")
    with pytest.raises(UserError, match=r"2\.png"):
        run(on(PIX2PIX, steps=20), broken, tmp_path / "run", workers=1)
