"""The table of verbs: what starts without torch, and how a command line ends."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import i2i
from i2i import cli, images
from i2i.errors import DatasetError


def test_help_fits_one_screen_and_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    for args in ([], ["--help"], ["-h"]):
        assert cli.main(args) == 0
        said = capsys.readouterr().out
        assert len(said.splitlines()) <= 24
        assert max(map(len, said.splitlines())) <= 80
        assert all(f"  {verb} " in said for verb in cli.VERBS)


def test_help_leads_on_to_commands_that_exist(capsys: pytest.CaptureFixture[str]) -> None:
    cli.main(["--help"])
    said = capsys.readouterr().out
    assert {"demo", "check"} <= set(re.findall(r": +i2i (\w+)", said))
    assert "i2i COMMAND --help" in said


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--version"]) == 0
    assert capsys.readouterr().out == f"i2i {i2i.__version__}\n"


def test_an_unknown_verb_gets_the_likely_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["trian"]) == 2
    assert capsys.readouterr().err == "i2i: error: 'trian' is no command; did you mean train?\n"


@pytest.mark.parametrize("verb", cli.VERBS)
def test_every_help_gives_an_example_in_one_line(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([verb, "--help"]) == 0
    said = capsys.readouterr().out
    assert f"\nExample: i2i {verb}" in said
    assert len(said.splitlines()) < 80


@pytest.mark.parametrize(
    "args",
    [
        ["--help"],
        ["train", "--help"],
        ["train", "pix2pix", "--help"],
        ["translate", "--help"],
        ["recipes"],
        ["fetch"],
        ["completion", "bash"],
    ],
)
def test_help_loads_no_torch(args: list[str]) -> None:
    code = f"import sys; from i2i.cli import main; main({args!r}); print('torch' in sys.modules, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr == "False\n"


@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_a_wrong_value_is_one_line_on_any_terminal(encoding: str) -> None:
    command = [sys.executable, "-m", "i2i", "train", "pix2pix", "--holdout", "x"]
    environment = os.environ | {"PYTHONIOENCODING": encoding, "COLUMNS": "40"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    wanted = "i2i: error: --holdout: 'x' cannot be used, wanted {auto}|INT. See i2i train pix2pix --help\n"
    assert (done.returncode, done.stderr) == (2, wanted)


def _ends_with(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> int:
    def fail(args: list[str]) -> int:
        raise error

    monkeypatch.setattr("i2i.cli.recipes.main", fail)
    return cli.main(["recipes"])


def test_threads_do_not_spin_away_a_busy_machine_unless_told_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GOMP_SPINCOUNT", raising=False)
    cli.main(["--version"])
    assert os.environ["GOMP_SPINCOUNT"] == "10000"
    monkeypatch.setenv("GOMP_SPINCOUNT", "7")
    cli.main(["--version"])
    assert os.environ["GOMP_SPINCOUNT"] == "7"


def test_exit_codes(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _ends_with(monkeypatch, KeyboardInterrupt()) == 130
    assert _ends_with(monkeypatch, SystemExit(143)) == 143
    assert _ends_with(monkeypatch, SystemExit(None)) == 0
    assert _ends_with(monkeypatch, DatasetError("x")) == 2


def test_an_error_of_the_machine_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _ends_with(monkeypatch, OSError(28, "No space left on device", "out/1.png")) == 2
    assert capsys.readouterr().err == "i2i: error: out/1.png: No space left on device.\n"


def test_out_of_memory_names_what_helps(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    class OutOfMemoryError(RuntimeError):
        """As torch calls its own."""

    def fail(args: list[str]) -> int:
        raise OutOfMemoryError("CUDA out of memory. Tried to allocate 3.00 GiB.")

    monkeypatch.setattr("i2i.cli.train.main", fail)
    assert cli.main(["train"]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert all(flag in said for flag in ("--batch-size", "--size", "--width"))


def test_a_bug_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(RuntimeError, match="a bug"):
        _ends_with(monkeypatch, RuntimeError("a bug"))


def test_a_reader_that_goes_away_is_no_error() -> None:
    read, write = os.pipe()
    os.close(read)
    command = [sys.executable, "-m", "i2i", "recipes"]
    with os.fdopen(write, "wb") as pipe:
        done = subprocess.run(command, stdout=pipe, stderr=subprocess.PIPE, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, "")


def test_fetch_lists_and_suggests(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["fetch"]) == 0
    assert "facades" in capsys.readouterr().out
    assert cli.main(["fetch", "facade"]) == 2
    assert "facades" in capsys.readouterr().err


def test_fetch_puts_the_set_where_it_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("i2i.data.public.fetch", lambda name, root, progress: root / name)
    assert cli.main(["fetch", "facades", "--out", str(tmp_path)]) == 0
    said = capsys.readouterr().out
    assert said.startswith(f"{tmp_path / 'facades'}\n")
    assert "--direction BtoA" in said


def test_check_tells_sound_from_bad_from_unusable(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import numpy as np

    from i2i import images

    random = np.random.default_rng(0)
    for split, count in (("train", 3), ("test", 1)):
        for side in "AB":
            (tmp_path / split / side).mkdir(parents=True)
            for number in range(count):
                picture = random.integers(0, 256, (8, 8, 3), dtype=np.uint8)
                images.write(tmp_path / split / side / f"{number}.png", picture)
    assert cli.main(["check", str(tmp_path)]) == 0
    assert "i2i train pix2pix --data" in capsys.readouterr().out
    (tmp_path / "train" / "A" / "0.png").write_bytes(b"no picture")
    assert cli.main(["check", str(tmp_path), "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert found["usable"]
    assert len(found["problems"]) == 1
    assert cli.main(["check", str(tmp_path / "nowhere")]) == 2
    assert cli.main(["check"]) == 2
    for broken in tmp_path.rglob("*.png"):
        broken.write_bytes(b"no picture")
    assert cli.main(["check", str(tmp_path)]) == 2


def test_a_demo_of_an_impossible_size_is_refused_before_it_draws(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["demo", "--size", "30", "--out", str(tmp_path / "demo")]) == 2
    assert "--size 32" in capsys.readouterr().err
    assert not (tmp_path / "demo").exists()


@pytest.mark.skipif(os.name != "posix", reason="names are bytes there")
def test_what_a_terminal_cannot_show_is_spelt_out(tmp_path: Path) -> None:
    folder = Path(os.fsdecode(os.fsencode(tmp_path) + b"/set-\xe9"))
    folder.mkdir()
    images.write(folder / "a.png", np.zeros((8, 8, 3), np.uint8))
    for words in (["fetch"], ["check", str(folder)], ["check", str(folder), "--json"]):
        for encoding in ("ascii:strict", "utf-8:strict"):
            environment = os.environ | {"PYTHONIOENCODING": encoding}
            command = [sys.executable, "-m", "i2i", *words]
            done = subprocess.run(command, capture_output=True, text=True, env=environment)
            assert done.returncode == 0, done.stderr
            assert words == ["fetch"] or "\\udce9" in done.stdout
