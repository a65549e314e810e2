import numpy as np
import pytest

from i2i import images
from i2i.data.folders import find_domains, find_pairs, find_pictures, splits
from i2i.errors import DatasetError


@pytest.fixture
def root(tmp_path):
    for name in ("a/1.png", "b/9.png", "a/2.png", "b/8.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        images.write(tmp_path / name, np.zeros((4, 4, 3), np.uint8))
    return tmp_path


def test_a_list_makes_the_pairs_and_the_splits(root):
    (root / "pairs.csv").write_text("source,target,split\na/1.png,b/9.png,train\n\na/2.png,b/8.png,test\n")
    assert splits(root) == ("train", "test")
    found = find_pairs(root, "test")
    assert found.kind == "list"
    assert [(pair.name, pair.a.name, pair.b.name) for pair in found.pairs] == [("a/2", "2.png", "8.png")]
    assert [path.name for path in find_domains(root).y] == ["9.png"]
    assert [path.name for path in find_pictures(root, "test").pictures] == ["2.png", "8.png"]


def test_without_a_split_all_is_train_and_columns_may_be_in_any_order(root):
    (root / "pairs.csv").write_text("\ufefftarget, Source ,note\nb/9.png,a/1.png,x\nb/8.png, a/2.png ,y\n", "utf-8")
    assert splits(root) == ("train",)
    assert [pair.a.name for pair in find_pairs(root).pairs] == ["1.png", "2.png"]
    with pytest.raises(DatasetError, match="no test split, only train"):
        find_pairs(root, "test")


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("", "first line has the columns none, but not 'source'"),
        ("input,output\n", "columns input, output, but not 'source'"),
        ("source,target\n", "lists no pairs"),
        ("source,target\na/1.png,b/9.png\na/1.png,b/gone.png\n", "line 3: the target .*gone.png does not exist"),
        ("source,target\na/1.png\n", "line 2: no target"),
        ("source,target\n../a/1.png,b/9.png\n", r"line 2: the source \.\./a/1\.png leaves the folder"),
        ("source,target\n/etc/1.png,b/9.png\n", "line 2: the source /etc/1.png leaves the folder"),
        ("source,target\nC:\\1.png,b/9.png\n", "leaves the folder"),
        ("source,target\na/1.txt,b/9.png\n", "line 2: the source a/1.txt is not a jpg"),
        (
            "source,target,split\na/1.png,b/9.png,dev\n",
            "line 2: the split is 'dev', but must be one of train, val, test",
        ),
    ],
)
def test_a_list_that_cannot_be_used_names_line_and_reason(root, text, wanted):
    (root / "pairs.csv").write_text(text)
    with pytest.raises(DatasetError, match=wanted) as error:
        find_pairs(root)
    assert f"{root}/pairs.csv" in str(error.value)


@pytest.mark.parametrize(
    "name", ["a/../../1.png", "a\\..\\..\\1.png", "\\\\host\\1.png", "//host/1.png", "..", "D:1.png"]
)
def test_no_way_of_writing_it_leaves_the_folder(root, name):
    (root.parent / "1.png").touch()
    (root / "pairs.csv").write_text(f"source,target\n{name},b/9.png\n")
    with pytest.raises(DatasetError, match="leaves the folder"):
        find_pairs(root)


def test_a_link_inside_the_folder_may_lead_anywhere_since_pictures_are_only_read(root):
    (root / "linked.png").symlink_to(root / "a" / "1.png")
    (root / "pairs.csv").write_text("source,target\nlinked.png,b/9.png\n")
    assert len(find_pairs(root).pairs) == 1


def test_a_list_that_is_no_text_is_told(root):
    (root / "pairs.csv").write_bytes(b"source,target\n\xff\xfe\x00,b\n")
    with pytest.raises(DatasetError, match="not UTF-8 text"):
        find_pairs(root)
