import shutil
import subprocess
import sys

import numpy as np
import pytest

from i2i import images
from i2i.data.checking import check
from i2i.errors import DatasetError


def fill(folder, *names, size=(300, 300), channels=3, seed=0):
    folder.mkdir(parents=True, exist_ok=True)
    for index, name in enumerate(names):
        flat = np.full((*size, channels), 40 * seed + index, np.uint8)
        images.write(folder / name, flat)


def test_sound_pairs_side_by_side_are_told_with_sizes_and_recipe(tmp_path):
    for seed, split in enumerate(("train", "val", "test")):
        fill(tmp_path / split, "1.png", "2.png", size=(256, 512), seed=seed)
    report = check(tmp_path)
    assert report.sound
    assert report.kind == "side-by-side"
    assert report.recipes == ("pix2pix",)
    assert report.notes == []
    assert [(split.name, split.pairs, split.sizes, split.channels) for split in report.splits] == [
        (name, 2, [(512, 256, 2)], {"pictures": "rgb"}) for name in ("train", "val", "test")
    ]


def test_missing_partners_and_unequal_sizes_are_problems_and_the_rest_is_counted(tmp_path):
    fill(tmp_path / "trainA", "1.png", "2.png", "3.png", "only.png")
    fill(tmp_path / "trainB", "1.jpg", "2.jpg", channels=1)
    fill(tmp_path / "trainB", "3.jpg", size=(300, 301), channels=1)
    report = check(tmp_path)
    assert report.kind == "pairs"
    assert "train: 1 pictures only in A, without partner: only" in report.problems
    assert any("3.png is 300 x 300 and" in problem and "3.jpg is 301 x 300" in problem for problem in report.problems)
    (train,) = report.splits
    assert train.counts == {"A": 4, "B": 3}
    assert train.pairs == 2
    assert train.channels == {"A": "rgb", "B": "gray"}


def test_other_names_in_both_folders_are_two_domains(tmp_path):
    fill(tmp_path / "trainA", "horse1.jpg", "horse2.jpg")
    fill(tmp_path / "trainB", "zebra1.jpg", seed=1)
    report = check(tmp_path)
    assert (report.kind, report.recipes, report.problems) == ("unpaired", ("cyclegan", "cut"), [])


def test_photos_in_one_folder_are_single_pictures(tmp_path):
    fill(tmp_path, "1.jpg", "2.jpg", size=(300, 400))
    report = check(tmp_path)
    assert report.kind == "single"
    assert report.recipes == ("dcgan", "super-resolution", "colorize", "inpaint", "sketch", "next-frame")
    assert any("no test split" in note for note in report.notes)


def test_captions_beside_all_pictures_are_told_with_the_recipe_that_reads_them(tmp_path):
    fill(tmp_path / "train", "1.png", "2.png")
    (tmp_path / "train" / "1.txt").write_text("a red circle\na disc\n")
    assert "text-to-image" not in check(tmp_path).recipes, "what is beside one alone may be anything"
    (tmp_path / "train" / "2.txt").write_text("a blue circle")
    report = check(tmp_path)
    assert report.sound
    assert report.recipes[-1] == "text-to-image"
    assert report.notes[-1] == "2 pictures have 3 captions beside them, which the recipe text-to-image reads"


def test_gray_photos_have_no_colours_to_learn(tmp_path):
    fill(tmp_path / "train", "1.png", channels=1)
    assert "colorize" not in check(tmp_path).recipes
    assert "super-resolution" in check(tmp_path).recipes


def test_unreadable_pictures_are_named_and_only_decoding_finds_the_cut_ones(tmp_path):
    fill(tmp_path / "train", "1.jpg", "2.jpg", "3.jpg")
    whole = (tmp_path / "train" / "2.jpg").read_bytes()
    (tmp_path / "train" / "2.jpg").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "train" / "3.jpg").write_bytes(b"")
    assert [problem.split(":")[0][-5:] for problem in check(tmp_path).problems] == ["2.jpg", "3.jpg"]
    assert [problem.split(":")[0][-5:] for problem in check(tmp_path, decode=False).problems] == ["3.jpg"]


def test_the_same_picture_in_two_splits_is_a_problem(tmp_path):
    fill(tmp_path / "train", "1.png", "2.png")
    fill(tmp_path / "test", "x.png", seed=1)
    assert check(tmp_path).sound
    shutil.copy(tmp_path / "train" / "2.png", tmp_path / "test" / "9.png")
    assert check(tmp_path).problems == [
        "1 pictures are in both train and test, such as train/2.png and test/9.png: remove them from one"
    ]


def test_a_picture_that_is_no_pair_among_pairs_is_named(tmp_path):
    fill(tmp_path / "train", "1.png", "2.png", "3.png", size=(256, 512))
    fill(tmp_path / "train", "4.png", size=(256, 256))
    (problem,) = check(tmp_path).problems
    assert "4.png: is 256 x 256, but a pair side by side is 2W x H" in problem


def test_one_half_without_the_other_is_a_problem_of_its_split(tmp_path):
    fill(tmp_path / "trainA", "1.png")
    fill(tmp_path / "trainB", "1.png")
    fill(tmp_path / "testA", "1.png", seed=1)
    assert any("has testA but no testB" in problem for problem in check(tmp_path).problems)


def test_an_empty_folder_is_no_dataset(tmp_path):
    with pytest.raises(DatasetError, match="holds no pictures"):
        check(tmp_path)


def test_progress_counts_every_file(tmp_path):
    fill(tmp_path / "train", "1.png", "2.png", "3.png")
    told = []
    check(tmp_path, progress=lambda *step: told.append(step))
    assert told == [(1, 3), (2, 3), (3, 3)]


def test_checking_imports_no_torch(tmp_path):
    fill(tmp_path / "train", "1.png")
    code = (
        f"import sys; from i2i.data.checking import check; check({str(tmp_path)!r}); sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
