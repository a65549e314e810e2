import os

import numpy as np
import pytest

from i2i import images
from i2i.data import cache, machine
from i2i.data.cache import expected_bytes, keep
from i2i.data.folders import find_pairs
from i2i.data.paired import PairedFolder
from i2i.data.settings import DataSettings
from i2i.data.single import PictureFolder
from i2i.data.unpaired import UnpairedFolder
from i2i.errors import DatasetError

SETTINGS = DataSettings(size="16")  # loaded at 18


@pytest.fixture
def root(tmp_path):
    for index in range(6):
        for side in "AB":
            path = tmp_path / "set" / "train" / side / f"{index}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            shape = (20 + index, 30 - index, 3)
            images.write(path, np.random.default_rng(index + ord(side)).integers(0, 256, shape, dtype=np.uint8))
    return tmp_path / "set"


@pytest.fixture
def pairs(root):
    return PairedFolder(find_pairs(root).pairs, SETTINGS)


def again(dataset, **settings):
    return PairedFolder(dataset.pairs, DataSettings(size="16", **settings))


def kept(dataset, choice, folder, **options):
    return keep(dataset, choice, folder, **{"workers": 0, "passes": 10} | options)


def same_pixels(dataset):
    assert dataset.kept is not None
    for group in range(dataset.groups):
        for one, other in zip(dataset.fitted(group), dataset.decode(group), strict=True):
            assert np.array_equal(one, other)


def never(*_):
    raise AssertionError("decoded")


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("choice", ["auto", "memory", "disk"])
def test_what_is_kept_is_what_would_be_decoded(choice, workers, pairs, tmp_path, monkeypatch):
    monkeypatch.setattr(cache, "_FEW", 0)
    monkeypatch.setattr(cache, "_AT_ONCE", 2)
    steps = []
    (note,) = kept(pairs, choice, tmp_path / "c", workers=workers, progress=lambda *done: steps.append(done))
    assert steps == [(2, 6), (4, 6), (6, 6)]
    place = str(tmp_path / "c") if choice == "disk" else "memory"
    assert note.startswith("6 pairs decoded once and kept in ")
    assert place in note
    assert note.endswith(": 11.7 kB")
    assert pairs.kept is not None
    assert pairs.kept.bytes == expected_bytes(pairs) == 6 * 2 * 3 * 18 * 18
    same_pixels(pairs)


@pytest.mark.parametrize("resize", ["short", "none"])
def test_pictures_of_all_sizes_are_kept(resize, pairs, tmp_path):
    dataset = again(pairs, resize=resize)
    kept(dataset, "memory", tmp_path)
    same_pixels(dataset)
    assert dataset.kept is not None
    assert len({tuple(shape) for shape in dataset.kept.shapes.tolist()}) > 1


def test_domains_and_single_pictures_are_kept(root, tmp_path):
    x, y = (sorted((root / "train" / side).iterdir()) for side in "AB")
    for dataset in (
        UnpairedFolder(x[:2], y, SETTINGS, channels=(1, 3)),
        PictureFolder(x, [0] * 6, SETTINGS, channels=1),
    ):
        (note,) = kept(dataset, "memory", tmp_path)
        assert note.startswith(dataset.counted)
        same_pixels(dataset)


def test_the_next_run_takes_the_file_up(pairs, tmp_path, monkeypatch):
    kept(pairs, "disk", tmp_path)
    for choice in ("auto", "disk"):
        other = again(pairs)
        with monkeypatch.context() as patch:
            patch.setattr(other, "decode", never)
            (note,) = kept(other, choice, tmp_path)
        assert "decoded by an earlier run" in note
        same_pixels(other)
    assert sorted(path.suffix for path in tmp_path.glob("*.*")) == [".lock", ".pixels"]


@pytest.mark.parametrize("change", ["time", "bytes", "size", "resize", "labels", "direction", "damage"])
def test_a_file_is_not_taken_up_where_anything_changed(change, pairs, tmp_path):
    kept(pairs, "disk", tmp_path)
    settings = {"resize": {"resize": "short"}, "labels": {"labels": "source"}, "direction": {"direction": "BtoA"}}
    other = again(pairs, **settings.get(change, {}))
    if change == "time":
        os.utime(pairs.pairs[2].a, (1, 1))
    elif change == "bytes":
        images.write(pairs.pairs[2].a, np.zeros((22, 28, 3), np.uint8))
    elif change == "size":
        other = PairedFolder(pairs.pairs, DataSettings(size="14"))
    elif change == "damage":
        (file,) = tmp_path.glob("*.pixels")
        data = bytearray(file.read_bytes())
        data[100] ^= 255
        file.write_bytes(data)
    (note,) = kept(other, "disk", tmp_path)
    assert "decoded once" in note
    same_pixels(other)


