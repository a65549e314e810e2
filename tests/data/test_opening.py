import pickle

import numpy as np
import pytest

from i2i import images
from i2i.data.opening import infer_channels, open_dataset
from i2i.data.settings import DataSettings
from i2i.errors import DatasetError
from i2i.images import Probe

SETTINGS = DataSettings(size="8")


def fill(folder, count, size=(8, 8), channels=3, dtype=np.uint8):
    folder.mkdir(parents=True)
    for index in range(count):
        images.write(folder / f"{index:02}.png", np.full((*size, channels), index, dtype))


def test_a_small_part_of_train_is_held_out_and_named(tmp_path):
    fill(tmp_path / "train", 40, (8, 16))
    opened = open_dataset("pairs", tmp_path, SETTINGS, seed=1)
    assert opened.counts == {"train": 38, "validation": 2}
    assert opened.notes[0] == f"40 pairs side by side in {tmp_path}/train"
    assert opened.notes[1].endswith(f"held out 2 of 40, never trained on: {', '.join(opened.held)}")
    kept = {pair.name for pair in opened.train.pairs}
    assert kept.isdisjoint(opened.held)
    assert {pair.name for pair in opened.validation.pairs} == set(opened.held)
    assert open_dataset("pairs", tmp_path, SETTINGS, seed=1).held == opened.held


@pytest.mark.parametrize(("there", "used"), [(("val", "test"), "val"), (("test",), "test")])
def test_validation_is_on_val_or_else_on_test(tmp_path, there, used):
    fill(tmp_path / "train", 8, (8, 16))
    for number, split in enumerate(there, start=2):
        fill(tmp_path / split, number, (8, 16))
    opened = open_dataset("pairs", tmp_path, SETTINGS)
    assert opened.held == []
    assert opened.counts == {"train": 8, "validation": 2}
    assert f"validation on the {used} split: 2" in opened.notes


def test_a_test_folder_of_inputs_alone_does_not_stop_training(tmp_path):
    for side in "AB":
        fill(tmp_path / f"train{side}", 8)
    fill(tmp_path / "test", 3)
    opened = open_dataset("pairs", tmp_path, SETTINGS)
    assert opened.counts == {"train": 7, "validation": 1}
    assert any(note.startswith("the test split is not used for validation:") for note in opened.notes)


def test_unpaired_holds_out_of_both_domains(tmp_path):
    fill(tmp_path / "trainA", 8)
    fill(tmp_path / "trainB", 40)
    opened = open_dataset("domains", tmp_path, SETTINGS)
    assert opened.counts == {"train": 38, "validation": 2}
    assert len(opened.held) == 3
    assert [len(paths) for paths in opened.train.domains] == [7, 38]


def test_the_direction_says_which_of_two_domains_is_the_source(tmp_path):
    fill(tmp_path / "trainA", 8, channels=1)
    fill(tmp_path / "trainB", 12)
    for direction, counts, channels in (("AtoB", [7, 11], (1, 3)), ("BtoA", [11, 7], (3, 1))):
        opened = open_dataset("domains", tmp_path, DataSettings(size="8", direction=direction))
        assert [len(paths) for paths in opened.train.domains] == counts
        assert opened.channels == channels
        assert [tensor.shape[0] for tensor in opened.train[0]] == list(channels)


def test_without_held_out_pictures_there_is_no_validation_and_that_is_said(tmp_path):
    fill(tmp_path / "train", 8, (8, 16))
    opened = open_dataset("pairs", tmp_path, DataSettings(size="8", holdout=0))
    assert opened.validation is None
    assert opened.counts == {"train": 8, "validation": 0}
    assert "--holdout 0" in opened.notes[1]


def test_channels_are_inferred_a_side_and_swapped_with_the_direction(tmp_path):
    fill(tmp_path / "trainA", 8, channels=1)
    fill(tmp_path / "trainB", 8)
    assert open_dataset("pairs", tmp_path, SETTINGS).channels == (1, 3)
    back = open_dataset("pairs", tmp_path, DataSettings(size="8", direction="BtoA"))
    assert back.channels == (3, 1)
    assert [tensor.shape[0] for tensor in back.train[0]] == [3, 1]
    assert open_dataset("pairs", tmp_path, DataSettings(size="8", channels="gray")).channels == (1, 1)


def test_one_colour_picture_makes_a_side_colour():
    gray, colour = Probe(1, 1, 1, False, 8), Probe(1, 1, 3, False, 8)
    assert infer_channels([gray, gray]) == 1
    assert infer_channels([gray, colour]) == 3
    assert infer_channels([]) == 3


