"""Stopped anywhere and gone on equals never stopped, bit for bit, for every recipe and however it is fed."""

import gzip
import signal
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from i2i.engine import checkpoint
from i2i.experiment import Experiment, change, parse_yaml
from i2i.recipes import RECIPES
from i2i.training import Listener, train

sys.path.insert(0, str(Path(__file__).parent))
from resuming import differences, folder, log, small

SAVED = Path(__file__).parent.parent / "data" / "checkpoints"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return folder(tmp_path_factory.mktemp("data"))


class Stops(Listener):
    """Asks the process to stop after a step."""

    def __init__(self, step: int) -> None:
        self.step = step

    def stepped(self, step: int) -> None:
        if step == self.step:
            signal.raise_signal(signal.SIGTERM)


def stopped_and_gone_on(experiment: Experiment, data: Path, run: Path, at: list[int], **options: Any) -> None:
    first, *later = at
    with pytest.raises(SystemExit):
        train(experiment, data=data, out=run, device="cpu", listener=Stops(first), **options)
    for step in later:
        with pytest.raises(SystemExit):
            train(resume=run, device="cpu", listener=Stops(step), **options)
    assert checkpoint.load(run / "checkpoint.pt")["progress"]["rounds"] == at[-1]
    train(resume=run, device="cpu", **options)


@pytest.mark.parametrize("name", sorted(RECIPES))
def test_every_recipe_goes_on_as_if_it_had_never_stopped(name: str, data: Path, tmp_path: Path) -> None:
    # Of 5 pictures step 6 is in the middle of the second epoch, and of a window of the log.
    train(small(name), data=data, out=tmp_path / "whole", device="cpu", workers=0)
    stopped_and_gone_on(small(name), data, tmp_path / "parts", [6], workers=2, cache="none")
    assert differences(tmp_path / "whole", tmp_path / "parts") == []
    assert [record["step"] for record in log(tmp_path / "parts")] == [4, 8, 9]
    if name == "cyclegan":
        state = checkpoint.load(tmp_path / "whole" / "checkpoint.pt")["model"]
        counts = [value for key, value in state.items() if key.endswith(".count")]
        assert counts
        assert all(int(count) == 2 for count in counts)


@pytest.mark.parametrize(("name", "cache"), [*((name, "none") for name in sorted(RECIPES)), ("cyclegan", "memory")])
def test_it_goes_on_with_accumulated_gradients_and_many_stops(
    name: str, cache: Any, data: Path, tmp_path: Path
) -> None:
    experiment = small(name, accumulate=2, steps=7, batch_size=2)
    train(experiment, data=data, out=tmp_path / "whole", device="cpu", workers=0, cache="none")
    stopped_and_gone_on(experiment, data, tmp_path / "parts", [1, 2, 5], workers=0, cache=cache)
    assert differences(tmp_path / "whole", tmp_path / "parts") == []


def test_plain_crops_that_are_kept_go_on_too(data: Path, tmp_path: Path) -> None:
    plain = change(small("pix2pix"), {"data": {"rotate": 0.0, "brightness": 0.0, "noise": 0.0}})
    train(plain, data=data, out=tmp_path / "whole", device="cpu", workers=0, cache="none")
    stopped_and_gone_on(plain, data, tmp_path / "parts", [3, 7], workers=0, cache="memory")
    assert differences(tmp_path / "whole", tmp_path / "parts") == []


def test_what_a_crash_leaves_goes_on_with_the_means_of_whole_windows(data: Path, tmp_path: Path) -> None:
    class Dies(Listener):
        def stepped(self, step: int) -> None:
            if step == 7:
                raise ZeroDivisionError  # nothing is saved after it

    experiment = small("pix2pix", checkpoint_every=3)
    train(experiment, data=data, out=tmp_path / "whole", device="cpu", workers=0)
    with pytest.raises(ZeroDivisionError):
        train(experiment, data=data, out=tmp_path / "parts", device="cpu", workers=0, listener=Dies())
    state = checkpoint.load(tmp_path / "parts" / "checkpoint.pt")
    assert (state["progress"]["rounds"], state["sums"]["rounds"]) == (6, 2)
    train(resume=tmp_path / "parts", device="cpu", workers=0)
    assert differences(tmp_path / "whole", tmp_path / "parts") == []


@pytest.mark.parametrize("version", range(1, checkpoint.VERSION + 1))
def test_a_checkpoint_of_every_format_goes_on(version: int, tmp_path: Path) -> None:
    """Stopped at step 4 of 9 by the i2i of its time: a cyclegan with dropout, a history and an average."""
    run = tmp_path / "run"
    run.mkdir()
    (run / "checkpoint.pt").write_bytes(gzip.decompress((SAVED / f"{version}.pt.gz").read_bytes()))
    saved = torch.load(run / "checkpoint.pt", weights_only=True)
    assert saved["version"] == version
    state = checkpoint.load(run / "checkpoint.pt")
    experiment = parse_yaml(state["experiment"], "it")
    (run / "experiment.yaml").write_text(state["experiment"])
    done = train(resume=run, data=folder(tmp_path / "data", 5, 18), device="cpu", workers=0)
    assert done.steps == experiment.training.steps == 9
    assert [record["step"] for record in log(run)] == [6, 9]
    after = checkpoint.load(run / "checkpoint.pt")
    assert after["version"] == checkpoint.VERSION
    assert after["progress"] == {"rounds": 9, "images": 9}
    moved = [key for key, value in after["model"].items() if not torch.equal(value, saved["model"][key])]
    assert {"G.", "F."} <= {key[:2] for key in moved}
    assert {moments["step"].item() for moments in after["optimizers"]["G"]["state"].values()} == {9.0}


def test_a_checkpoint_of_every_format_is_kept() -> None:
    assert sorted(path.name for path in SAVED.iterdir()) == [f"{n}.pt.gz" for n in range(1, checkpoint.VERSION + 1)]
