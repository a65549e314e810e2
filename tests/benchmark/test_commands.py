"""Whole commands in turns, the reference's and ours."""

import sys
from pathlib import Path
from typing import Any

import pytest

from i2i import cli
from i2i.benchmark import commands
from i2i.errors import SettingsError, TrainingError


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[tuple[list[str], bool]]:
    """The commands that are run, instead of running them: the reference takes 6 s and ours 2 and 3."""
    found: list[tuple[list[str], bool]] = []

    def run(command: Any, folder: Path, *, ours: bool) -> float:
        found.append((list(command), ours))
        return 6.0 if not ours else 2.0 + sum(mine for _, mine in found[:-1])

    monkeypatch.setattr(commands, "_run", run)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: object())
    return found


def test_both_translate_the_same_folder_with_the_same_model_in_turns(told: Any, tmp_path: Path) -> None:
    figures = commands.measure_commands(
        tmp_path, "unet", tmp_path / "in", tmp_path / "made", width=16, pictures=7, repeats=2
    )
    (make, _), *turns = told
    assert make[-4:-1] == ["unet_256", "batch", "16"]
    assert [ours for _, ours in turns] == [False, True, False, True]
    theirs, ours = turns[0][0], turns[1][0]
    model = Path(make[-1])
    assert (model.name, model.parent.name) == ("latest_net_G.pth", theirs[theirs.index("--name") + 1])
    assert str(model) in ours
    for command in (theirs, ours):
        assert str(tmp_path / "in") in command
    assert theirs[theirs.index("--num_test") + 1] == "7"
    assert (figures.reference.median, figures.ours.lowest, figures.ours.highest) == (6, 2, 3)
    assert (figures.ratio.lowest, figures.ratio.highest) == (2, 3)


def test_without_its_pages_the_reference_cannot_run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(SettingsError, match="pip install dominate"):
        commands.measure_commands(tmp_path, "unet", tmp_path, tmp_path / "made", width=8, pictures=1, repeats=1)


def test_a_command_that_fails_is_named_with_its_last_words(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="the reference ended with code 1: no such option"):
        commands._run([sys.executable, "-c", "raise SystemExit('no such option')"], tmp_path, ours=False)
    assert commands._run([sys.executable, "-c", ""], tmp_path, ours=True) > 0


def test_the_command_prints_a_row_a_network(told: Any, checkout: Path, capsys: Any) -> None:
    asked = [
        "benchmark",
        "convert",
        "--against",
        str(checkout),
        "--network",
        "resnet",
        "--pictures",
        "3",
        "--size",
        "8",
    ]
    assert cli.main([*asked, "--repeats", "1"]) == 0
    printed = capsys.readouterr().out
    assert "resnet, 1" in printed
    assert "resnet, 3" in printed
    assert cli.main([*asked, "model", "folder"]) == 2
    assert "give no words" in capsys.readouterr().err