def test_augmentation_and_seed_share_one_file(pairs, tmp_path):
    kept(pairs, "disk", tmp_path)
    other = PairedFolder(pairs.pairs, DataSettings(size="16", rotate=5.0, noise=0.1), seed=9)
    (note,) = kept(other, "disk", tmp_path)
    assert "earlier run" in note


def test_auto_takes_what_fits(pairs, tmp_path, monkeypatch):
    size = expected_bytes(pairs)
    for memory, disk, where in [
        (4 * size, 4 * size, "kept in memory"),
        (size, 4 * size, f"kept in {tmp_path}"),
        (4 * size, size, "kept in memory"),
        (size, size, "decoded every epoch: 11.7 kB would fit neither into 5.83 kB of memory nor into 9.33 kB in"),
    ]:
        monkeypatch.setattr(machine, "free_memory", lambda memory=memory: memory)
        monkeypatch.setattr(cache, "_disk", lambda folder, disk=disk: int(0.8 * disk))
        dataset = again(pairs)
        (note,) = kept(dataset, "auto", tmp_path)
        assert where in note
        assert (dataset.kept is None) == ("every epoch" in where)
        for file in tmp_path.glob("*.pixels"):
            file.unlink()
    for choice in ("memory", "disk"):
        dataset = again(pairs)
        (note,) = kept(dataset, choice, tmp_path)
        assert "decoded every epoch: 11.7 kB would not fit into 9.33 kB" in note
        assert dataset.kept is None


def test_processes_of_one_machine_share_a_file(pairs, tmp_path, monkeypatch):
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "2")
    (note,) = kept(pairs, "auto", tmp_path)
    assert str(tmp_path) in note


def test_auto_leaves_large_sets_and_short_runs_to_the_workers(pairs, tmp_path, monkeypatch):
    assert kept(pairs, "auto", tmp_path, passes=1.9) == []
    assert kept(pairs, "memory", tmp_path, passes=0) == []
    assert kept(pairs, "none", tmp_path) == []
    monkeypatch.setattr(cache, "_FILES_A_CORE", 10)
    (note,) = kept(pairs, "auto", tmp_path)
    assert "take long to decode up front (--cache memory or disk does it)" in note
    assert pairs.kept is None
    assert "kept in memory" in kept(pairs, "memory", tmp_path, passes=1)[0]


def test_deep_pictures_are_decoded_every_epoch(pairs, tmp_path):
    dataset = PairedFolder(pairs.pairs, SETTINGS, deep=True)
    (note,) = kept(dataset, "memory", tmp_path)
    assert "16 bits are decoded every epoch" in note
    assert dataset.kept is None


@pytest.mark.parametrize("choice", ["auto", "disk"])
def test_a_folder_that_cannot_be_written_is_said_and_training_goes_on(choice, pairs, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "2")  # auto prefers the disk
    notes = kept(pairs, choice, tmp_path / "file" / "c")
    assert notes[0].startswith(f"{tmp_path}/file/c: decoded pictures cannot be kept there: Not a directory")
    assert "--cache-dir" in notes[0]
    assert notes[1].startswith(
        "6 pairs decoded once and kept in memory" if choice == "auto" else "pictures are decoded"
    )


def test_a_disk_that_fills_up_leaves_no_file(pairs, tmp_path, monkeypatch):
    def full(self, pixels, shapes):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(cache.InFile, "add", full)
    notes = kept(pairs, "disk", tmp_path)
    assert "No space left on device" in notes[0]
    assert pairs.kept is None
    assert not [path for path in tmp_path.glob("*.*") if path.suffix != ".lock"]


def test_a_picture_that_cannot_be_used_is_named(pairs, tmp_path):
    with pytest.raises(DatasetError, match=r"0\.png: is 30 x 20 .* smaller"):
        kept(PairedFolder(pairs.pairs, DataSettings(size="24", resize="none")), "memory", tmp_path)
    pairs.pairs[3].b.write_bytes(b"no picture")
    with pytest.raises(DatasetError, match=r"1 of 6 pairs .*B/3\.png"):
        kept(pairs, "memory", tmp_path)
    with pytest.raises(DatasetError, match=r"1 of 6 pairs .*B/3\.png"):
        kept(pairs, "disk", tmp_path / "c")
    assert not list((tmp_path / "c").glob("*.pixels*"))


def test_the_default_folder_is_the_users(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache.default_folder() == tmp_path / "i2i"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert cache.default_folder() == tmp_path / "home" / ".cache" / "i2i"
