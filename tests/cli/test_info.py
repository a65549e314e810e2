"""What a bug report needs, from whole environments and from broken ones."""

import json
import os
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

from i2i import __version__, cli
from i2i.cli import info

TORCH = """
from types import SimpleNamespace as Of
__version__ = "9.8"
version = Of(cuda="13.2", hip=None)
backends = Of(cudnn=Of(is_available=lambda: True, version=lambda: 92600), mps=Of(is_available=lambda: False))
gpu = Of(name="Big GPU", total_memory=16_000_000_000, major=9, minor=0)
cuda = Of(device_count=lambda: 1, get_device_properties=lambda i: gpu)
cpu = Of(get_capabilities=lambda: {"avx2": True, "neon": False})
get_num_threads = lambda: 3
"""
"""As much of torch as is looked at, which loads at once."""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder whose modules are found before those that are installed."""
    (tmp_path / "torch.py").write_text(TORCH)
    (tmp_path / "torchvision.py").write_text("")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(info, "MODULES", {})
    return tmp_path


def installed(monkeypatch: pytest.MonkeyPatch, lines: list[str], versions: dict[str, str]) -> None:
    def version(name: str) -> str:
        if name not in versions:
            raise metadata.PackageNotFoundError(name)
        return versions[name]

    monkeypatch.setattr(metadata, "requires", lambda name: lines)
    monkeypatch.setattr(metadata, "version", version)


def test_a_whole_environment_is_told_line_by_line(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = [
        "torch>=2.6",
        "av>=18; extra == 'video'",
        'onnx>=1.18; extra == "onnx"',
        'onnxruntime; extra == "onnx"',
        'i2i-toolkit[onnx]; extra == "dev"',
    ]
    installed(monkeypatch, lines, {"i2i-toolkit": __version__, "torch": "9.8", "onnx": "1.20"})
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    monkeypatch.setenv("HF_TOKEN", "secret")
    assert cli.main(["info"]) == 0
    said = capsys.readouterr().out
    told = {line.split(maxsplit=1)[0]: line.split(maxsplit=1)[1] for line in said.splitlines()}
    assert told["i2i"].startswith(__version__)
    assert told["python"].startswith("CPython ")
    assert int(told["cores"]) >= 1
    assert told["torch"] == "9.8, built for CUDA 13.2, cuDNN 92600, 3 threads"
    assert told["gpu"] == "Big GPU, 16.0 GB, 9.0"
    assert told["cpu"] == "avx2"
    assert told["[video]"] == "not installed"
    assert told["[onnx]"] == "onnx 1.20; onnxruntime missing"
    assert "[dev]" not in told
    assert "OMP_NUM_THREADS=7" in said
    assert "secret" not in said


def test_json_holds_the_same(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["info", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert set(found) == {"i2i", "python", "system", "packages", "extras", "broken", "torch", "environment"}
    assert found["i2i"]["version"] == __version__
    assert found["torch"]["gpus"] == [{"name": "Big GPU", "memory": 16_000_000_000, "capability": "9.0"}]
    assert found["broken"] == {}


def test_what_cannot_be_loaded_is_a_line_and_no_crash(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (place / "torch.py").write_text("raise ImportError('libcudart.so.13: no such file')")
    (place / "cv2.py").write_text("import os\nos._exit(3)")
    (place / "av.py").write_text("import os, signal\nos.kill(os.getpid(), signal.SIGTERM)")
    monkeypatch.setattr(info, "MODULES", {"opencv-python-headless": "cv2", "av": "av"})
    lines = ["torch", "opencv-python-headless", "av; extra == 'video'"]
    installed(monkeypatch, lines, {"torch": "9.8", "opencv-python-headless": "5", "av": "18"})
    assert cli.main(["info"]) == 0
    said = capsys.readouterr().out
    assert "cannot be imported (ImportError: libcudart.so.13: no such file)" in said
    assert "opencv-python-headless 5, which cannot be imported (ends with 3)" in said
    assert "av 18, which cannot be imported (ends " in said
    assert "not installed as a package" in said  # i2i itself


def test_a_torchvision_for_another_torch_is_told_apart_from_torch(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (place / "torchvision.py").write_text("raise RuntimeError('operator torchvision::nms does not exist')")
    found = info.collect()
    assert found["torch"]["version"] == "9.8"
    assert found["broken"] == {"torchvision": "RuntimeError: operator torchvision::nms does not exist"}


def test_a_package_that_never_finishes_loading_is_given_up(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (place / "torch.py").write_text("import threading\nthreading.Event().wait()")
    monkeypatch.setattr(info, "SECONDS", 0.2)
    assert info.collect()["broken"] == {"torch": "not done after 0.2 s"}


def test_a_clone_that_was_not_installed_says_so(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def missing(name: str) -> list[str]:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "requires", missing)
    monkeypatch.setattr(metadata, "version", missing)
    assert cli.main(["info"]) == 0
    assert "unknown: pip has no i2i-toolkit" in capsys.readouterr().out


def test_the_users_name_is_left_out(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "home", lambda: Path(sys.prefix).parent)
    assert info.collect()["python"]["place"] == str(Path("~") / Path(sys.prefix).name)


def test_wrong_usage_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["info", "--josn"]) == 2
    assert "See i2i info --help" in capsys.readouterr().err


def test_it_needs_nothing_but_the_standard_library(place: Path) -> None:
    (place / "tyro.py").write_text("raise ImportError('tyro')")
    (place / "rich.py").write_text("raise ImportError('rich')")
    (place / "numpy.py").write_text("raise ImportError('numpy')")
    done = subprocess.run(
        [sys.executable, "-m", "i2i", "info", "--json"], capture_output=True, text=True, check=False, env=os.environ
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["torch"]["version"] == "9.8"


@pytest.mark.slow
def test_the_torch_that_is_here_answers() -> None:
    import torch

    found = info.collect()
    assert found["torch"]["version"] == torch.__version__
    assert found["torch"]["threads"] >= 1
    assert found["broken"] == {}
