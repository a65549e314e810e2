"""Loading, conversion, sizes, the check and fidelity."""

import math
from pathlib import Path

import pytest

from i2i.benchmark.check import check_recipes
from i2i.benchmark.convert import measure_conversion, random_translator, write_pictures
from i2i.benchmark.fidelity import WINDOWS, compare, measure_fidelity
from i2i.benchmark.load import measure_loading
from i2i.benchmark.scale import measure_scale
from i2i.benchmark.variants import exact
from i2i.data.settings import Cache
from i2i.errors import DatasetError, SettingsError
from i2i.experiment import Experiment, change
from i2i.recipes import RECIPES


@pytest.mark.parametrize("cache", ["none", "memory"])
def test_loading_tells_what_it_read(small: Experiment, pairs: Path, cache: Cache) -> None:
    asked = change(small, {"training": {"batch_size": 2}})
    found = measure_loading(asked, pairs, device="cpu", workers=0, cache=cache, batches=4, repeats=2)
    assert (found.items, found.batch_size, found.cache, found.size) == (5, 2, cache, "32")
    assert found.items_per_second.lowest > 0
    assert found.opening_s > 0
    assert any("kept in memory" in note for note in found.notes) == (cache == "memory")


def test_conversion_is_measured_stage_by_stage(tmp_path: Path) -> None:
    write_pictures(tmp_path / "in", 3, 32)
    translator = random_translator("resnet", 32, width=2, device="cpu", precision="fp32", batch_size=2)
    found = measure_conversion(translator, tmp_path / "in", model="resnet", workers=1, most=2, repeats=1)
    assert (found.pictures, found.workers, found.batch_size) == (3, 1, 2)
    rates = {name: getattr(found, name).median for name in ("decode", "translate", "encode")}
    assert found.slowest == min(rates, key=lambda name: rates[name])
    assert found.of_slowest == pytest.approx(found.whole.median / rates[found.slowest])
    assert set(found.cpu) == set(rates)
    assert found.bound == pytest.approx(found.cores / sum(found.cpu.values()))
    assert found.of_bound == pytest.approx(found.whole.median / min(found.bound, rates[found.slowest]))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in"]


def test_an_empty_folder_cannot_be_converted(tmp_path: Path) -> None:
    translator = random_translator("resnet", 32, width=2, device="cpu", precision="fp32", batch_size=2)
    with pytest.raises(DatasetError):
        measure_conversion(translator, tmp_path, model="resnet")


def test_a_pixel_has_its_cost_at_every_size(small: Experiment) -> None:
    found = measure_scale(small, (48, 32), device="cpu", repeats=1)
    assert [one.size for one in found.sizes] == [32, 48]
    first, last = found.sizes
    assert found.step_growth == pytest.approx(last.step_ns.median / first.step_ns.median)
    assert first.convert_ns is not None
    assert found.convert_growth is not None


def test_pictures_from_noise_are_not_converted() -> None:
    dcgan = change(RECIPES["dcgan"], {"model": {"generator": {"width": 2}, "discriminator": {"width": 2}}})
    found = measure_scale(change(dcgan, {"training": {"batch_size": 2}}), (32,), device="cpu", repeats=1)
    assert found.sizes[0].convert_ns is found.convert_growth is None


def test_a_recipe_that_cannot_play_is_named_and_hides_no_other(small: Experiment) -> None:
    wrong = change(small, {"model": {"discriminator": {"layers": 7}}})
    broken, fine = check_recipes({"wrong": wrong, "small": small}, device="cpu", rounds=2)
    assert (broken.problem or "").startswith("SettingsError: size 64x64: a PatchGAN of 7 layers")
    assert broken.difference == math.inf
    # An experiment of fp32 is compared with itself.
    assert (fine.problem, fine.difference, fine.later, fine.rounds) == (None, 0.0, 0.0, 2)


@pytest.mark.slow
def test_every_recipe_plays_here() -> None:
    assert [one.problem for one in check_recipes(device="cpu")] == [None] * len(RECIPES)


def test_exact_is_fp32(small: Experiment) -> None:
    assert exact(change(small, {"training": {"precision": "bf16"}})).training.precision == "fp32"


def test_arms_that_differ_by_the_noise_have_a_ratio_of_one() -> None:
    # Two seeds at 9 and 11, and the other arm's at 10 and 12: means 10 and 11, deviation sqrt(2) in both.
    curves = {
        "exact": {0: {"l1": [9.0] * 8}, 1: {"l1": [11.0] * 8}},
        "fast": {0: {"l1": [10.0] * 8}, 1: {"l1": [12.0] * 8}},
    }
    (found,) = compare(curves)
    assert (found.arm, found.term, found.first, found.last) == ("fast", "l1", 10.0, 11.0)
    assert found.difference == pytest.approx(0.1)
    assert found.noise == pytest.approx(math.sqrt(2) / 10)
    assert found.ratio == pytest.approx(1 / math.sqrt(2))  # 1, of sqrt(2) * sqrt(1/2 + 1/2)


def test_equal_curves_do_not_differ_even_without_noise() -> None:
    same = {0: {"l1": [1.0, 2.0]}, 1: {"l1": [1.0, 2.0]}}
    assert compare({"a": same, "b": same})[0].ratio == 0
    other = {0: {"l1": [1.0, 3.0]}, 1: {"l1": [1.0, 3.0]}}
    assert compare({"a": same, "b": other})[0].ratio == math.inf


@pytest.mark.slow
def test_fidelity_trains_every_arm_with_every_seed(small: Experiment, pairs: Path) -> None:
    slower = change(small, {"training": {"lr": 1e-5}})
    found = measure_fidelity(
        {"as it is": small, "slower": slower}, pairs, steps=WINDOWS, seeds=2, device="cpu", workers=0
    )
    assert found.arms == ("as it is", "slower")
    assert {name: sorted(runs) for name, runs in found.curves.items()} == {"as it is": [0, 1], "slower": [0, 1]}
    assert all(len(curve) == WINDOWS for curve in found.curves["slower"][1].values())
    l1 = next(term for term in found.terms if term.term == "G/l1")
    assert l1.last > l1.first
    assert l1.difference > 0


def test_fidelity_needs_noise(small: Experiment, pairs: Path) -> None:
    with pytest.raises(SettingsError, match="2 seeds"):
        measure_fidelity({"a": small, "b": small}, pairs, seeds=1)
