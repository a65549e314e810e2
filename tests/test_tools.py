"""The scripts of a clone."""

import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from i2i import images
from i2i.cli import VERBS

TOOLS = Path(__file__).parents[1] / "tools"


def test_there_is_a_script_for_every_command() -> None:
    assert {verb for verb in VERBS if (TOOLS / f"{verb}.py").is_file()} == set(VERBS)


@pytest.mark.parametrize("verb", VERBS)
def test_every_script_hands_over_to_its_own_command(verb: str) -> None:
    text = (TOOLS / f"{verb}.py").read_text(encoding="utf-8")
    assert f'main(["{verb}", *sys.argv[1:]])' in text


def test_a_script_runs_from_anywhere_and_returns_the_exit_code(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, TOOLS / "recipes.py", "--nonsense"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("i2i: error: --nonsense: no such flag")


# ---------------------------------------------------------------------------------------------------------- make_pairs


@pytest.fixture(scope="module")
def make_pairs() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_pairs", TOOLS / "make_pairs.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def sides(tmp_path: Path) -> Path:
    random = np.random.default_rng(0)
    for side in "AB":
        (tmp_path / side).mkdir()
        for number in range(3):
            picture = random.integers(0, 256, (8, 6, 3), dtype=np.uint8)
            images.write(tmp_path / side / f"{number}.png", picture)
    return tmp_path


def test_split_takes_apart_what_was_glued(make_pairs: ModuleType, sides: Path) -> None:
    assert make_pairs.main([str(sides / name) for name in ("A", "B", "pairs")]) == 0
    assert images.read(sides / "pairs" / "0.png").shape == (8, 12, 3)
    assert make_pairs.main(["--split", str(sides / "pairs"), str(sides / "again")]) == 0
    for side in "AB":
        for number in range(3):
            name = f"{side}/{number}.png"
            assert np.array_equal(images.read(sides / "again" / name), images.read(sides / name))


def test_glue_keeps_16_bits_and_colour(make_pairs: ModuleType, sides: Path) -> None:
    deep = np.full((8, 6, 1), 300, dtype=np.uint16)
    images.write(sides / "A" / "0.png", deep)
    assert make_pairs.main([str(sides / name) for name in ("A", "B", "pairs")]) == 0
    whole = images.read(sides / "pairs" / "0.png")
    assert whole.dtype == np.uint16
    assert whole.shape == (8, 12, 3)
    assert (whole[:, :6] == 300).all()


def test_nothing_is_overwritten(make_pairs: ModuleType, sides: Path, capsys: pytest.CaptureFixture[str]) -> None:
    args = [str(sides / name) for name in ("A", "B", "pairs")]
    make_pairs.main(args)
    before = (sides / "pairs" / "0.png").stat().st_mtime_ns
    assert make_pairs.main(args) == 2
    assert "nothing is overwritten" in capsys.readouterr().err
    assert (sides / "pairs" / "0.png").stat().st_mtime_ns == before


def test_what_has_no_partner_or_another_size_is_named(
    make_pairs: ModuleType, sides: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (sides / "B" / "2.png").unlink()
    images.write(sides / "B" / "1.png", np.zeros((4, 4, 3), np.uint8))
    assert make_pairs.main([str(sides / name) for name in ("A", "B", "pairs")]) == 1
    said = capsys.readouterr().err
    assert "2.png: has no partner" in said
    assert "1.png is 4 x 4" in said
    assert [path.name for path in (sides / "pairs").iterdir()] == ["0.png"]


@pytest.mark.parametrize("args", [["only"], ["--split", "a", "b", "c"], ["nowhere", "nowhere-else", "out"]])
def test_wrong_usage_ends_with_2(make_pairs: ModuleType, args: list[str], tmp_path: Path) -> None:
    args = [word if word.startswith("-") else str(tmp_path / word) for word in args]
    assert make_pairs.main(args) == 2
