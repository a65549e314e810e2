from pathlib import Path
from typing import Any

import pytest

from i2i import images
from i2i.data.day2night import draw
from i2i.errors import SettingsError
from i2i.experiment import change, from_yaml
from i2i.game import Progress
from i2i.models.growing import ProGAN
from i2i.recipes import RECIPES
from i2i.training import train
from i2i.training.listener import Listener
from i2i.training.stages import with_stages

GROWING = change(RECIPES["progan"], {"data": {"size": "32", "load": 0}, "training": {"batch_size": 4}})


def test_a_run_grows_over_its_first_half_unless_it_is_told_a_length():
    """32 pixels are 4 doubled three times: three fades, each followed by as long a stay but the last, and a start."""
    experiment, said = with_stages(change(GROWING, {"training": {"steps": 300}}), pictures=10)
    assert experiment.model.stage_images == 300 * 4 // 12
    assert said == ["Grows over 600 images, 100 to fade a stage in and as many to stay."]
    model = experiment.build(3, 3)
    assert isinstance(model, ProGAN)
    assert [model.growing.at(Progress(images=images)) for images in (0, 500, 600)] == [(0, 1), (3, 0), (3, 1)]


def test_a_run_of_epochs_and_processes_counts_their_pictures():
    by_epochs, _ = with_stages(change(GROWING, {"training": {"epochs": 6}}), pictures=100)
    assert by_epochs.model.stage_images == 600 // 12
    by_steps, _ = with_stages(change(GROWING, {"training": {"steps": 30, "accumulate": 2}}), pictures=1, processes=2)
    assert by_steps.model.stage_images == 30 * 4 * 2 * 2 // 12


def test_a_run_that_ends_before_it_is_grown_is_told_so():
    asked = change(GROWING, {"training": {"steps": 300}, "model": {"stage_images": 300}})
    experiment, (said,) = with_stages(asked, pictures=10)
    assert experiment == asked
    assert "Grows over 1800 images" in said
    assert "the run sees 1200 and ends before it is grown" in said


def test_a_run_too_short_to_grow_in_is_refused():
    with pytest.raises(SettingsError, match="a run of 4 pictures is too short to grow in"):
        with_stages(change(GROWING, {"training": {"steps": 1}}), pictures=10)


def test_what_does_not_grow_is_left_alone():
    assert with_stages(RECIPES["dcgan"], pictures=10) == (RECIPES["dcgan"], [])


class Notes(Listener):
    def __init__(self) -> None:
        self.all: list[str] = []

    def note(self, text: str) -> None:
        self.all.append(text)


def test_the_command_that_began_a_run_goes_on_with_it(tmp_path: Path):
    """It left the stages to the run, which has written down how long they are."""
    (tmp_path / "data").mkdir()
    for index in range(8):
        images.write(tmp_path / "data" / f"{index}.png", draw(index, (16, 16))[0])
    tiny = {
        "model": {"generator": {"width": 2, "latent": 4}, "discriminator": {"width": 2}},
        "data": {"size": "16", "load": 0, "resize": "none"},
        "training": {"steps": 6, "batch_size": 4},
    }
    experiment, notes = change(RECIPES["progan"], tiny), Notes()
    options: dict[str, Any] = {"data": tmp_path / "data", "out": tmp_path / "run", "device": "cpu", "workers": 0}
    train(experiment, listener=notes, **options)
    assert "Grows over 12 images, 3 to fade a stage in and as many to stay." in notes.all
    longer = change(experiment, {"training": {"steps": 8}})
    run = train(longer, existing="continue", **options)
    assert run.steps == 8
    assert from_yaml(tmp_path / "run" / "experiment.yaml").model.stage_images == 3
