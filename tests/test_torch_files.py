import os
import re
import struct
import zipfile
from pathlib import Path

import pytest
import torch

from i2i.engine import checkpoint
from i2i.errors import ModelFileError
from i2i.networks import reference
from i2i.torch_files import read_torch
from i2i.translator import Translator


def test_what_torch_saved_is_read(tmp_path):
    round_about: list[object] = [torch.arange(3)]
    tied = torch.ones(40, 2)
    torch.save(
        {"a": round_about, "b": {"c": (tied, tied.T, tied[3:])}, "n": 7, "empty": torch.empty(0)}, tmp_path / "f"
    )
    found = read_torch(tmp_path / "f", "a file")
    assert isinstance(found, dict)
    assert torch.equal(found["a"][0], torch.arange(3))
    assert found["n"] == 7


def test_the_format_of_before_torch_16_is_read(tmp_path):
    torch.save({"a": torch.arange(3)}, tmp_path / "f", _use_new_zipfile_serialization=False)
    found = read_torch(tmp_path / "f", "a file")
    assert isinstance(found, dict)
    assert torch.equal(found["a"], torch.arange(3))


def packed(path: Path, megabytes: int) -> None:
    """A zip bomb: the storage of one tensor of zeros, deflated to a thousandth."""
    plain = path.with_suffix(".plain")
    torch.save({"version": 1, "model.1.weight": torch.zeros(1000)}, plain)
    count = b"J" + struct.pack("<i", megabytes << 18)
    with zipfile.ZipFile(plain) as source, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as bomb:
        for member in source.infolist():
            data = source.read(member)
            if member.filename.endswith("data.pkl"):
                data = data.replace(b"M\xe8\x03", count)
            with bomb.open(member.filename, "w") as file:
                if member.filename.endswith("data/0"):
                    for _ in range(megabytes):
                        file.write(bytes(1 << 20))
                else:
                    file.write(data)
    plain.unlink()


def claims_more(path: Path) -> None:
    """A storage that claims 100,000 times the numbers that its member has."""
    torch.save({"version": 1, "model.1.weight": torch.zeros(1000)}, path)
    with zipfile.ZipFile(path) as source:
        members = {member.filename: source.read(member) for member in source.infolist()}
    with zipfile.ZipFile(path, "w") as crafted:
        for name, data in members.items():
            crafted.writestr(name, data.replace(b"M\xe8\x03", b"J" + struct.pack("<i", 100_000_000)))


def claims_more_of_old(path: Path) -> None:
    torch.save({"version": 1, "a": torch.zeros(1000)}, path, _use_new_zipfile_serialization=False)
    path.write_bytes(path.read_bytes().replace(b"M\xe8\x03", b"\x8a\x05" + (4 * 10**9).to_bytes(5, "little")))


def one_number_many_times(path: Path) -> None:
    torch.save({"version": 1, "model.1.weight": torch.zeros(1).half().expand(64, 3, 7000, 7000)}, path)


def one_storage_many_times(path: Path) -> None:
    weight = torch.zeros(100_000)
    torch.save({"version": 1, "weights": [weight.view(size, -1) for size in (1, 2, 4, 5, 8, 10, 20)]}, path)


def lies_in_its_directory(path: Path) -> None:
    torch.save({"version": 1, "a": torch.zeros(1000)}, path)
    data = bytearray(path.read_bytes())
    at = data.index(b"PK\x01\x02")
    data[at + 20 : at + 28] = struct.pack("<II", 2 << 30, 2 << 30)
    path.write_bytes(data)


HOSTILE = {
    "a zip bomb": (lambda path: packed(path, 64), "a compressed zip"),
    "a storage larger than its member": (claims_more, "not a"),
    "a storage larger than its old file": (claims_more_of_old, "not a"),
    "one number as a billion": (one_number_many_times, "larger than what the file holds"),
    "one storage many times": (one_storage_many_times, "claim 2,800,000 bytes"),
    "a member larger than the file": (lies_in_its_directory, "not a"),
    "a sparse tensor": (lambda path: torch.save({"version": 1, "a": torch.zeros(9).to_sparse()}, path), "sparse"),
    "a tensor without numbers": (
        lambda path: torch.save({"version": 1, "a": torch.zeros(10**6, 10**6, device="meta")}, path),
        "without numbers",
    ),
    "a pipe": (os.mkfifo, "it is no file"),
    "a folder": (os.mkdir, "it is a folder"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_a_hostile_file_is_one_line_to_every_reader(case, tmp_path):
    path = tmp_path / "evil.pth"
    write, reason = HOSTILE[case]
    write(path)
    for load in (reference.read, checkpoint.load, lambda path: read_torch(path, "a file")):
        with pytest.raises(ModelFileError, match=reason) as refusal:
            load(path)
        assert re.match(rf"{re.escape(str(path))}: not a", str(refusal.value))
        assert "\n" not in str(refusal.value)
    if path.is_file():
        with pytest.raises(ModelFileError):
            Translator.load(path)


def test_a_zip_bomb_is_refused_before_torch_unpacks_it(tmp_path, monkeypatch):
    packed(tmp_path / "evil.pth", 128)
    assert (tmp_path / "evil.pth").stat().st_size < 1 << 18
    calls = []
    monkeypatch.setattr(torch, "load", lambda *_, **__: calls.append(1))
    with pytest.raises(ModelFileError, match="a compressed zip"):
        reference.read(tmp_path / "evil.pth")
    assert not calls


def test_a_shape_without_numbers_decides_nothing(tmp_path):
    """The width is told by the first layer; one of (4000, 0, 7, 7) costs nothing and would make a network of 90 GB."""
    flat = torch.zeros(1, 1, 1, 1)
    weights = {
        "model.1.weight": torch.zeros(4000, 0, 7, 7),
        **{f"model.{block}.conv_block.{layer}.weight": flat for block in range(10, 19) for layer in (1, 5)},
        **{f"model.{layer}.weight": flat for layer in (4, 7, 19, 22, 26)},
    }
    torch.save(weights, tmp_path / "evil.pth")
    with pytest.raises(ModelFileError, match="wanted"):
        reference.read(tmp_path / "evil.pth")


@pytest.mark.parametrize("name", ["evil.pth", "checkpoint.pt", "translator.safetensors"])
@pytest.mark.parametrize("protocol", [0, 2, 4])
def test_a_pickle_that_runs_code_does_not_run_under_any_name(name, protocol, tmp_path):
    import pickle

    class Plants:
        def __reduce__(self) -> tuple[object, ...]:
            return Path.touch, (tmp_path / "planted",)

    for data in (pickle.dumps({"version": 1, "a": Plants()}, protocol), pickle.dumps(Plants(), protocol)):
        (tmp_path / name).write_bytes(data)
        for load in (Translator.load, reference.read, checkpoint.load):
            with pytest.raises(ModelFileError):
                load(tmp_path / name)
        with pytest.raises(ModelFileError):
            Translator.load(tmp_path)
        assert not (tmp_path / "planted").exists()
    pickle.loads(data)  # it is as hostile as it claims to be
    assert (tmp_path / "planted").exists()
