"""A large folder is read once, and again after whatever changed it."""

import os
from pathlib import Path

import pytest

from i2i.data import index, listing, pairs_list
from i2i.data.listing import scan
from i2i.data.pairs_list import read_list

COUNT = 300


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(index, "LARGE", COUNT)
    monkeypatch.setattr(index, "_GRAIN", 0)  # or every test would wait for the folder to settle
    return tmp_path / "cache" / "i2i" / "indexes"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for number in range(COUNT):
        place = tmp_path / "data" / "train" / f"class{number % 3}" / f"{number:03}.jpg"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.touch()
    (tmp_path / "data" / "train" / "notes.txt").touch()
    return tmp_path / "data" / "train"


@pytest.fixture
def walks(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The folders that were read."""
    found: list[str] = []
    add = index.Sources.add
    monkeypatch.setattr(index.Sources, "add", lambda self, name: found.append(name) or add(self, name))
    return found


def test_a_large_folder_is_read_once(folder, walks, cache):
    first = scan(folder)
    assert len(walks) == 4
    again = scan(folder)
    assert len(walks) == 4
    assert list(again.names) == list(first.names)
    assert again.ignored == first.ignored == 1
    assert len(list(cache.iterdir())) == 1


def test_a_small_folder_leaves_nothing(folder, walks, cache):
    scan(folder / "class0")
    assert not cache.exists()


def add(folder: Path) -> None:
    (folder / "class1" / "new.jpg").touch()


def remove(folder: Path) -> None:
    (folder / "class2" / "002.jpg").unlink()


def rename(folder: Path) -> None:
    (folder / "class0" / "000.jpg").rename(folder / "class0" / "first.jpg")


def add_folder(folder: Path) -> None:
    (folder / "class3").mkdir()
    (folder / "class3" / "new.jpg").touch()


def remove_folder(folder: Path) -> None:
    for path in (folder / "class0").iterdir():
        path.unlink()
    (folder / "class0").rmdir()


def replace_folder(folder: Path) -> None:
    other = folder.parent / "other"
    other.mkdir()
    (other / "1.jpg").touch()
    (folder / "class0").rename(folder.parent / "away")
    other.rename(folder / "class0")


def add_and_set_the_clock_back(folder: Path) -> None:
    before = folder.stat()
    add(folder.parent / "train")
    for place in (folder, folder / "class1"):
        os.utime(place, ns=(before.st_atime_ns, before.st_mtime_ns))


@pytest.mark.parametrize(
    "change", [add, remove, rename, add_folder, remove_folder, replace_folder, add_and_set_the_clock_back]
)
def test_a_change_of_any_folder_is_seen(folder, change, monkeypatch):
    scan(folder)
    change(folder)
    monkeypatch.setattr(index, "LARGE", 10**9)
    there = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.jpg"))
    assert list(scan(folder).names) == there


def test_an_index_is_of_one_folder(folder, tmp_path):
    scan(folder)
    folder.rename(tmp_path / "moved")
    folder.mkdir()
    assert len(scan(folder)) == 0
    assert len(scan(tmp_path / "moved")) == COUNT


@pytest.mark.parametrize("damage", ["cut", "flipped", "empty", "text", "pickle"])
def test_a_damaged_index_is_not_used(folder, walks, cache, damage):
    names = list(scan(folder).names)
    (file,) = cache.iterdir()
    data = bytearray(file.read_bytes())
    if damage == "flipped":
        data[data.index(b"class1/004") + 9] ^= 1
    damaged = {"cut": data[: len(data) // 2], "flipped": data, "empty": b"", "text": b"hello", "pickle": b"\x80\x04N."}
    file.write_bytes(damaged[damage])
    walks.clear()
    assert list(scan(folder).names) == names
    assert len(walks) == 4
    walks.clear()
    scan(folder)
    assert walks == []  # it was written anew


def test_an_index_of_another_version_is_not_used(folder, walks, monkeypatch):
    scan(folder)
    walks.clear()
    monkeypatch.setattr(index, "_FORMAT", index._FORMAT + 1)
    scan(folder)
    assert len(walks) == 4


def test_an_index_of_another_folder_is_not_used(folder, walks, cache, tmp_path):
    scan(folder)
    (file,) = cache.iterdir()
    (tmp_path / "twin").mkdir()
    for number in range(COUNT):
        (tmp_path / "twin" / f"{number}.jpg").touch()
    scan(tmp_path / "twin")
    (other,) = set(cache.iterdir()) - {file}
    other.write_bytes(file.read_bytes())
    assert scan(tmp_path / "twin").names[0] == "0.jpg"


def test_a_cache_that_cannot_be_written_is_no_matter(folder, tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert len(scan(folder)) == len(scan(folder)) == COUNT


def test_a_user_without_a_home_is_no_matter(folder, monkeypatch):
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setattr(Path, "home", lambda: (_ for _ in ()).throw(RuntimeError("no home")))
    assert len(scan(folder)) == len(scan(folder)) == COUNT


def test_without_a_place_asked_for_the_cache_is_the_homes(folder, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    scan(folder)
    assert len(list((tmp_path / ".cache" / "i2i" / "indexes").iterdir())) == 1


def test_a_folder_that_changed_a_moment_ago_is_not_trusted(folder, walks, monkeypatch):
    monkeypatch.setattr(index, "_GRAIN", 2_000_000_000)
    scan(folder)
    walks.clear()
    scan(folder)
    assert len(walks) == 4


def test_a_folder_that_came_to_rest_while_it_was_read_is_read_again_and_kept(folder, walks, cache, monkeypatch):
    monkeypatch.setattr(index.Sources, "settled", lambda self: len(walks) > 4)
    scan(folder)
    assert len(walks) == 8
    assert len(list(cache.iterdir())) == 1


@pytest.mark.parametrize("target", ["nowhere", "up"])
def test_a_link_that_may_lead_elsewhere_one_day_is_followed_anew(folder, walks, target):
    (folder / "link").symlink_to(folder.parent / "nowhere" if target == "nowhere" else folder)
    scan(folder)
    walks.clear()
    scan(folder)
    assert len(walks) == 4


def test_links_to_pictures_and_folders_are_kept(folder, walks, tmp_path):
    (tmp_path / "far").mkdir()
    (tmp_path / "far" / "1.jpg").touch()
    (folder / "link").symlink_to(tmp_path / "far")
    (folder / "1.jpg").symlink_to(tmp_path / "far" / "1.jpg")
    assert len(scan(folder)) == COUNT + 2
    walks.clear()
    assert len(scan(folder)) == COUNT + 2
    assert walks == []
    (tmp_path / "far" / "2.jpg").touch()
    assert len(scan(folder)) == COUNT + 3


def test_only_the_last_indexes_are_kept(folder, cache, monkeypatch, tmp_path):
    monkeypatch.setattr(index, "KEPT", 2)
    monkeypatch.setattr(index, "LARGE", 1)
    for number in range(4):
        scan(folder / f"class{number % 3}")
        scan(folder)
    assert len(list(cache.iterdir())) == 2


@pytest.fixture
def listed(folder: Path) -> Path:
    lines = [f"class{number % 3}/{number:03}.jpg,class0/000.jpg,{'test' * (number == 2)}\n" for number in range(COUNT)]
    (folder / "pairs.csv").write_text("source,target,split\n" + "".join(lines))
    return folder


def test_a_long_list_is_checked_once(listed, monkeypatch):
    first = list(read_list(listed))
    monkeypatch.setattr(pairs_list.os.path, "isfile", lambda path: 1 / 0)
    again = read_list(listed)
    assert list(again) == first
    assert again.splits() == ("train", "test")
    assert [row.name for row in again.of("test")] == ["class2/002"]


def test_a_list_that_changed_or_lost_a_file_is_checked_again(listed):
    read_list(listed)
    (listed / "pairs.csv").write_text("source,target\nclass0/000.jpg,class1/001.jpg\n")
    assert len(read_list(listed)) == 1
    (listed / "class1" / "001.jpg").unlink()
    with pytest.raises(listing.DatasetError, match="does not exist"):
        read_list(listed)


def test_a_long_list_that_lost_a_file_says_so(listed):
    read_list(listed)
    (listed / "class1" / "001.jpg").unlink()
    with pytest.raises(listing.DatasetError, match=r"line 3: the source .*001\.jpg does not exist"):
        read_list(listed)