def test_16_bits_are_noticed(tmp_path):
    fill(tmp_path / "train", 8, (8, 16), dtype=np.uint16)
    opened = open_dataset("pairs", tmp_path, SETTINGS)
    assert opened.deep
    assert opened.train[0].source.is_floating_point()


def test_pictures_have_the_labels_of_their_folders(tmp_path):
    for name in ("cat", "dog"):
        fill(tmp_path / "train" / name, 8)
    opened = open_dataset("pictures", tmp_path, SETTINGS)
    assert opened.classes == ("cat", "dog")
    assert {int(opened.train[index].labels) for index in range(len(opened.train))} == {0, 1}


def test_unpaired_data_for_a_recipe_of_pairs_is_refused(tmp_path):
    fill(tmp_path / "trainA", 2)
    fill(tmp_path / "trainB", 3)
    with pytest.raises(DatasetError, match="'cyclegan'"):
        open_dataset("pairs", tmp_path, SETTINGS)


@pytest.mark.parametrize("kind", ["pairs", "domains", "pictures"])
def test_no_path_is_kept_so_a_large_set_stays_small(tmp_path, kind):
    for side in "AB":
        fill(tmp_path / f"train{side}", 40)
    few = len(pickle.dumps(open_dataset(kind, tmp_path, SETTINGS).train))
    for side in "AB":
        for index in range(1000):
            (tmp_path / f"train{side}" / f"more{index:04}.png").hardlink_to(tmp_path / f"train{side}" / "00.png")
    many = len(pickle.dumps(open_dataset(kind, tmp_path, SETTINGS).train))
    assert (many - few) / 2000 < 40  # the letters of a name, its end, its label or partner and what is held out


def classes(root, **counts):
    for path, count in counts.items():
        fill(root / path.replace("__", "/"), count)
    return root


UNEVEN = {"train__cat": 2, "train__dog": 7, "train__fish": 1, "test__dog": 2}


def test_uneven_classes_single_pictures_and_empty_folders_are_named(tmp_path):
    classes(tmp_path, **UNEVEN)
    (tmp_path / "train" / "owl").mkdir()
    (tmp_path / "train" / ".thumbs").mkdir()
    opened = open_dataset("pictures", tmp_path, SETTINGS)
    assert opened.class_counts == [2, 7, 1]
    said = " | ".join(opened.notes)
    assert "classes are uneven: fish has 1 pictures, dog has 7; --data.balance classes" in said
    assert "1 picture alone to learn from: fish; all" in said
    assert "class folders without pictures, which are no classes: owl" in said
    balanced = open_dataset("pictures", tmp_path, DataSettings(size="8", balance="classes"))
    assert "a picture of the former 7 times as often" in " | ".join(balanced.notes)


def test_even_classes_are_nothing_to_speak_of(tmp_path):
    classes(tmp_path, cat=4, dog=5)
    opened = open_dataset("pictures", tmp_path, DataSettings(size="8", holdout=0))
    assert opened.class_counts == [4, 5]
    assert not any("class" in note for note in opened.notes[1:])


def test_the_labels_are_those_of_what_is_not_held_out(tmp_path):
    classes(tmp_path, cat=10, dog=30)
    opened = open_dataset("pictures", tmp_path, SETTINGS, seed=2)
    assert opened.labels is not None
    assert opened.labels.tolist() == [int(label) for label in opened.train.labels]
    assert sum(opened.class_counts) == 38


def test_pictures_without_classes_cannot_be_balanced(tmp_path):
    fill(tmp_path / "train", 8)
    assert open_dataset("pictures", tmp_path, SETTINGS).labels is None
    with pytest.raises(DatasetError, match="draws class folders equally often, and there are none"):
        open_dataset("pictures", tmp_path, DataSettings(size="8", balance="classes"))


def test_another_split_has_the_labels_of_training(tmp_path):
    classes(tmp_path, **UNEVEN, test__ant=3)
    opened = open_dataset("pictures", tmp_path, SETTINGS)
    assert opened.counts["validation"] == 2, "an ant is none of training's classes"
    assert [int(opened.validation[(0, index)].labels) for index in range(2)] == [1, 1]


def test_a_split_of_other_classes_is_not_used(tmp_path):
    classes(tmp_path, train__cat=8, train__dog=8, test__ant=3)
    opened = open_dataset("pictures", tmp_path, SETTINGS)
    assert any("test: has the class folders ant, none of training's" in note for note in opened.notes)
    assert opened.held
