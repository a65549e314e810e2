from itertools import islice

import numpy as np
import pytest
import torch

from i2i import images
from i2i.data import feeding, machine
from i2i.data.cache import keep
from i2i.data.feeding import Feeding, Moved, OnDevice, OnHost, auto_workers, feed
from i2i.data.folders import Pair
from i2i.data.paired import PairedFolder
from i2i.data.sampler import EpochSampler
from i2i.data.settings import DataSettings
from i2i.data.single import PictureFolder
from i2i.data.unpaired import UnpairedFolder

CPU = torch.device("cpu")
AUGMENTED = {"rotate": 8.0, "brightness": 0.2, "noise": 0.1}


@pytest.fixture(scope="module")
def paths(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pictures")
    found = []
    for index in range(10):
        shape = (24 + 3 * (index % 5), 31 - index % 5, 1 if index == 4 else 3)
        found.append(folder / f"{index}.png")
        images.write(found[-1], np.random.default_rng(index).integers(0, 256, shape, dtype=np.uint8))
    return found


def make(kind, paths, settings, seed=3):
    if kind == "pairs":
        pairs = [Pair(str(index), paths[index], paths[index + 5]) for index in range(5)]
        return PairedFolder(pairs, settings, seed, channels=(1, 3))
    if kind == "domains":
        return UnpairedFolder(paths[:3], paths[3:], settings, seed, channels=(3, 1))
    return PictureFolder(paths, list(range(10)), settings, seed)


KINDS = ["pairs", "domains", "pictures"]


def fed(dataset, count=40, batch_size=2, **options):
    how = Feeding(**{"workers": 0, "cache": "memory"} | options)
    return list(islice(feed(dataset, EpochSampler(len(dataset), batch_size, 7), how, device=CPU, passes=5), count))


def equal(one, two):
    assert type(one) is type(two)
    for mine, theirs in zip(one, two, strict=True):
        assert mine.dtype == theirs.dtype
        assert torch.equal(mine, theirs)


@pytest.mark.parametrize(
    ("resize", "size"), [("square", "12"), ("square", "12x20"), ("short", "12"), ("none", "12x20")]
)
@pytest.mark.parametrize("kind", KINDS)
def test_batches_are_the_same_pixels_kept_or_decoded(kind, resize, size, paths):
    settings = DataSettings(size=size, resize=resize)
    kept, decoded = make(kind, paths, settings), make(kind, paths, settings)
    for one, two in zip(fed(kept), fed(decoded, cache="none"), strict=True):
        equal(one, two)
    assert kept.kept is not None
    assert decoded.kept is None


@pytest.mark.parametrize("kind", KINDS)
def test_a_device_cuts_the_same_pixels_as_the_host(kind, paths):
    dataset = make(kind, paths, DataSettings(size="12x16", resize="none"))
    keep(dataset, "memory", workers=0, passes=5)
    store, crop = dataset.kept, dataset.settings.crop
    assert store is not None
    for keys in islice(EpochSampler(len(dataset), 3, 1), 30):
        equal(dataset.gather(keys, OnDevice(store, crop, CPU)), dataset.gather(keys, OnHost(store, crop)))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("cache", ["memory", "disk"])
def test_workers_augment_what_is_kept_as_they_would_what_they_decode(kind, cache, paths, tmp_path):
    settings = DataSettings(size="16", **AUGMENTED)
    kept = make(kind, paths, settings)
    before = fed(make(kind, paths, settings), 10, cache="none")
    for one, two in zip(fed(kept, 10, cache=cache, cache_dir=tmp_path, workers=1), before, strict=True):
        equal(one, two)
    assert kept.kept is not None


def test_kept_pictures_are_never_changed(paths):
    dataset = make("pairs", paths, DataSettings(size="12", resize="none", flip=False))
    batches = fed(dataset, 5)
    before = dataset.kept.flat().copy()
    for batch in [*batches, dataset[0]]:
        for tensor in batch:
            tensor.zero_()
    assert np.array_equal(dataset.kept.flat(), before)


def test_kept_pictures_may_vanish(paths, tmp_path):
    images.write(tmp_path / "1.png", np.zeros((20, 20, 3), np.uint8))
    dataset = PictureFolder([tmp_path / "1.png"], [0], DataSettings(size="16"))
    batches = iter(feed(dataset, EpochSampler(1, 1), Feeding(), device=CPU, passes=5))
    next(batches)
    (tmp_path / "1.png").unlink()
    assert next(batches).images.shape == (1, 3, 16, 16)


def test_auto_workers_are_the_cores_but_one_shared_among_the_processes(monkeypatch):
    monkeypatch.delenv("LOCAL_WORLD_SIZE", raising=False)
    found = []
    for cores in (1, 2, 8, 64):
        monkeypatch.setattr(machine, "cores", lambda cores=cores: cores)
        found.append(auto_workers())
    assert found == [1, 1, 7, 16]
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "8")
    assert auto_workers() == 7


def test_what_was_decided_is_said(paths, monkeypatch, recwarn):
    monkeypatch.setattr(machine, "cores", lambda: 2)
    monkeypatch.delenv("LOCAL_WORLD_SIZE", raising=False)

    def notes(dataset, **how):
        said = []
        feed(dataset, EpochSampler(len(dataset), 2), Feeding(**how), device=CPU, passes=5, note=said.append)
        return said

    plain, augmented = DataSettings(size="16"), DataSettings(size="16", **AUGMENTED)
    assert notes(make("pairs", paths, plain), cache="none") == ["1 worker process decodes pictures"]
    (kept,) = notes(make("pairs", paths, plain), cache="memory")
    assert kept.startswith("5 pairs decoded once")
    assert notes(make("pairs", paths, augmented), cache="memory")[1] == "1 worker process augments pictures"
    (crowded,) = notes(make("pairs", paths, plain), cache="none", workers=5)
    assert crowded.startswith("5 workers on 2 cores")
    assert not recwarn.list  # torch would say it a second time
    assert notes(make("pairs", paths, plain), cache="none", workers=2) == []


def test_no_process_is_started_where_pictures_are_kept(paths, monkeypatch):
    def never(*_, **__):
        raise AssertionError("a loader")

    monkeypatch.setattr(feeding, "make_loader", never)
    assert len(fed(make("pairs", paths, DataSettings(size="16")), 3, workers=4)) == 3


def test_a_file_larger_than_the_memory_is_read_by_workers(paths, monkeypatch, tmp_path):
    monkeypatch.setattr(feeding, "_at_hand", lambda store: False)
    settings = DataSettings(size="16")
    kept = fed(make("pairs", paths, settings), 5, cache="disk", cache_dir=tmp_path, workers=1)
    for one, two in zip(kept, fed(make("pairs", paths, settings), 5, cache="none"), strict=True):
        equal(one, two)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("cache", ["memory", "none"])
def test_a_gpu_gets_the_same_batches_on_itself(kind, cache, paths, monkeypatch):
    settings, cuda = DataSettings(size="16"), torch.device("cuda")
    expected = fed(make(kind, paths, settings), cache="none")
    for share in (0.25, 0.0):  # kept on the GPU, and on the host
        monkeypatch.setattr(feeding, "OF_DEVICE", share)
        dataset = make(kind, paths, settings)
        how = Feeding(workers=1, cache=cache)
        batches = feed(dataset, EpochSampler(len(dataset), 2, 7), how, device=cuda, passes=5)
        assert isinstance(batches, Moved) == (cache == "none" or not share)
        for one, two in zip(islice(batches, 40), expected, strict=True):
            assert one[0].is_cuda
            equal(type(one)(*(tensor.cpu() for tensor in one)), two)
