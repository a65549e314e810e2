import unicodedata
from pathlib import Path

import numpy as np
import pytest

from i2i import images
from i2i.data import folders
from i2i.data.folders import find_domains, find_pairs, find_pictures, splits
from i2i.errors import DatasetError


def fill(folder: Path, *names: str, size=(8, 16)) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        images.write(folder / name, np.zeros((*size, 3), np.uint8))


def message(find, *args) -> str:
    with pytest.raises(DatasetError) as error:
        find(*args)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_pictures_in_train_are_pairs_side_by_side_for_who_wants_pairs(tmp_path):
    fill(tmp_path / "train", "2.jpg", "1.PNG", "deep/3.tif")
    found = find_pairs(tmp_path)
    assert found.kind == "side-by-side"
    assert [(pair.name, pair.b) for pair in found.pairs] == [("1", None), ("2", None), ("deep/3", None)]


@pytest.mark.parametrize(("a", "b"), [("trainA", "trainB"), ("train/A", "train/B"), ("A", "B")])
def test_two_folders_are_pairs_by_stem_whatever_the_suffix(tmp_path, a, b):
    fill(tmp_path / a, "z.jpg", "sub/1.png")
    fill(tmp_path / b, "z.PNG", "sub/1.webp")
    found = find_pairs(tmp_path)
    assert found.kind == "pairs"
    assert [(pair.a.relative_to(tmp_path / a).as_posix(), pair.b.suffix) for pair in found.pairs] == [
        ("sub/1.png", ".webp"),
        ("z.jpg", ".PNG"),
    ]


@pytest.mark.parametrize("split", ["val", "test"])
def test_other_splits_are_found_in_both_spellings(tmp_path, split):
    fill(tmp_path / "trainA", "1.jpg")
    fill(tmp_path / "trainB", "1.jpg")
    fill(tmp_path / f"{split}A", "2.jpg")
    fill(tmp_path / f"{split}B", "2.jpg")
    assert splits(tmp_path) == ("train", split)
    assert [pair.name for pair in find_pairs(tmp_path, split).pairs] == ["2"]


def test_pairs_are_never_matched_by_position(tmp_path):
    fill(tmp_path / "trainA", "1.jpg", "2.jpg")
    fill(tmp_path / "trainB", "2.jpg", "1.jpg")
    assert all(pair.a.name == pair.b.name for pair in find_pairs(tmp_path).pairs)


def test_an_accent_matches_in_either_spelling(tmp_path):
    fill(tmp_path / "trainA", unicodedata.normalize("NFC", "café.jpg"))
    fill(tmp_path / "trainB", unicodedata.normalize("NFD", "café.jpg"))
    (pair,) = find_pairs(tmp_path).pairs
    assert pair.a.is_file()
    assert pair.b.is_file()


def test_a_name_with_several_dots_keeps_all_but_the_suffix(tmp_path):
    fill(tmp_path / "trainA", "a.1.jpg", "a.2.jpg")
    fill(tmp_path / "trainB", "a.1.png", "a.2.png")
    assert [pair.name for pair in find_pairs(tmp_path).pairs] == ["a.1", "a.2"]


def test_hidden_files_and_others_are_counted_and_left_out(tmp_path):
    fill(tmp_path / "train", "1.jpg")
    for name in (".DS_Store", "._1.jpg", "notes.txt", "Thumbs.db"):
        (tmp_path / "train" / name).write_text("x")
    fill(tmp_path / "train" / ".cache", "2.jpg")
    found = find_pictures(tmp_path)
    assert len(found.pictures) == 1
    assert found.ignored == 4


def test_a_folder_that_is_not_there_is_told_with_what_is_wanted(tmp_path):
    text = message(find_pairs, tmp_path / "no")
    assert f"{tmp_path}/no: does not exist" in text
    assert "train/A + train/B" in text


def test_a_file_is_not_a_dataset(tmp_path):
    (tmp_path / "a").write_text("")
    assert "is a file" in message(find_pairs, tmp_path / "a")


@pytest.mark.parametrize("find", [find_pairs, find_domains, find_pictures])
def test_an_empty_folder_is_told(tmp_path, find):
    assert "no pictures" in message(find, tmp_path) or "0 pictures" in message(find, tmp_path)
    (tmp_path / "train").mkdir()
    (tmp_path / "train" / "notes.txt").write_text("x")
    assert f"{tmp_path}/train: holds" in message(find, tmp_path)


def test_an_empty_side_is_named(tmp_path):
    fill(tmp_path / "trainA", "1.jpg")
    (tmp_path / "trainB").mkdir()
    assert f"{tmp_path}/trainB: holds no pictures" in message(find_pairs, tmp_path)


@pytest.mark.parametrize("find", [find_pairs, find_domains])
def test_a_without_b_is_told(tmp_path, find):
    fill(tmp_path / "train" / "A", "1.jpg")
    assert "has train/A but no train/B" in message(find, tmp_path)


