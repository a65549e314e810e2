"""Captions are found beside pictures or in a list, and what does not fit is one line."""

from pathlib import Path

import numpy as np
import pytest

from i2i import images
from i2i.data.captions.finding import find_captions
from i2i.errors import DatasetError


def pictures(folder: Path, *names: str) -> Path:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        images.write(path, np.zeros((8, 8, 3), np.uint8))
    return folder


def refused(root: Path) -> str:
    with pytest.raises(DatasetError) as refusal:
        find_captions(root)
    assert "\n" not in str(refusal.value)
    return str(refusal.value)


def test_captions_stand_beside_their_pictures_one_a_line(tmp_path):
    train = pictures(tmp_path / "train", "1.png", "deeper/2.jpg")
    (train / "1.txt").write_text("\ufeffa red circle\n\n  the   circle is red \n", encoding="utf-8")
    (train / "deeper" / "2.txt").write_text("a dog", encoding="utf-8")
    found = find_captions(tmp_path)
    assert [path.name for path in found.pictures] == ["1.png", "2.jpg"]
    assert found.captions == [("a red circle", "the circle is red"), ("a dog",)]
    assert find_captions(train).captions == found.captions, "a folder of its own"


def test_captions_stand_in_a_list(tmp_path):
    train = pictures(tmp_path / "train", "1.png", "deeper/2.jpg")
    (train / "captions.csv").write_text(
        'Picture,caption,by\n1.png,"red, and round",me\ndeeper/2.jpg,a dog,me\n1.png,a disc,you\n', encoding="utf-8"
    )
    assert find_captions(tmp_path).captions == [("red, and round", "a disc"), ("a dog",)]


def test_pictures_without_captions_are_named(tmp_path):
    train = pictures(tmp_path / "train", "1.png", "2.png", "3.png")
    assert "its pictures have no captions. Wanted: beside 1.jpg a 1.txt" in refused(tmp_path)
    (train / "2.txt").write_text("a dog")
    assert "2 of 3 pictures have no caption: 1.png, 3.png." in refused(tmp_path)


def test_captions_without_a_picture_are_named(tmp_path):
    train = pictures(tmp_path / "train", "1.png")
    for name in ("1.txt", "01.txt", "2.txt"):
        (train / name).write_text("a dog")
    assert "captions without a picture: 01.txt, 2.txt. Take them away" in refused(tmp_path)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b" \n\n", "is empty"),
        (b"\xff\xfe\x00", "cannot be read: not UTF-8 text"),
        (b"a" * (1 << 20) + b"b", "has more than a megabyte"),
    ],
)
def test_a_file_without_a_caption_is_one_line(tmp_path, content, said):
    train = pictures(tmp_path / "train", "1.png")
    (train / "1.txt").write_bytes(content)
    assert refused(tmp_path).startswith(f"{train / '1.txt'}: {said}")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("picture,text\n1.png,a dog\n", ": the first line has the columns picture, text; it should read"),
        ("", ": the first line has the columns none"),
        ("picture,caption\n1.png,a dog\n2.png,a cat\n", ", line 3: 2.png is no picture of"),
        ("picture,caption\n../1.png,a dog\n", ", line 2: ../1.png is no picture of"),
        ("picture,caption\n1.png,  \n", ", line 2: the caption of 1.png is empty"),
        ("picture,caption\n1.png\n", ", line 2: the caption of 1.png is empty"),
        (b"picture,caption\n1.png,\xff\n", ": not UTF-8 text"),
    ],
)
def test_a_list_that_cannot_be_used_is_one_line(tmp_path, content, said):
    train = pictures(tmp_path / "train", "1.png")
    (train / "captions.csv").write_bytes(content if isinstance(content, bytes) else content.encode())
    assert refused(tmp_path).startswith(f"{train / 'captions.csv'}{said}")
