"""i2i push, pull and names of the hub on a command line, against a hub of this machine."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from i2i import cli, images

sys.path.insert(0, str(Path(__file__).parents[1] / "sharing"))
from fake_hub import FakeHub
from sharing_runs import make_run, serving


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeHub]:
    with serving(monkeypatch, tmp_path) as served:
        yield served


def test_a_dry_run_shows_all_that_would_be_sent_and_asks_nobody(
    hub: FakeHub, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = make_run(tmp_path / "run")
    assert cli.main(["push", str(run), "ada/faces", "--dry-run", "--private"]) == 0
    said = capsys.readouterr().out
    assert "# faces" in said
    assert "Would be sent to hf://ada/faces (private):\n  translator.safetensors, " in said
    assert "sample.jpg" not in said
    assert hub.asked == []
    assert cli.main(["push", str(run), "ada/faces", "--dry-run", "--samples"]) == 0
    said = capsys.readouterr().out
    assert "where everybody can see it:" in said
    assert "  sample.jpg, " in said


def test_push_pull_and_translate(hub: FakeHub, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = make_run(tmp_path / "run")
    assert cli.main(["push", str(run), "ada/faces", "--license", "cc0-1.0"]) == 0
    said = capsys.readouterr().out
    assert said.startswith(f"{hub.address}/ada/faces\n")
    assert "Use it: i2i translate hf://ada/faces photos/ translated/" in said
    assert cli.main(["pull", "ada/faces", str(tmp_path / "pulled")]) == 0
    assert "pix2pix AtoB" in capsys.readouterr().out
    images.write(tmp_path / "in.png", np.zeros((16, 16, 3), np.uint8))
    arguments = [str(tmp_path / "in.png"), str(tmp_path / "out.png"), "--device", "cpu"]
    assert cli.main(["translate", "hf://ada/faces", *arguments]) == 0
    assert (tmp_path / "out.png").is_file()
    capsys.readouterr()
    hub.close()
    assert cli.main(["translate", "hf://ada/faces", *arguments, "--overwrite"]) == 0
    assert "taking the copy that was brought here before" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["push", "run"], "wanted a model and a name"),
        (["push", "run", "faces"], "no name on the hub"),
        (["pull"], "wanted a name"),
        (["pull", "a/b", "c", "d"], "wanted a name"),
        (["translate", "hf://faces", "a.png", "b.png"], "no name on the hub"),
    ],
)
def test_wrong_usage_is_one_line(
    args: list[str], said: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    make_run(tmp_path / "run")
    args = [str(tmp_path / "run") if word == "run" else word for word in args]
    assert cli.main(args) == 2
    found = capsys.readouterr().err
    assert said in found
    assert found.count("\n") == 1


@pytest.mark.slow
def test_a_name_is_brought_where_the_variable_of_the_client_says(hub: FakeHub, tmp_path: Path) -> None:
    """As a user has it: nothing is put in place but HF_ENDPOINT and HF_HOME."""
    assert cli.main(["push", str(make_run(tmp_path / "run")), "ada/faces"]) == 0
    images.write(tmp_path / "in.png", np.zeros((16, 16, 3), np.uint8))
    command = [sys.executable, "-m", "i2i", "translate", "hf://ada/faces", str(tmp_path / "in.png")]
    environment = os.environ | {"HF_ENDPOINT": hub.address, "HF_HOME": str(tmp_path / "home")}
    done = subprocess.run(
        [*command, str(tmp_path / "out.png"), "--device", "cpu"],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out.png").is_file()
    assert (tmp_path / "home").is_dir()
