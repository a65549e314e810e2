import pytest

from i2i.files import make_writable, write_text


def test_a_link_laid_beside_a_file_is_not_followed(tmp_path):
    (tmp_path / "a.txt.writing").symlink_to(tmp_path / "planted")
    write_text(tmp_path / "a.txt", "text")
    assert (tmp_path / "a.txt").read_text() == "text"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.txt"]


def test_a_link_in_the_place_of_a_file_is_replaced(tmp_path):
    (tmp_path / "a.txt").symlink_to(tmp_path / "planted")
    write_text(tmp_path / "a.txt", "text")
    assert not (tmp_path / "planted").exists()
    assert not (tmp_path / "a.txt").is_symlink()


def test_a_folder_is_made_and_nothing_is_left_in_it(tmp_path):
    make_writable(tmp_path / "a" / "b")
    assert list((tmp_path / "a" / "b").iterdir()) == []
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match=r"exists|Not a directory"):
        make_writable(tmp_path / "file")
