import os
import shutil
from pathlib import Path

import pytest

from i2i.app import shelf as shelves
from i2i.app.shelf import Shelf
from i2i.errors import ModelFileError, SettingsError


@pytest.fixture
def runs(tmp_path: Path, tiny) -> Path:
    tiny(tmp_path / "runs/one/translator.safetensors")
    for way in ("AtoB", "BtoA"):
        tiny(tmp_path / f"runs/two/translator_{way}.safetensors", direction=way, recipe=way)
    (tmp_path / "runs/young").mkdir()
    (tmp_path / "runs/young/log.jsonl").write_text("")
    (tmp_path / "runs/other").mkdir()
    return tmp_path / "runs"


def offered(shelf: Shelf) -> dict[str, tuple[str, ...]]:
    return {offer.name: offer.directions for offer in shelf.offers()}


def test_models_that_were_named_come_first_and_runs_that_have_one_follow(tmp_path, tiny, runs):
    single = tiny(tmp_path / "night.safetensors", direction="BtoA")
    shelf = Shelf([single], runs, device="cpu")
    assert offered(shelf) == {"night.safetensors": ("BtoA",), "one": ("AtoB",), "two": ("AtoB", "BtoA")}
    tiny(runs / "young/translator.safetensors")
    assert "young" in offered(shelf)


def test_a_run_that_was_named_is_offered_once(runs):
    assert list(offered(Shelf([runs / "two"], runs, device="cpu"))) == ["two", "one"]


def test_runs_that_log_are_watched_whether_named_or_found(runs):
    assert Shelf([], runs, device="cpu").watched() == {"young": (runs / "young").resolve()}
    assert Shelf([runs / "one"], device="cpu").watched() == {}
    for name in ("one", "two"):
        (runs / name / "log.jsonl").write_text("")
    assert list(Shelf([runs / "one"], device="cpu").watched()) == ["one"]
    assert list(Shelf([runs / "two"], runs, device="cpu").watched()) == ["two", "one", "young"]


def test_two_models_of_one_name_are_told_apart(tmp_path, tiny):
    paths = [tiny(tmp_path / where / "a.safetensors") for where in "xy"]
    names = list(offered(Shelf(paths, device="cpu")))
    assert len(set(names)) == 2
    assert all(name.startswith("a.safetensors (") for name in names)


def test_a_direction_is_opened_and_another_than_there_is_falls_back(runs):
    shelf = Shelf([], runs, device="cpu")
    assert shelf.open("two", "BtoA").card.recipe == "BtoA"
    assert shelf.open("two", None).card.recipe == "AtoB"
    assert shelf.open("one", "BtoA").card.direction == "AtoB"


@pytest.mark.parametrize("name", ["nothing", "../runs/one", "/etc/passwd", None])
def test_only_names_on_the_shelf_are_opened(name, runs):
    with pytest.raises(SettingsError, match="no such model here; choose one of one, two"):
        Shelf([], runs, device="cpu").open(name, None)


def test_no_model_yet_is_said(tmp_path):
    with pytest.raises(SettingsError, match="no model yet"):
        Shelf([], tmp_path, device="cpu").open(None, None)


def test_what_is_no_model_is_said_at_once(tmp_path):
    with pytest.raises(ModelFileError, match="no such model"):
        Shelf([tmp_path / "none.safetensors"], device="cpu")


def test_a_network_is_loaded_once_and_again_where_it_was_written_anew(runs):
    shelf = Shelf([], runs, device="cpu")
    first = shelf.open("one", None)
    assert shelf.open("one", None, fit="native").network is first.network
    file = runs / "one/translator.safetensors"
    os.utime(file, ns=(1, 1))
    assert shelf.open("one", None).network is not first.network


def test_what_one_person_chooses_is_not_the_others(runs):
    shelf = Shelf([], runs, device="cpu")
    shelf.open("one", None, fit=64, detail="guided")
    plain = shelf.open("one", None)
    assert (plain.fit, plain.detail) == ("native", "none")


def test_memory_holds_few_models(tmp_path, tiny):
    file = tiny(tmp_path / "runs/0/translator.safetensors")
    for number in range(1, shelves.KEPT + 2):
        (tmp_path / f"runs/{number}").mkdir()
        shutil.copyfile(file, tmp_path / f"runs/{number}/translator.safetensors")
    shelf = Shelf([], tmp_path / "runs", device="cpu")
    first = shelf.open("0", None).network
    for number in range(1, shelves.KEPT):
        shelf.open(str(number), None)
    assert shelf.open("0", None).network is first
    shelf.open(str(shelves.KEPT), None)
    shelf.open(str(shelves.KEPT + 1), None)
    assert shelf.open("0", None).network is first  # used last but two
    assert len(shelf._loaded) == shelves.KEPT
