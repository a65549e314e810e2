"""Flags of large pictures."""

from typing import Any

import pytest

from i2i import cli
from i2i.conversion import Summary


@pytest.mark.parametrize(("flags", "tile"), [("", "auto"), ("--tile 0", 0), ("--tile 512 --overlap 96", 512)])
def test_the_rows_of_a_strip(flags: str, tile: Any, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    loaded: dict[str, Any] = {}

    def load(model: str, **options: Any) -> str:
        loaded.update(options)
        return "translator"

    def translate(*given: Any, **options: Any) -> Summary:
        loaded["tell"]("9 x 9 pixels: in strips of rows")
        return Summary(converted=1, seconds=1.0)

    monkeypatch.setattr("i2i.translator.Translator.load", load)
    monkeypatch.setattr("i2i.conversion.translate", translate)
    assert cli.main(["translate", "m", "a", "out", *flags.split()]) == 0
    assert loaded["tile"] == tile
    assert "9 x 9 pixels: in strips of rows" in capsys.readouterr().err


@pytest.mark.parametrize("flag", ["--tile", "--overlap"])
def test_less_than_nothing_is_refused(flag: str, capsys: Any) -> None:
    assert cli.main(["translate", "m", "a", "out", flag, "-1"]) == 2
    assert f"{flag} -1: wanted 0 or more." in capsys.readouterr().err
