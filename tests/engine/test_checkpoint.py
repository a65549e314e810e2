import os
import pickle
import re
import sys
from pathlib import Path

import pytest
import torch

from i2i.engine import checkpoint
from i2i.errors import ModelFileError, TrainingError


def test_what_is_saved_is_loaded(tmp_path):
    path = tmp_path / "last.pt"
    checkpoint.save({"weights": {"a": torch.arange(3)}, "steps": 7, "name": "x"}, path)
    state = checkpoint.load(path)
    assert torch.equal(state["weights"]["a"], torch.arange(3))
    assert (state["steps"], state["name"]) == (7, "x")
    assert [file.name for file in tmp_path.iterdir()] == ["last.pt"]


def test_a_save_that_fails_keeps_the_one_before_and_leaves_nothing_beside(tmp_path, monkeypatch):
    path = tmp_path / "last.pt"
    checkpoint.save({"steps": 1}, path)

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(TrainingError, match="No space left on device"):
        checkpoint.save({"steps": 2}, path)
    assert checkpoint.load(path)["steps"] == 1
    assert [file.name for file in tmp_path.iterdir()] == ["last.pt"]


class Plants:
    """Unpickling this creates a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (self.path,)


@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
@pytest.mark.parametrize("write", [torch.save, lambda found, path: path.write_bytes(pickle.dumps(found))])
def test_a_pickle_that_runs_code_is_refused_and_does_not_run(write, tmp_path):
    path, planted = tmp_path / "last.pt", tmp_path / "planted"
    write({"version": 1, "model": Plants(planted)}, path)
    with pytest.raises(ModelFileError, match=f"{re.escape(str(path))}: not a checkpoint of i2i"):
        checkpoint.load(path)
    assert not planted.exists()


@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"hello\n",
        b"PK\x03\x04" + bytes(99),
        b"\x89PNG\r\n\x1a\n" + bytes(99),
        *(pickle.dumps({"a": [1]}, protocol)[: -1 - protocol] for protocol in (2, 4)),
        *(bytes([first, second]) + b"abc" for first in (0x80, 0x28, 0x63, 0x64, 0x6A) for second in (2, 0x52, 0x81)),
    ],
)
def test_a_file_of_something_else_is_refused_in_one_line(content, tmp_path):
    path = tmp_path / "last.pt"
    path.write_bytes(content)
    with pytest.raises(ModelFileError) as refusal:
        checkpoint.load(path)
    assert str(refusal.value).startswith(f"{path}: not a checkpoint of i2i")
    assert "\n" not in str(refusal.value)


def test_a_checkpoint_cut_short_is_refused(tmp_path):
    path = tmp_path / "last.pt"
    checkpoint.save({"weights": torch.zeros(1000)}, path)
    path.write_bytes(path.read_bytes()[:-500])
    with pytest.raises(ModelFileError, match="not a checkpoint of i2i"):
        checkpoint.load(path)


@pytest.mark.parametrize("state", [{"a": torch.zeros(2)}, [1], torch.zeros(2)])
def test_a_torch_file_without_a_version_is_refused(state, tmp_path):
    torch.save(state, tmp_path / "weights.pth")
    with pytest.raises(ModelFileError, match="no version in it"):
        checkpoint.load(tmp_path / "weights.pth")


@pytest.mark.parametrize("version", ["two", None, torch.zeros(2)])
def test_a_version_that_is_no_number_is_refused(version, tmp_path):
    torch.save({"version": version}, tmp_path / "last.pt")
    with pytest.raises(ModelFileError, match="not a checkpoint of i2i"):
        checkpoint.load(tmp_path / "last.pt")


def test_a_newer_format_is_refused(tmp_path):
    torch.save({"version": checkpoint.VERSION + 1}, tmp_path / "last.pt")
    with pytest.raises(ModelFileError, match=rf"newer i2i \(format {checkpoint.VERSION + 1}"):
        checkpoint.load(tmp_path / "last.pt")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ModelFileError, match=re.escape(str(tmp_path / "last.pt"))):
        checkpoint.load(tmp_path / "last.pt")


def test_a_folder_is_refused(tmp_path):
    with pytest.raises(ModelFileError):
        checkpoint.load(tmp_path)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows limits no file's size")
@pytest.mark.parametrize("size", [30_000, 3_000_000])
def test_a_disk_that_is_full_keeps_the_one_before_and_is_said(size, tmp_path):
    import resource

    path = tmp_path / "last.pt"
    checkpoint.save({"steps": 1}, path)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, before[1]))
    try:
        with pytest.raises(TrainingError, match=r"could not be written \(.*bytes are free there.*before it is kept"):
            checkpoint.save({"weights": torch.zeros(size // 4)}, path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert checkpoint.load(path)["steps"] == 1
    assert [file.name for file in tmp_path.iterdir()] == ["last.pt"]


def names(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir())


@pytest.mark.parametrize("links", [True, False])
def test_the_last_ones_are_kept_by_their_steps(links, tmp_path, monkeypatch):
    if not links:
        monkeypatch.setattr(os, "link", lambda *paths: (_ for _ in ()).throw(OSError(1, "Operation not permitted")))
    path = tmp_path / "checkpoint.pt"
    for step in (5, 10, 20):
        checkpoint.save({"steps": step}, path)
        checkpoint.keep(path, step, 2)
    assert names(tmp_path) == ["checkpoint-10.pt", "checkpoint-20.pt", "checkpoint.pt"]
    assert [(step, checkpoint.load(file)["steps"]) for step, file in checkpoint.kept(path)] == [(20, 20), (10, 10)]
    # Saved again, as after a rollback to step 10.
    checkpoint.save({"steps": 10, "again": True}, path)
    checkpoint.keep(path, 10, 2)
    assert names(tmp_path) == ["checkpoint-10.pt", "checkpoint.pt"]
    assert checkpoint.load(tmp_path / "checkpoint-10.pt")["again"]
    checkpoint.keep(path, 10, 1)
    assert names(tmp_path) == ["checkpoint.pt"]
