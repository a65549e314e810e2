"""The command that scores enlarging, beside the package as the other scoring commands are."""

import sys
from pathlib import Path

import numpy as np
import pytest

from i2i import images

sys.path.insert(0, str(Path(__file__).parents[1] / "tools"))
import detail_score  # pyright: ignore[reportMissingImports]


@pytest.mark.slow
def test_guided_wins_over_plain_on_a_true_night_and_crops_are_written(tmp_path, capsys):
    asked = ["--size=96", "--scale=24", "--streets=1", f"--pictures={tmp_path}", f"--json={tmp_path / 'scores.json'}"]
    assert detail_score.main(asked) == 0
    rows = [line.rsplit(maxsplit=4) for line in capsys.readouterr().out.splitlines()[1:4]]
    scores = {row[0]: [float(cell) for cell in row[1:]] for row in rows}
    assert scores["true night, guided"][0] > scores["true night, plain"][0] + 1
    assert scores["true night, guided"][1] > scores["true night, plain"][1]
    assert scores["true night, plain"][2] == 0
    assert images.read(tmp_path / "0000.png").shape == (24, 4 * 24, 3)
    assert (tmp_path / "scores.json").is_file()


def test_what_cannot_be_scored_is_an_error_that_says_so(tmp_path, capsys):
    assert detail_score.main(["--size=64", "--scale=64"]) == 2
    assert "--scale 64" in capsys.readouterr().err
    assert detail_score.main([str(tmp_path / "nothing"), "--size=64", "--scale=32"]) == 2


def test_a_spoiled_day_has_the_noise_that_was_asked_for():
    day = np.full((64, 64, 3), 128, np.uint8)
    assert abs(detail_score.spoiled(day, 5, 0, 0).std() - 5) < 0.3
    assert detail_score.spoiled(day, 0, 0, 0) is day
    assert detail_score.spoiled(day, 5, 50, 0).std() < 4
