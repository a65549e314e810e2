"""`i2i compare` in a process of its own, from start to Ctrl-C."""

import http.client
import json
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from i2i import cli, images

COUNT = 5


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Inputs, and two folders of what others made of them."""
    for folder, level in (("inputs", 10), ("one", 90), ("two", 170)):
        (tmp_path / folder).mkdir()
        for index in range(COUNT):
            images.write(tmp_path / folder / f"{index}.png", np.full((8, 8, 3), level + index, np.uint8))
    return tmp_path


def words(place: Path) -> list[str]:
    return [*(str(place / folder) for folder in ("one", "two", "inputs")), "--out", str(place / "votes.jsonl")]


def test_votes_are_counted_until_ctrl_c(place: Path, start: Callable[..., "subprocess.Popen[str]"]) -> None:
    command = [sys.executable, "-m", "i2i", "compare", *words(place), "--count", "4"]
    process = start(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    found = re.match(r"4 pairs\. Open http://127\.0\.0\.1:(\d+)/ ", process.stdout.readline())
    assert found
    connection = http.client.HTTPConnection("127.0.0.1", int(found[1]), timeout=300)
    for at in range(3):
        vote = json.dumps({"place": at, "choice": "same" if at == 1 else "left"})
        connection.request("POST", "/vote", vote, {"Content-Type": "application/json"})
        assert json.loads(connection.getresponse().read())["done"] == at + 1
    connection.close()
    process.send_signal(signal.SIGINT)
    rest, wrong = process.communicate(timeout=300)
    assert process.returncode == 0, wrong
    assert "Traceback" not in wrong
    assert "cannot tell 1, of 4 pairs" in rest
    header, *votes = [json.loads(line) for line in (place / "votes.jsonl").read_text().splitlines()]
    assert header["comparison"]["A"] == str(place / "one")
    assert [vote["vote"] for vote in votes] == [votes[0]["left"], "cannot tell", votes[2]["left"]]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (["--count", "0"], "--count 0: wanted 1 or more"),
        (["--port", "0"], "--port 0: wanted 1 or more"),
        (["more"], "wanted two candidates and a dataset"),
    ],
)
def test_wrong_usage_ends_with_2(place: Path, change: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["compare", *words(place), *change]) == 2
    assert said in capsys.readouterr().err


def test_a_folder_that_lacks_pictures_is_said(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (place / "two" / "3.png").unlink()
    assert cli.main(["compare", *words(place)]) == 2
    assert "no picture of 1 of 5" in capsys.readouterr().err


def test_a_call_that_failed_is_not_in_the_way_of_the_corrected_one(
    place: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("i2i.comparing.serving.Server.serve_forever", lambda self: None)
    (place / "two" / "3.png").rename(place / "two" / "x.png")
    assert cli.main(["compare", *words(place)]) == 2
    (place / "two" / "x.png").rename(place / "two" / "3.png")
    assert cli.main(["compare", *words(place), "--count", "3"]) == 0
    told = capsys.readouterr().out
    assert "3 pairs. Open" in told
    assert told.endswith("No votes.\n"), "nor is a file named that is not there"
