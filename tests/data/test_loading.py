import os
import signal
import subprocess
import sys
from itertools import islice

import numpy as np
import pytest
import torch
from torch.utils.data import Dataset

from i2i import images
from i2i.data.folders import find_pairs
from i2i.data.loading import make_loader
from i2i.data.paired import PairedFolder
from i2i.data.sampler import EpochSampler
from i2i.data.settings import DataSettings
from i2i.errors import DatasetError


@pytest.fixture
def pairs(tmp_path):
    (tmp_path / "train").mkdir()
    for index in range(7):
        pixels = np.random.default_rng(index).integers(0, 256, (20, 40, 3), dtype=np.uint8)
        images.write(tmp_path / "train" / f"{index}.png", pixels)
    return find_pairs(tmp_path).pairs


def batches(dataset, workers, start_method=None, **start):
    loader = make_loader(dataset, EpochSampler(len(dataset), 2, 5, **start), workers, start_method=start_method)
    return list(islice(loader, 8))


@pytest.mark.parametrize(("workers", "start_method"), [(1, "fork"), (2, "fork"), (1, "spawn")])
def test_batches_are_the_same_for_any_number_of_workers_however_started(pairs, workers, start_method):
    settings = DataSettings(size="16", rotate=5.0, brightness=0.2, noise=0.1)
    dataset = PairedFolder(pairs, settings, seed=4)
    alone = batches(dataset, 0)
    for mine, theirs in zip(alone, batches(dataset, workers, start_method), strict=True):
        assert torch.equal(mine.source, theirs.source)
        assert torch.equal(mine.target, theirs.target)
    assert alone[0].source.shape == (2, 3, 16, 16)


def test_resuming_after_any_batch_gives_the_rest(pairs):
    dataset = PairedFolder(pairs, DataSettings(size="16"), seed=4)
    whole = batches(dataset, 0)
    rest = batches(dataset, 2, "fork", start_batch=5)
    for mine, theirs in zip(whole[5:], rest, strict=False):
        assert torch.equal(mine.source, theirs.source)


def test_a_loader_leaves_the_global_generators_alone(pairs):
    dataset = PairedFolder(pairs, DataSettings(size="16"), seed=4)
    torch.manual_seed(0)
    np.random.seed(0)
    before = torch.get_rng_state(), np.random.get_state()[1].copy()
    batches(dataset, 0)
    batches(dataset, 1, "fork")
    assert torch.equal(torch.get_rng_state(), before[0])
    assert np.array_equal(np.random.get_state()[1], before[1])


@pytest.mark.parametrize("workers", [0, 1])
def test_damaged_pictures_are_one_line_from_any_worker(pairs, workers):
    for pair in pairs:
        pair.a.write_bytes(b"no picture")
    with pytest.raises(DatasetError) as error:
        batches(PairedFolder(pairs, DataSettings(size="16")), workers)
    assert f"{pairs[3].a}: cannot be read" in str(error.value) or "and 4 more" in str(error.value)
    assert "\n" not in str(error.value)


class Workers(Dataset):
    """What a worker is: its random numbers, threads and process."""

    def __len__(self):
        return 100

    def __getitem__(self, key):
        return torch.tensor([np.random.randint(2**31), torch.randint(2**31, ()), torch.get_num_threads(), os.getpid()])


def test_workers_have_seeds_of_their_own_and_one_thread():
    loader = make_loader(Workers(), EpochSampler(100, 1), 2, start_method="fork")
    one, other = (batch[0].tolist() for batch in islice(loader, 2))
    assert one[3] != other[3] != os.getpid()
    assert one[0] != other[0]
    assert one[1] != other[1]
    assert one[2] == other[2] == 1


@pytest.mark.skipif(
    not hasattr(signal, "sigwaitinfo"), reason="signals of other processes are told apart on Linux only"
)
def test_workers_outlive_signals_meant_for_the_trainer_but_not_their_parent():
    # in a process of its own: a worker that dies of a signal takes its parent along
    ended = subprocess.run([sys.executable, "-c", OUTLIVING], capture_output=True, text=True, timeout=300)
    assert ended.returncode == 0, ended.stderr


OUTLIVING = """
import os
import signal
import subprocess

import torch
from torch.utils.data import Dataset

from i2i.data.loading import make_loader
from i2i.data.sampler import EpochSampler


class Processes(Dataset):
    def __len__(self):
        return 100

    def __getitem__(self, key):
        return torch.tensor(os.getpid())


loader = make_loader(Processes(), EpochSampler(100, 1), 1, start_method="fork")
stream = iter(loader)
worker = int(next(stream))
os.kill(worker, signal.SIGINT)
os.kill(worker, signal.SIGUSR1)
subprocess.run(["kill", "-TERM", str(worker)], check=True)  # from a process that is not the parent
for _ in range(10):
    assert int(next(stream)) == worker
(process,) = loader._iterator._workers
process.terminate()
process.join(60)
assert process.exitcode == 0, process.exitcode
"""
