"""Reading, translating and writing at once: what overlaps, how much is held, what is done when it is told to stop."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from torch import Tensor, nn

from i2i.conversion import pipeline
from i2i.conversion.job import Job
from i2i.conversion.pipeline import Pipeline
from i2i.images import Picture
from i2i.networks.settings import ResNet
from i2i.translator import Card, Translator

CARD = Card(architecture=ResNet(width=2, blocks=1), in_channels=3, out_channels=3)


class Network(nn.Module):
    """The identity that takes its time, and remembers what came to it."""

    multiple = 8

    def __init__(self, seconds: float = 0.0) -> None:
        super().__init__()
        self.seconds = seconds
        self.seen: list[tuple[int, ...]] = []

    def forward(self, x: Tensor) -> Tensor:
        self.seen.append(tuple(x.shape))
        time.sleep(self.seconds)
        return x


class Files:
    """Files that take their time to be read and written, counted while they are held."""

    def __init__(
        self, monkeypatch: pytest.MonkeyPatch, sizes: list[tuple[int, int]], reading: float = 0.0, writing: float = 0.0
    ) -> None:
        self.sizes, self.reading, self.writing = sizes, reading, writing
        self.held = self.most = self.written = 0
        self._lock = threading.Lock()
        monkeypatch.setattr("i2i.conversion.job.read", self.read)

    def jobs(self) -> Iterator[Job]:
        return (Job(Path(f"{index}.png"), Path("out")) for index in range(len(self.sizes)))

    def read(self, job: Job, *_: Any) -> Job:
        with self._lock:
            self.held += 1
            self.most = max(self.most, self.held)
        time.sleep(self.reading)
        job.picture = Picture(pixels=np.zeros((*self.sizes[int(job.source.stem)], 3), np.uint8))
        return job

    def write(self, job: Job) -> Job:
        time.sleep(self.writing)
        with self._lock:
            self.held -= 1
            self.written += job.result is not None
        return job


def line(files: Files, network: Network, workers: int = 2, batch_size: int = 4) -> Pipeline:
    translator = Translator(network, CARD, device="cpu", precision="fp32", batch_size=batch_size)
    return Pipeline(translator=translator, workers=workers, write=files.write)


@pytest.mark.parametrize(
    ("reading", "network", "writing"), [(0.04, 0.06, 0.04), (0.04, 0.03, 0.01), (0.01, 0.03, 0.04)]
)
def test_the_slowest_stage_decides(monkeypatch, reading, network, writing):
    # Seconds of a picture on each of two threads, of a batch of four, of a picture on each of two threads.
    def share() -> float:
        files = Files(monkeypatch, [(8, 8)] * 80, reading, writing)
        started = time.perf_counter()
        assert len(list(line(files, Network(network)).run(files.jobs()))) == 80
        return 80 * max(reading / 2, network / 4, writing / 2) / (time.perf_counter() - started)

    # The first batch and the last file have nothing to hide behind. Sleeping is late where the machine is busy, so
    # that one try in five has to show it; what is done one after the other never does.
    assert any(share() > 0.75 for _ in range(5))


def test_every_job_is_done_once_and_holds_no_pixels(monkeypatch):
    files = Files(monkeypatch, [(8, 8), (9, 8), (8, 8)] * 9)
    done = list(line(files, Network()).run(files.jobs()))
    assert sorted(int(job.source.stem) for job in done) == list(range(27))
    assert all(job.picture is job.small is job.result is None for job in done)


@pytest.mark.parametrize(("reading", "network", "writing"), [(0.0, 0.02, 0.0), (0.0, 0.0, 0.005)])
def test_what_is_held_is_limited_in_number(monkeypatch, reading, network, writing):
    files = Files(monkeypatch, [(8, 8)] * 150, reading, writing)
    run = line(files, Network(network), batch_size=2)
    assert len(list(run.run(files.jobs()))) == 150
    assert files.most <= run.read_ahead + 2 + run.behind + 1


def test_pictures_of_rare_sizes_wait_no_longer_than_a_window(monkeypatch):
    files = Files(monkeypatch, [(8, 8 + index) for index in range(150)])
    run = line(files, Network(), batch_size=2)
    assert len(list(run.run(files.jobs()))) == 150
    assert files.most <= run.read_ahead + run.window + run.behind + 1


def test_what_is_held_is_limited_in_pixels(monkeypatch):
    monkeypatch.setattr(pipeline, "HELD_PIXELS", 2000)
    files = Files(monkeypatch, [(20, 20)] * 60, writing=0.002)
    assert len(list(line(files, Network(), batch_size=16).run(files.jobs()))) == 60
    # Five in each of: read, waiting for a batch, written; the batch itself; one that each thread has just begun.
    assert files.most <= 5 + 5 + 5 + 5 + 2


def test_pictures_of_one_size_go_together_whatever_lies_between_them(monkeypatch):
    files = Files(monkeypatch, [(8, 8), (8, 16), (16, 8)] * 8)
    network = Network()
    list(line(files, network, batch_size=8).run(files.jobs()))
    assert sorted(network.seen) == sorted([(8, 3, 8, 8), (8, 3, 8, 16), (8, 3, 16, 8)])


def test_batches_do_not_depend_on_which_file_is_read_first(monkeypatch):
    sizes = [(8, 8 * (1 + index * index % 7)) for index in range(60)]
    seen = []
    for delays in (0.0, 0.003):
        files = Files(monkeypatch, sizes)
        read = files.read

        def late(job: Job, *rest: Any, read: Any = read, delays: float = delays) -> Job:
            time.sleep(delays * (int(job.source.stem) % 3))
            return read(job, *rest)

        monkeypatch.setattr("i2i.conversion.job.read", late)
        network = Network()
        list(line(files, network, workers=3).run(files.jobs()))
        seen.append(network.seen)
    assert seen[0] == seen[1]


def test_told_to_stop_it_writes_what_was_translated_and_reads_no_more(monkeypatch):
    files = Files(monkeypatch, [(8, 8)] * 500, reading=0.002, writing=0.002)
    network = Network(0.005)
    stop = threading.Event()
    done = []
    for job in line(files, network).run(files.jobs(), stop):
        done.append(job)
        if len(done) == 20:
            stop.set()
    assert 20 <= len(done) == files.written == 4 * len(network.seen) < 100


def test_left_early_it_does_the_same(monkeypatch):
    files = Files(monkeypatch, [(8, 8)] * 500, writing=0.002)
    network = Network(0.005)
    running = line(files, network).run(files.jobs())
    next(running)
    running.close()
    assert files.written == 4 * len(network.seen) < 100
    assert not [thread for thread in threading.enumerate() if thread.name.startswith(("read", "write", "translate"))]


@pytest.mark.parametrize("where", ["read", "write"])
def test_a_mistake_of_ours_is_raised_and_hangs_nothing(monkeypatch, where):
    files = Files(monkeypatch, [(8, 8)] * 50)

    def mistake(*_: Any) -> Job:
        raise ZeroDivisionError

    if where == "read":
        monkeypatch.setattr("i2i.conversion.job.read", mistake)
    else:
        files.write = mistake  # pyright: ignore[reportAttributeAccessIssue]
    with pytest.raises(ZeroDivisionError):
        list(line(files, Network()).run(files.jobs()))
