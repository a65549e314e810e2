from itertools import islice

import numpy as np
import pytest
import torch
from PIL import Image

from i2i.data import cache
from i2i.data.feeding import Feeding, feed
from i2i.data.folders import Pair
from i2i.data.paired import PairedFolder
from i2i.data.sampler import EpochSampler
from i2i.data.settings import DataSettings
from i2i.data.single import PictureFolder
from i2i.data.unpaired import UnpairedFolder
from i2i.data.unreadable import Unreadable
from i2i.errors import DatasetError

CPU = torch.device("cpu")
KINDS = ["pairs", "domains", "pictures"]
PLAIN = {"size": "16", "load": 18}
AUGMENTED = PLAIN | {"rotate": 8.0, "noise": 0.1}


def picture(path, seed):
    """A JPEG of one colour, so that a crop tells which picture it is of."""
    colour = np.random.default_rng(seed).integers(0, 256, 3, dtype=np.uint8)
    Image.fromarray(np.broadcast_to(colour, (40, 40, 3)).copy()).save(path, quality=95)


def truncate(path):
    path.write_bytes(path.read_bytes()[: len(path.read_bytes()) // 2])


@pytest.fixture
def paths(tmp_path):
    found = [tmp_path / f"{index}.jpg" for index in range(20)]
    for index, path in enumerate(found):
        picture(path, index)
    return found


def make(kind, paths, **settings):
    settings = DataSettings(**{"unreadable": 0.3} | settings)
    if kind == "pairs":
        return PairedFolder([Pair(str(i), paths[i], paths[i + 10]) for i in range(10)], settings, 3)
    if kind == "domains":
        return UnpairedFolder(paths[:12], paths[12:], settings, 3)
    return PictureFolder(paths, list(range(20)), settings, 3)


def fed(dataset, told=None, start=0, count=30, **options):
    how = Feeding(**{"workers": 0, "cache": "none"} | options)
    sampler = EpochSampler(len(dataset), 2, 7, start_batch=start)
    skipped = [].append if told is None else told.append
    return list(islice(feed(dataset, sampler, how, device=CPU, passes=5, skipped=skipped), count))


def equal(one, two):
    for mine, theirs in zip(one, two, strict=True):
        assert all(torch.equal(a, b) for a, b in zip(mine, theirs, strict=True))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("settings", [PLAIN, AUGMENTED])
def test_batches_are_the_same_however_they_are_fed_and_wherever_a_run_goes_on(kind, settings, paths, tmp_path):
    truncate(paths[4])
    truncate(paths[15])
    told = []
    whole = fed(make(kind, paths, **settings), told)
    assert sorted(told) == sorted(told_of(paths[4], paths[15]))
    for options in (
        {"workers": 2},
        {"cache": "memory"},
        {"cache": "disk", "cache_dir": tmp_path / "kept", "workers": 1},
        {"cache": "disk", "cache_dir": tmp_path / "kept"},  # decoded by the run before
    ):
        again = []
        equal(whole, fed(make(kind, paths, **settings), again, **options))
        assert sorted(again) == sorted(told)
    equal(whole[11:], fed(make(kind, paths, **settings), start=11, count=19, workers=2))


def told_of(*paths):
    return [f"{path}: cannot be read as a picture: {reason(path)}" for path in paths]


def reason(path):
    from i2i.errors import PictureError
    from i2i.images import read

    with pytest.raises(PictureError) as error:
        read(path)
    return str(error.value).split("as a picture: ")[1]


def test_a_pair_is_left_out_as_a_whole_and_no_other_changes(paths):
    before = [make("pairs", paths, flip=False, **PLAIN)[(1, index)] for index in range(10)]
    truncate(paths[14])
    dataset = make("pairs", paths, flip=False, **PLAIN)
    after = [dataset[(1, index)] for index in range(10)]
    equal(before[:4] + before[5:], after[:4] + after[5:])
    # A pair that is there stands in for it: both of its pictures.
    twins = [i for i in range(10) if i != 4 and torch.equal(before[i].target, after[4].target)]
    assert len(twins) == 1
    assert torch.equal(before[twins[0]].source, after[4].source)
    assert list(dataset.new_failures()) == [4]
    assert dataset.new_failures() == {}


def test_of_two_domains_only_the_picture_is_left_out_and_another_of_its_domain_stands_in(paths):
    before = [make("domains", paths, flip=False, **PLAIN)[(0, index)] for index in range(12)]
    truncate(paths[4])
    after = [make("domains", paths, flip=False, **PLAIN)[(0, index)] for index in range(12)]
    assert all(torch.equal(one.y, two.y) for one, two in zip(before, after, strict=True))
    assert [i for i in range(12) if not torch.equal(before[i].x, after[i].x)] == [4]
    assert any(torch.equal(before[i].x, after[4].x) for i in range(12) if i != 4)


def test_the_class_is_that_of_the_picture_that_stands_in(paths):
    truncate(paths[4])
    dataset = make("pictures", paths, flip=False, **PLAIN)
    stands = dataset[(0, 4)]
    assert int(stands.labels) != 4
    assert torch.equal(stands.images, dataset[(0, int(stands.labels))].images)


def test_who_stands_in_changes_with_the_epoch(paths):
    truncate(paths[4])
    dataset = make("pictures", paths, **PLAIN)
    assert len({int(dataset[(epoch, 4)].labels) for epoch in range(10)}) > 3


@pytest.mark.parametrize("options", [{"workers": 0}, {"workers": 1}, {"cache": "memory"}])
def test_each_is_named_once(options, paths):
    truncate(paths[4])
    told = []
    fed(make("pairs", paths, **PLAIN), told, **options)
    assert len(told) == 1
    assert told[0].startswith(f"{paths[4]}: cannot be read")


@pytest.mark.parametrize("options", [{"workers": 0}, {"workers": 1}, {"cache": "memory"}])
def test_more_than_the_share_is_an_error_that_counts_names_and_says_what_to_do(options, paths, tmp_path):
    for path in paths[:4]:
        truncate(path)
    dataset = make("pairs", paths, **PLAIN)  # 3 of 10 may be
    dataset.root = tmp_path
    with pytest.raises(DatasetError) as error:
        fed(dataset, **options)
    said = str(error.value)
    assert said.startswith("4 of 10 pairs cannot be read, but training leaves out 0.3 of them at most")
    assert sum(str(path) in said for path in paths) == 3
    assert "and 1 more" in said
    assert f"i2i check {tmp_path}" in said
    assert "\n" not in said
    paths[0].write_bytes(paths[9].read_bytes())
    assert len(fed(make("pairs", paths, **PLAIN), **options)) == 30


def test_the_share_is_of_each_domain(paths):
    for path in paths[12:15]:
        truncate(path)
    with pytest.raises(DatasetError, match="3 of 8 pictures cannot be read"):
        fed(make("domains", paths, **PLAIN))
    fed(make("domains", paths, unreadable=0.4, **PLAIN))


def test_a_share_of_0_stops_at_one(paths):
    truncate(paths[4])
    with pytest.raises(DatasetError, match="1 of 20 pictures cannot be read, but training leaves out 0 of them"):
        fed(make("pictures", paths, unreadable=0.0, **PLAIN))


def test_where_nothing_is_left_to_stand_in_it_says_so_at_once(paths):
    for path in paths:
        path.unlink()
    with pytest.raises(DatasetError, match=r"20 of 20 pictures cannot be read"):
        fed(make("pictures", paths, **PLAIN))


def test_what_was_mended_since_a_set_was_kept_is_decoded(paths, tmp_path):
    good = paths[4].read_bytes()
    paths[4].unlink()
    paths[4].mkdir()  # no file to read, whatever rights the tests run with
    options = {"cache": "disk", "cache_dir": tmp_path / "kept"}
    told = []
    fed(make("pictures", paths, **PLAIN), told, **options)
    assert len(told) == 1
    dataset = make("pictures", paths, **PLAIN)
    before = cache._digest(dataset)
    stat = cache._stat(paths[4])
    paths[4].rmdir()
    paths[4].write_bytes(good)
    cache_stat = cache._stat
    try:  # as if neither size nor time had changed
        cache._stat = lambda path: stat if path == paths[4] else cache_stat(path)
        assert cache._digest(dataset) == before
        fed(dataset, told, **options)
    finally:
        cache._stat = cache_stat
    assert len(told) == 1
    assert dataset.kept is not None
    assert dataset.kept.whole


def test_pictures_of_a_wrong_size_are_no_unreadable_ones(paths):
    Image.new("RGB", (30, 30)).save(paths[4])
    with pytest.raises(DatasetError, match="the pictures of a pair have the same size"):
        fed(make("pairs", paths, **PLAIN))


def test_what_is_heard_twice_is_counted_once(paths):
    told = []
    unreadable = Unreadable(make("pairs", paths), told.append)
    for _ in range(9):
        unreadable.hear({1: "one", 2: "two"})
    assert told == ["one", "two"]