def test_pairs_that_do_not_match_are_named_and_point_to_cyclegan(tmp_path):
    fill(tmp_path / "trainA", "1.jpg", "2.jpg", *(f"horse{index}.jpg" for index in range(5)))
    fill(tmp_path / "trainB", "1.jpg", "zebra.jpg")
    text = message(find_pairs, tmp_path)
    assert "trainA has 7 pictures and trainB has 2, 1 in both" in text
    assert "Only in trainA: 2, horse0, horse1 and 3 more. Only in trainB: zebra." in text
    assert "'cyclegan'" in text
    assert len(find_domains(tmp_path).x) == 7


def test_one_stem_twice_on_a_side_names_both(tmp_path):
    fill(tmp_path / "trainA", "1.jpg", "1.png")
    fill(tmp_path / "trainB", "1.jpg")
    assert "1.jpg and 1.png have the same name" in message(find_pairs, tmp_path)


def test_ordinary_photos_are_not_taken_for_pairs_side_by_side(tmp_path):
    fill(tmp_path / "train", "1.jpg", size=(16, 16))
    text = message(find_pairs, tmp_path)
    assert "1.jpg: is 16 x 16, no wider than high, but a pair side by side is 2W x H" in text
    assert "'cyclegan'" in text
    assert len(find_pictures(tmp_path).pictures) == 1


def test_an_odd_width_is_no_pair_side_by_side(tmp_path):
    fill(tmp_path / "train", "1.jpg")
    fill(tmp_path / "train", "2.jpg", size=(8, 17))
    assert "2.jpg: is 17 x 8, an odd width" in message(find_pairs, tmp_path)


def test_one_folder_for_two_domains_points_to_the_recipes_that_fit(tmp_path):
    fill(tmp_path / "train", "1.jpg")
    text = message(find_domains, tmp_path)
    assert "trainA + trainB" in text
    assert "'pix2pix'" in text


def test_a_missing_split_is_told_with_those_there(tmp_path):
    fill(tmp_path / "train", "1.jpg")
    fill(tmp_path / "val", "1.jpg")
    for find in (find_pairs, find_domains, find_pictures):
        assert "has no test split, only train, val" in message(find, tmp_path, "test")


def test_class_folders_are_labels_in_the_order_of_their_names(tmp_path):
    fill(tmp_path / "train", "dog/1.jpg", "cat/2.jpg", "cat/deep/1.jpg")
    found = find_pictures(tmp_path)
    assert found.classes == ("cat", "dog")
    assert [(path.name, label) for path, label in zip(found.pictures, found.labels, strict=True)] == [
        ("2.jpg", 0),
        ("1.jpg", 0),
        ("1.jpg", 1),
    ]


def test_pictures_beside_folders_have_no_classes(tmp_path):
    fill(tmp_path, "1.jpg", "some/2.jpg")
    found = find_pictures(tmp_path)
    assert found.classes == ()
    assert list(found.labels) == [0, 0]


def test_class_folders_may_be_called_a_and_b_and_c(tmp_path):
    fill(tmp_path / "train", "A/1.jpg", "B/1.jpg", "C/1.jpg")
    assert find_pictures(tmp_path).classes == ("A", "B", "C")
    (tmp_path / "train" / "B" / "1.jpg").rename(tmp_path / "train" / "C" / "2.jpg")
    (tmp_path / "train" / "B").rmdir()
    assert find_pictures(tmp_path).classes == ("A", "C")


def test_links_are_followed_but_not_in_circles(tmp_path):
    fill(tmp_path / "elsewhere", "1.jpg")
    (tmp_path / "data" / "train").mkdir(parents=True)
    (tmp_path / "data" / "train" / "linked").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "data" / "train" / "up").symlink_to(tmp_path / "data")
    (tmp_path / "elsewhere" / "self").symlink_to(tmp_path / "elsewhere")
    assert [path.name for path in find_pictures(tmp_path / "data").pictures] == ["1.jpg"]


def test_a_link_to_a_folder_of_a_similar_name_is_followed(tmp_path):
    fill(tmp_path / "cat", "1.jpg")
    (tmp_path / "cats").mkdir()
    (tmp_path / "cats" / "linked").symlink_to(tmp_path / "cat")
    assert len(find_pictures(tmp_path / "cats").pictures) == 1


def test_indexing_opens_only_a_sample_of_the_pictures(tmp_path, monkeypatch):
    fill(tmp_path / "train", *(f"{index}.bmp" for index in range(100)))
    opened = []
    monkeypatch.setattr(folders, "probe", lambda path: opened.append(path) or images.probe(path))
    assert len(find_pairs(tmp_path).pairs) == 100
    assert len(opened) == folders.SAMPLE
