"""Whatever ends a conversion: what is there is whole, what is not is said, and the rest can be done later."""

import errno
import hashlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from torch import Tensor, nn

from i2i import images
from i2i.conversion import Progress, Shard, Summary, converting, translate
from i2i.errors import DatasetError
from i2i.networks.settings import ResNet
from i2i.translator import Card, Translator, save_network

CARD = Card(architecture=ResNet(width=2, blocks=1), in_channels=3, out_channels=3)


class Identity(nn.Module):
    multiple = 8

    def forward(self, x: Tensor) -> Tensor:
        return x


# Of torch: another engine, which auto tries after many pictures, takes its own memory once.
SAME = Translator(Identity(), CARD, device="cpu", precision="fp32", batch_size=2, backend="torch")


def fill(folder: Path, count: int, side: int = 8) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(0).integers(0, 256, (side, side, 3), np.uint8)
    for index in range(count):
        images.write(folder / f"{index:05}.png", pixels)


def run(inputs: Any, output: Path, **options: Any) -> Summary:
    return translate(SAME, inputs, output, **{"workers": 1, "half": "whole"} | options)


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


# ----------------------------------------------------------------------------------------------------- stopped, resumed


def test_stopped_it_says_what_is_left_and_goes_on_later(tmp_path):
    fill(tmp_path / "in", 100)
    stop = threading.Event()

    def progress(at: Progress) -> None:
        if at.done == 10:
            stop.set()

    first = run(tmp_path / "in", tmp_path / "out", stop=stop, on_progress=progress)
    written = sorted((tmp_path / "out").iterdir())
    assert first.converted == len(written) < 100
    assert (first.converted + first.left, bool(first.ended)) == (100, True)
    assert all(images.read(path).shape == (8, 8, 3) for path in written)
    second = run(tmp_path / "in", tmp_path / "out", existing="skip")
    assert (second.converted, second.skipped, second.left, second.ended) == (first.left, first.converted, 0, "")


def test_what_a_killed_process_left_half_written_is_removed_at_the_next_start(tmp_path):
    fill(tmp_path / "in", 2)
    (tmp_path / "out").mkdir()
    left = tmp_path / "out" / ".i2i-00000000-1-0123456789ab.png"
    left.write_bytes(b"half")
    os.utime(left, (0, 0))
    run(tmp_path / "in", tmp_path / "out")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["00000.png", "00001.png"]


def test_an_empty_result_is_made_again(tmp_path):
    fill(tmp_path / "in", 2)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "00001.png").touch()
    assert run(tmp_path / "in", tmp_path / "out", existing="skip").converted == 2


def test_shards_convert_each_file_once_side_by_side(tmp_path):
    fill(tmp_path / "in", 11)
    found = [run(tmp_path / "in", tmp_path / "out", shard=Shard(index, 3)) for index in range(3)]
    assert [one.converted for one in found] == [4, 4, 3]
    assert len(list((tmp_path / "out").iterdir())) == 11


def test_collisions_of_other_shards_are_found(tmp_path):
    fill(tmp_path / "in", 2)
    (tmp_path / "in" / "00000.png").rename(tmp_path / "in" / "00001.jpg")
    for index in range(2):
        with pytest.raises(DatasetError, match="would both become"):
            run(tmp_path / "in", tmp_path / "out", format="tif", shard=Shard(index, 2))


# ------------------------------------------------------------------------------------------------- files come and go


def test_a_file_that_vanishes_is_reported_and_one_that_appears_is_ignored(tmp_path, monkeypatch):
    fill(tmp_path / "in", 3)

    def remove(*_: Any) -> int:
        (tmp_path / "in" / "00001.png").unlink()
        fill(tmp_path / "in" / "new", 1)
        return 0

    monkeypatch.setattr(converting, "remove_unfinished", remove)
    summary = run(tmp_path / "in", tmp_path / "out")
    assert [(path.name, "No such file" in reason) for path, reason in summary.failures] == [("00001.png", True)]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["00000.png", "00002.png"]


