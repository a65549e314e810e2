"""`i2i recipes`."""

import dataclasses
import json
from pathlib import Path

import pytest

from i2i import cli
from i2i.cli.recipes import ABOUT, describe
from i2i.experiment import from_yaml
from i2i.recipes import RECIPES


def test_each_recipe_has_a_line_of_a_narrow_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert cli.main(["recipes"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    assert sorted(line.split()[0] for line in lines if line.startswith("  ")) == sorted(RECIPES)


def test_recipes_stand_under_what_they_are_trained_on(capsys: pytest.CaptureFixture[str]) -> None:
    cli.main(["recipes"])
    under: dict[str, set[str]] = {}
    group = ""
    for line in capsys.readouterr().out.splitlines():
        if line.startswith("  "):
            under.setdefault(group, set()).add(line.split()[0])
        else:
            group = line.split(":")[0]
    assert {"pix2pix", "distill"} <= under["Pairs"]
    assert under["Two folders, A and B, nothing paired"] == {"cyclegan", "cut", "cut-plus", "fastcut"}
    assert under["A folder a class"] == {"cgan", "sagan", "biggan"}
    assert {"dcgan", "stylegan"} <= under["One folder"]


def test_all_of_a_recipe_is_a_file_that_training_takes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["recipes", "pix2pix-plus"]) == 0
    said = capsys.readouterr().out
    (tmp_path / "mine.yaml").write_text(said, encoding="utf-8")
    assert from_yaml(tmp_path / "mine.yaml") == RECIPES["pix2pix-plus"]
    assert "lambda_features 10" in said.splitlines()[2]


def test_json_has_every_setting(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["recipes", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [one["recipe"] for one in found] == list(RECIPES)
    assert cli.main(["recipes", "cyclegan", "--json"]) == 0
    one = json.loads(capsys.readouterr().out)
    assert (one["needs"], one["settings"]["model"]["lambda_cycle"]) == ("domains", 10.0)


def test_a_wrong_recipe_gets_the_likely_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["recipes", "cyclgan"]) == 2
    assert "did you mean cyclegan?" in capsys.readouterr().err
    assert cli.main(["recipes", "cut", "pix2pix"]) == 2
    assert "'pix2pix': a word too many" in capsys.readouterr().err


def test_every_recipe_is_described_and_a_new_one_by_its_model() -> None:
    assert set(RECIPES) <= set(ABOUT)
    new = dataclasses.replace(RECIPES["cut"], recipe="mine")
    assert describe(new).startswith("CUT (Park et al. 2020)")
