import sys
from pathlib import Path

import pytest

from i2i import images
from i2i.data.day2night import draw

# The commands lie beside the package, not in it, and find what they share as scripts do: in their own folder.
sys.path.insert(0, str(Path(__file__).parents[1] / "tools"))
import rank_features  # pyright: ignore[reportMissingImports]


def test_the_command_prints_what_is_worse_as_worse(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for seed in range(20):
        for side, picture in zip("AB", draw(seed, (32, 32)), strict=True):
            (tmp_path / side).mkdir(exist_ok=True)
            images.write(tmp_path / side / f"{seed}.png", picture)
    assert rank_features.main([str(tmp_path / "B"), str(tmp_path / "A"), "--size=32"]) == 0
    lines = capsys.readouterr().out.splitlines()
    kid = {
        line[:20].strip(): float(line[20:].split()[0])
        for line in lines[1:]
        if line.startswith(("other", "blur", "the"))
    }
    assert kid["other real pictures"] < kid["blur 3.0"]
    assert kid["other real pictures"] < kid["the other domain"]
    assert rank_features.main([str(tmp_path / "B"), str(tmp_path / "A"), "--most=19"]) == 2
    assert "20 and 10 pictures are needed" in capsys.readouterr().err