@pytest.mark.parametrize(("existing", "counts"), [("refuse", (2, 0, 1)), ("skip", (2, 1, 0)), ("overwrite", (3, 0, 0))])
def test_a_result_that_appears_meanwhile_is_only_replaced_where_asked(existing, counts, tmp_path, monkeypatch):
    fill(tmp_path / "in", 3)

    def appear(*_: Any) -> int:
        (tmp_path / "out" / "00001.png").write_bytes(b"somebody else's")
        return 0

    monkeypatch.setattr(converting, "remove_unfinished", appear)
    summary = run(tmp_path / "in", tmp_path / "out", existing=existing, manifest=tmp_path / "m.jsonl")
    assert (summary.converted, summary.skipped, summary.failed) == counts
    assert ((tmp_path / "out" / "00001.png").read_bytes() == b"somebody else's") == (existing != "overwrite")
    assert len(lines(tmp_path / "m.jsonl")) == 3


# ---------------------------------------------------------------------------------------------------------- a full disk


def test_a_full_disk_ends_it_after_three_results_with_nothing_half_written(tmp_path, monkeypatch):
    fill(tmp_path / "in", 100)
    replace, done = Path.replace, []

    def full(self: Path, target: Path) -> Path:
        if len(done) == 5:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        done.append(target)
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", full)
    summary = run(tmp_path / "in", tmp_path / "out", manifest=tmp_path / "m.jsonl")
    assert (summary.converted, summary.failed, summary.left) == (5, 3, 92)
    assert "No space left on device" in summary.ended
    assert all("No space left on device" in reason for _, reason in summary.failures)
    assert len(list((tmp_path / "out").iterdir())) == 5
    assert len(lines(tmp_path / "m.jsonl")) == 8


def test_a_single_result_without_room_ends_nothing(tmp_path, monkeypatch):
    fill(tmp_path / "in", 20)
    replace = Path.replace

    def full(self: Path, target: Path) -> Path:
        if target.name in ("00003.png", "00004.png", "00010.png"):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", full)
    summary = run(tmp_path / "in", tmp_path / "out")
    assert (summary.converted, summary.failed, summary.left, summary.ended) == (17, 3, 0, "")


def test_a_manifest_that_finds_no_room_ends_it(tmp_path, monkeypatch):
    fill(tmp_path / "in", 50)

    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(converting, "add_line", full)
    summary = run(tmp_path / "in", tmp_path / "out", manifest=tmp_path / "m.jsonl")
    assert "manifest" in summary.ended
    assert 0 < summary.left < 50
    assert summary.converted + summary.left == 50


def test_a_report_that_finds_no_room_is_a_failure_of_its_own(tmp_path):
    fill(tmp_path / "in", 1)
    (tmp_path / "r.html").mkdir()
    summary = run(tmp_path / "in", tmp_path / "out", report=tmp_path / "r.html")
    assert (summary.converted, summary.failed) == (1, 1)
    assert summary.failures[0][0] == tmp_path / "r.html"


# -------------------------------------------------------------------------------------------------------- the manifest


def test_the_manifest_tells_what_happened_to_each_file(tmp_path):
    fill(tmp_path / "in", 3)
    (tmp_path / "in" / "00002.png").write_bytes(b"broken")
    run(tmp_path / "in" / "00000.png", tmp_path / "out")
    (tmp_path / "out").mkdir(exist_ok=True)
    manifest = tmp_path / "m.jsonl"
    manifest.write_text('{"input": "torn')
    run(tmp_path / "in", tmp_path / "out", existing="skip", manifest=manifest)
    torn, *rest = manifest.read_text().splitlines()
    assert torn == '{"input": "torn'
    skipped, done, broken = (json.loads(line) for line in sorted(rest, key=lambda line: json.loads(line)["input"]))
    assert set(skipped) >= {"input", "output", "size", "bytes", "checksum", "seconds", "skipped", "error"}
    assert (skipped["skipped"], skipped["checksum"], skipped["error"]) == (True, None, None)
    result = tmp_path / "out" / "00001.png"
    assert done["checksum"] == hashlib.sha256(result.read_bytes()).hexdigest()
    assert (done["bytes"], done["size"], done["output"]) == (result.stat().st_size, [8, 8], str(result))
    assert done["seconds"] > 0
    assert (broken["output"], broken["checksum"], broken["skipped"]) == (None, None, False)
    assert broken["error"]


