"""How far something is, said to a pipe, a log file, a terminal and a notebook; and colours only where wanted."""

import io
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from i2i.cli import progress
from i2i.cli.progress import Bar

SLOWLY = """
from i2i.cli import progress
class Clock:
    now = 0.0
    def monotonic(self):
        return self.now
clock = progress.time = Clock()
with progress.Bar("step", "steps") as bar:
    bar.note("two pictures held out")
    bar.start(0, 100)
    for done in range(1, 101):
        clock.now += 1
        bar.update(done, detail="G/l1 12.3" if done < 50 else "G/l1 9")
"""
"""A hundred seconds of progress, at once."""
CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
COLOUR = re.compile(r"\x1b\[(?:\d+;)*(?:3[0-7]|38;[0-9;]+)m")


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(progress, "time", made)
    return made


def test_a_pipe_gets_a_line_every_ten_seconds_and_the_last_state_once(
    clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    with Bar("picture", "images") as bar:
        bar.start(0, 35)
        for done in range(1, 36):
            clock.now += 1
            bar.update(done)
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.splitlines() == [
        "picture 10/35, 1.00 images/s, 25 s left",
        "picture 20/35, 1.00 images/s, 15 s left",
        "picture 30/35, 1.00 images/s, 5 s left",
        "picture 35/35, 1.00 images/s",
    ]


def test_nothing_is_said_of_what_has_not_begun(capsys: pytest.CaptureFixture[str]) -> None:
    with Bar("picture", "images") as bar:
        bar.start(3, 5)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("colour", ["", "1"])
def test_a_log_file_gets_plain_lines_also_where_colours_are_forced(colour: str, tmp_path: Path) -> None:
    environment = os.environ | {"TERM": "xterm-256color"} | ({"FORCE_COLOR": colour} if colour else {})
    with (tmp_path / "log").open("w") as log:
        subprocess.run([sys.executable, "-c", SLOWLY], stderr=log, check=True, env=environment)
    lines = (tmp_path / "log").read_text().splitlines()
    assert lines[0] == "two pictures held out"
    assert len(lines) == 11
    assert lines[-1].startswith("step 100/100, 1.00 steps/s")
    assert not any(CONTROL.search(line) or "\r" in line for line in lines)


def test_a_bar_of_training_names_an_illness_and_no_state_of_health(capsys: pytest.CaptureFixture[str]) -> None:
    from i2i.cli.watching import listening

    for verdict in ("healthy", "nothing to tell from", "mode collapse"):
        with listening() as listener:
            listener.started(0, 9)
            listener.logged({"step": 3, "losses": {"G/l1": 12.3}, "health": {"verdict": verdict}})
    told = [line.split(", ")[-1] for line in capsys.readouterr().err.splitlines()]
    assert told == ["G/l1 12.3", "G/l1 12.3", "mode collapse  G/l1 12.3"]


def _on_a_terminal(command: list[str], **environment: str) -> str:
    """What a program shows to a terminal."""
    pty = pytest.importorskip("pty")
    ours, theirs = pty.openpty()
    clean = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "FORCE_COLOR", "TERM")}
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=clean | environment) as program:
        os.close(theirs)
        shown = b""
        try:
            while part := os.read(ours, 1 << 16):
                shown += part
        except OSError:  # Linux says so that the other end is closed
            pass
        assert program.wait() == 0
    os.close(ours)
    return shown.decode()


@pytest.mark.skipif(sys.platform == "win32", reason="has no pseudo-terminals")
def test_a_terminal_gets_a_bar_in_colours_unless_it_wants_none() -> None:
    bar = [sys.executable, "-c", SLOWLY]
    shown = _on_a_terminal(bar, TERM="xterm-256color", COLUMNS="120")
    assert "100/100" in shown
    assert "\x1b[2K" in shown  # drawn over
    assert COLOUR.search(shown)
    plain = _on_a_terminal(bar, TERM="xterm-256color", COLUMNS="120", NO_COLOR="1")
    assert "100/100" in plain
    assert "\x1b[2K" in plain
    assert not COLOUR.search(plain)
    assert not CONTROL.search(_on_a_terminal(bar, TERM="dumb"))


@pytest.mark.skipif(sys.platform == "win32", reason="has no pseudo-terminals")
def test_help_has_colours_on_a_terminal_alone() -> None:
    told = [sys.executable, "-m", "i2i", "check", "--help"]
    assert CONTROL.search(_on_a_terminal(told, TERM="xterm-256color"))
    assert not CONTROL.search(_on_a_terminal(told, TERM="xterm-256color", NO_COLOR="1"))
    assert not CONTROL.search(_on_a_terminal(told, TERM="dumb"))
    piped = subprocess.run(told, capture_output=True, text=True, check=True)
    assert not CONTROL.search(piped.stdout)


def test_a_notebook_gets_one_line_that_is_written_over(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = io.StringIO()
    monkeypatch.setattr(sys, "stderr", shown)
    monkeypatch.setattr("rich.console._is_jupyter", lambda: True)
    with Bar("step", "steps") as bar:
        bar.note("two pictures held out")
        bar.start(0, 3)
        for done, detail in ((1, "a long detail"), (2, "short"), (3, "short")):
            clock.now += 1
            bar.update(done, detail=detail)
        bar.note("saved")
    first, middle, last, end = shown.getvalue().split("\n")
    assert first == "\rtwo pictures held out"
    states = middle.split("\r")[1:]
    assert states[0] == "step 1/3, 1.00 steps/s, 2 s left, a long detail"
    assert states[1] == "step 2/3, 1.00 steps/s, 1 s left, short".ljust(len(states[0]))
    assert states[-1].rstrip() == "saved"
    assert last == "\rstep 3/3, 1.00 steps/s, short"
    assert end == ""


def test_a_kernel_is_known_for_a_notebook(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import nbformat
    from nbclient import NotebookClient

    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path / "runtime"))
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(SLOWLY)])
    NotebookClient(book, timeout=1200, startup_timeout=600, kernel_name="python3").execute()
    said = "".join(out.text for out in book.cells[0].outputs)
    assert "\rstep 1/100, 1.00 steps/s" in said
    assert said.count("\n") == 2  # the note and the end
    assert not CONTROL.search(said)
