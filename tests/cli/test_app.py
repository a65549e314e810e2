"""`i2i app` up to the moment that its page opens; what the page does is tested in tests/app."""

import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from i2i import cli
from i2i.app import serving


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[dict]:
    """What a server would have been made of."""
    made: list[dict] = []

    class Server:
        url = "http://127.0.0.1:7860/"

        def __init__(self, shelf, limits, **more):
            made.append({"offers": [offer.name for offer in shelf.offers()], "limits": limits, **more})

        def __enter__(self):
            return self

        def __exit__(self, *_):
            pass

        def serve(self):
            raise KeyboardInterrupt  # as Ctrl-C ends it

    monkeypatch.setattr(serving, "Server", Server)
    monkeypatch.setattr(serving, "require_gradio", lambda: None)
    return made


@pytest.fixture
def model(tmp_path: Path) -> Path:
    from i2i.networks.settings import ResNet
    from i2i.translator import Card, save_network

    card = Card(architecture=ResNet(width=2, blocks=1), in_channels=3, out_channels=3)
    save_network(card.architecture.build(3, 3, (16, 16)), card, tmp_path / "tiny.safetensors")
    return tmp_path / "tiny.safetensors"


def test_a_page_is_for_this_machine_alone_unless_told_otherwise(opened, model, capsys):
    assert cli.main(["app", str(model)]) == 0
    assert opened[0]["offers"] == ["tiny.safetensors"]
    assert (opened[0]["host"], opened[0]["port"], opened[0]["login"]) == ("127.0.0.1", 7860, None)
    told = capsys.readouterr()
    assert told.out == "Open http://127.0.0.1:7860/ on this machine; Ctrl-C ends.\n\n"
    assert told.err == ""


def test_a_page_for_others_without_a_password_is_warned_of(opened, model, capsys):
    assert cli.main(["app", str(model), "--host", "0.0.0.0"]) == 0
    assert "warning: --host 0.0.0.0 without --auth" in capsys.readouterr().err
    assert cli.main(["app", str(model), "--host", "0.0.0.0", "--auth", "me:a:b"]) == 0
    assert capsys.readouterr().err == ""
    assert opened[1]["login"] == serving.Login("me", "a:b")


SIGNALS = [number for name in ("SIGTERM", "SIGHUP") if (number := getattr(signal, name, None))]


@pytest.mark.parametrize("number", SIGNALS)
@pytest.mark.parametrize("when", ["made", "served"])
def test_a_page_that_is_told_to_end_removes_its_folder(number, when, opened, model, monkeypatch):
    ended = []
    before = [signal.getsignal(one) for one in SIGNALS]
    monkeypatch.setattr(serving.Server, "__exit__", lambda self, *_: ended.append("closed"))
    monkeypatch.setattr(serving.Server, "serve", lambda self: signal.raise_signal(number))
    if when == "made":
        monkeypatch.setattr(serving.Server, "__init__", lambda self, *_, **__: signal.raise_signal(number))
    assert cli.main(["app", str(model)]) == 143
    assert ended == (["closed"] if when == "served" else [])  # while it is made, the server itself looks after it
    assert [signal.getsignal(one) for one in SIGNALS] == before


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="no terminal to be closed")
def test_a_page_that_was_started_by_nohup_stays(opened, model, monkeypatch):
    monkeypatch.setattr(serving.Server, "serve", lambda self: signal.raise_signal(signal.SIGHUP))
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        assert cli.main(["app", str(model)]) == 0
    finally:
        signal.signal(signal.SIGHUP, before)


def test_each_limit_is_a_flag(opened, model):
    flags = ["--max-upload", "1", "--max-pictures", "2", "--max-megapixels", "3", "--max-seconds", "4"]
    assert cli.main(["app", str(model), *flags]) == 0
    limits = opened[0]["limits"]
    assert (limits.megabytes, limits.pictures, limits.megapixels, limits.seconds) == (1, 2, 3, 4)


def test_runs_of_the_working_directory_are_offered(opened, model, tmp_path, monkeypatch):
    run = tmp_path / "runs" / "mine"
    run.mkdir(parents=True)
    model.rename(run / "translator.safetensors")
    monkeypatch.chdir(tmp_path)
    assert cli.main(["app"]) == 0
    assert opened[0]["offers"] == ["mine"]


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ([], "wanted a model, as in: i2i app runs/facades"),
        (["nothing.safetensors"], "no such model"),
        (["--runs", "nowhere"], "--runs nowhere: no such folder"),
        (["x", "--auth", "me"], "--auth: wanted a user and a password"),
        (["x", "--auth", ":"], "--auth: wanted a user and a password"),
        (["x", "--max-pictures", "0"], "--max-pictures 0: wanted 1 or more"),
        (["x", "--port", "-1"], "--port -1: wanted 0 or more"),
        (["x", "--palette", "none.png"], "none.png"),
    ],
)
def test_wrong_usage_is_one_line(args, said, opened, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert cli.main(["app", *args]) == 2
    told = capsys.readouterr().err
    assert said in told
    assert told.count("\n") == 1
    assert opened == []


def test_without_the_extra_one_line_names_it(model, monkeypatch, capsys):
    monkeypatch.setattr(serving, "installed", lambda name: False)
    assert cli.main(["app", str(model)]) == 2
    assert "pip install 'i2i-toolkit[app]'" in capsys.readouterr().err


def test_a_port_that_is_taken_is_one_line(model, capsys):
    pytest.importorskip("gradio")
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        assert cli.main(["app", str(model), "--port", str(port)]) == 2
    assert f"--port {port}: is taken" in capsys.readouterr().err


def test_neither_help_nor_wrong_usage_loads_gradio_or_torch(tmp_path):
    code = (
        "import sys; from i2i.cli import main; main(['app', '--help']); main(['app', '--auth', 'x', 'model']); "
        "print([one for one in ('torch', 'gradio') if one in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert done.stdout.splitlines()[-1] == "[]"