# ---------------------------------------------------------------------------------------------------- whole processes


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model") / "m.safetensors"
    save_network(CARD.architecture.build(3, 3, (8, 8)), CARD, path)
    return path


def start(model: Path, folder: Path, *flags: str, **options: Any) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "i2i", "translate", str(model), "in", "out", "--device", "cpu", *flags]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen(command, cwd=folder, **pipes | options)


def wait_for_results(folder: Path, process: "subprocess.Popen[str]") -> None:
    while len(list(folder.glob("*.png"))) < 5:
        assert process.poll() is None
        time.sleep(0.02)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "code"), [("SIGINT", 130), ("SIGTERM", 143), ("SIGKILL", -9)])
def test_a_process_that_is_stopped_leaves_whole_results_and_goes_on(name, code, model, tmp_path):
    fill(tmp_path / "in", 400, side=128)
    with start(model, tmp_path, "--manifest", "m.jsonl", "--batch-size", "2") as process:
        wait_for_results(tmp_path / "out", process)
        process.send_signal(getattr(signal, name))
        _, said = process.communicate(timeout=300)
    assert process.returncode == code
    assert ("--skip-existing" in said) == (name != "SIGKILL")
    assert "Traceback" not in said
    done = list((tmp_path / "out").glob("*.png"))
    assert 5 <= len(done) < 400
    assert all(images.read(path).shape == (128, 128, 3) for path in done)
    if name != "SIGKILL":
        assert len(lines(tmp_path / "m.jsonl")) == len(done)
    with start(model, tmp_path, "--skip-existing") as process:
        process.communicate(timeout=300)
    assert process.returncode == 0
    assert len(list((tmp_path / "out").iterdir())) == 400


@pytest.mark.slow
def test_in_a_pipe_there_are_lines_and_no_control_characters(model, tmp_path):
    fill(tmp_path / "in", 4)
    with start(model, tmp_path, stdin=subprocess.DEVNULL) as process:
        out, said = process.communicate(timeout=300)
    assert "picture 4/4" in said
    assert all(letter == "\n" or letter.isprintable() for letter in out + said)


_FLAT = """
import sys
from pathlib import Path
from tests_of_memory import SAME, translate

def rss():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 1e6

seen = {}
def progress(at):
    if at.done in (at.total // 10, at.total):
        seen[at.done] = rss()

summary = translate(SAME, sys.argv[1], sys.argv[2], workers=2, half="whole", on_progress=progress)
first, last = seen.values()
print(summary.converted, first, last, flush=True)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_memory_is_flat_over_many_files(tmp_path):
    count = int(os.environ.get("I2I_TEST_FILES", "5000"))
    fill(tmp_path / "in", 1)
    data = (tmp_path / "in" / "00000.png").read_bytes()
    for index in range(1, count):
        (tmp_path / "in" / f"{index:05}.png").write_bytes(data)
    script = _FLAT.replace(
        "from tests_of_memory import SAME, translate", Path(__file__).read_text().split("def fill")[0]
    )
    done = subprocess.run(
        [sys.executable, "-c", script, tmp_path / "in", tmp_path / "out"], capture_output=True, text=True, check=True
    )
    converted, first, last = map(float, done.stdout.split())
    print(done.stdout)  # shown by pytest -s
    assert converted == count
    assert last - first < 30  # megabytes
