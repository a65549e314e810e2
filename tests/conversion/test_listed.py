import io
from pathlib import Path

import pytest

from i2i.conversion import make_plan, read_list
from i2i.conversion.listed import place
from i2i.errors import DatasetError


def listed(data: bytes):
    return read_list(io.BytesIO(data))


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\0"])
def test_names_end_with_a_line_or_a_zero(end):
    assert list(listed(end.join([b"b.png", b"a b.jpg", b"", b"c/d.TIF"])).names) == ["a b.jpg", "b.png", "c/d.TIF"]


def test_a_name_may_hold_a_new_line_where_zeros_end_names():
    assert list(listed(b"a\nb.png\0c.png\0").names) == ["a\nb.png", "c.png"]


def test_a_name_that_is_no_text_survives():
    assert bytes(Path(listed(b"caf\xe9.png\n").names[0])) == b"caf\xe9.png"


def test_each_file_is_taken_once_and_what_is_no_picture_is_counted():
    found = listed(b"./a.png\na.png\n.//a.png\n.\nnotes.txt\n.hidden.png\n")
    assert (list(found.names), found.ignored) == (["a.png"], 3)


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("a.png", "a.png"),
        ("day/a.png", "day/a.png"),
        ("/data/day/a.png", "data/day/a.png"),
        ("//data/a.png", "data/a.png"),
        ("../day/a.png", "day/a.png"),
        ("../../a.png", "a.png"),
        ("day/../../../a.png", "a.png"),
        ("/../a.png", "a.png"),
        ("day/..a/b.png", "day/..a/b.png"),
    ],
)
def test_no_name_leads_out_of_the_output(name, found):
    assert place(name) == found


def test_a_list_keeps_its_tree_and_another_format_its_names(tmp_path):
    found = make_plan([listed(b"day/a.jpg\n/data/b.png\n")], tmp_path / "out", "png")
    assert list(found) == [
        (Path("/data/b.png"), tmp_path / "out/data/b.png"),
        (Path("day/a.jpg"), tmp_path / "out/day/a.png"),
    ]


def test_collisions_within_a_list_are_found(tmp_path):
    with pytest.raises(DatasetError, match="would both become"):
        make_plan([listed(b"day/a.png\n../day/a.png\n")], tmp_path / "out")


def test_an_empty_list_is_said(tmp_path):
    with pytest.raises(DatasetError, match="the list: no pictures"):
        make_plan([listed(b"notes.txt\n")], tmp_path / "out")
