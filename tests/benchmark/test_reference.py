"""Driving a checkout of the reference: a fake one here, of the same interface."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from i2i.benchmark.against import check_checkout, reference_flags
from i2i.benchmark.reference import EndToEnd, StepOnly
from i2i.errors import SettingsError
from i2i.experiment import Experiment, change, set_width
from i2i.recipes import recipe


@pytest.fixture
def inside(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """As if this were its own process, started in the checkout."""
    monkeypatch.syspath_prepend(str(checkout))
    monkeypatch.setattr(sys, "argv", ["pytest"])
    before = set(sys.modules)
    yield checkout
    for name in set(sys.modules) - before:
        if name.partition(".")[0] in ("options", "models", "data", "util", "wandb", "dominate", "visdom"):
            del sys.modules[name]


def flags(experiment: Experiment, data: Path | None, scratch: Path) -> dict[str, str]:
    said = [word for word in reference_flags(experiment, data=data, scratch=scratch) if word != "--no_dropout"]
    return dict(zip(said[::2], said[1::2], strict=True))


def test_an_experiment_in_the_words_of_the_reference(tmp_path: Path) -> None:
    experiment = set_width(change(recipe("pix2pix"), {"data": {"size": "128", "direction": "BtoA"}}), 32)
    found = flags(experiment, tmp_path, tmp_path / "scratch")
    wanted = {
        **{"--model": "pix2pix", "--dataset_mode": "aligned", "--netG": "unet_128", "--norm": "batch"},
        **{"--ngf": "32", "--ndf": "32", "--batch_size": "1", "--direction": "BtoA", "--gan_mode": "vanilla"},
        **{"--load_size": "143", "--crop_size": "128", "--num_threads": "4", "--dataroot": str(tmp_path)},
    }
    assert {name: found[name] for name in wanted} == wanted
    assert "--no_dropout" not in reference_flags(experiment, data=None, scratch=tmp_path)
    found = flags(recipe("cyclegan"), None, tmp_path)
    wanted = {"--model": "cycle_gan", "--dataset_mode": "unaligned", "--netG": "resnet_9blocks", "--norm": "instance"}
    assert {name: found[name] for name in wanted} == wanted
    assert found["--gan_mode"] == "lsgan"
    assert "--no_dropout" in reference_flags(recipe("cyclegan"), data=None, scratch=tmp_path)


@pytest.mark.parametrize(
    ("name", "changes", "message"),
    [
        ("dcgan", {}, "the reference has no dcgan"),
        ("pix2pix", {"data": {"size": "64"}}, "U-Nets of depth 7 and 8, not of 6"),
        ("pix2pix", {"model": {"objective": {"kind": "hinge"}}}, "objective.kind hinge"),
        ("pix2pix", {"model": {"generator": {"upsample": "resize"}}}, "transposed convolutions"),
        ("pix2pix", {"data": {"resize": "none"}}, "resized to a square"),
    ],
)
def test_what_the_reference_has_not_is_said(tmp_path: Path, name: str, changes: dict, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        reference_flags(change(recipe(name), changes), data=tmp_path, scratch=tmp_path)


def test_a_folder_that_is_no_checkout_is_refused(tmp_path: Path, checkout: Path) -> None:
    assert check_checkout(checkout) == checkout.resolve()
    with pytest.raises(SettingsError, match=r"no checkout of .*train_options.py is not in it"):
        check_checkout(tmp_path)


def test_steps_are_the_reference_s_own(inside: Path, tmp_path: Path) -> None:
    experiment = change(recipe("pix2pix"), {"training": {"batch_size": 2}})
    playing = StepOnly(reference_flags(experiment, data=None, scratch=tmp_path), "cpu", [2, 3, 8, 8])
    played = playing.play(3)
    assert (played["rounds"], played["images"], played["waited"]) == (3, 6, 0.0)
    assert played["seconds"] > 0
    assert playing.model.calls == ["setup", "step", "step", "step"]


def test_a_run_of_the_reference_logs_shows_and_saves_as_its_own_script(
    inside: Path, pairs: Path, tmp_path: Path
) -> None:
    experiment = change(recipe("pix2pix"), {"data": {"size": "128"}})
    playing = EndToEnd(reference_flags(experiment, data=pairs, scratch=tmp_path), "cpu")
    length = len(playing.dataset)
    assert length == 14  # all pictures of both sides and splits, one after the other
    playing.play(3)
    assert playing.play(length)["waited"] > 0
    steps = length + 3
    assert playing.model.calls.count("step") == steps
    assert playing.model.calls.count("rate") == 1
    assert playing.model.calls.count("save latest") == steps // 8
    shown = [call for call in playing.visualizer.calls if call[0] == "show"]
    assert shown == [("show", False), ("show", True)] * (steps // 8)
    assert [call[1] for call in playing.visualizer.calls if call[0] == "losses"] == list(range(2, steps + 1, 2))
