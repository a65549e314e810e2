import zipfile
from pathlib import Path

import numpy as np
import pytest

from i2i import images
from i2i.app.intake import keep_apart, pictures_in, take, take_palette
from i2i.app.limits import Limits
from i2i.errors import DatasetError


@pytest.fixture
def into(tmp_path: Path) -> Path:
    (tmp_path / "into").mkdir()
    return tmp_path / "into"


def names(folder: Path) -> list[str]:
    return [path.relative_to(folder).as_posix() for path in pictures_in(folder)]


def zipped(path: Path, *members: tuple[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as file:
        for name, data in members:
            file.writestr(name, data)
    return path


def test_pictures_and_zips_are_taken_and_the_rest_is_named(tmp_path, picture, into):
    one = picture("a.png")
    archive = zipped(tmp_path / "more.zip", ("x/b.png", one.read_bytes()), ("x/deep/c.png", one.read_bytes()))
    (tmp_path / "notes.txt").write_text("no picture")
    refused = take([one, archive, tmp_path / "notes.txt"], into, Limits())
    assert names(into) == ["a.png", "more/b.png", "more/deep/c.png"]
    assert [each.name for each in refused] == ["notes.txt"]
    assert "no zip" in refused[0].reason


def test_pictures_of_one_name_are_all_kept(tmp_path, picture, into):
    uploads = [picture("a.png", folder=tmp_path / where) for where in "xyz"] + [picture("A.PNG", folder=tmp_path / "w")]
    assert take(uploads, into, Limits()) == []
    assert names(into) == ["A (4).PNG", "a (2).png", "a (3).png", "a.png"]


@pytest.mark.parametrize("name", ["../out.png", "/tmp/out.png", "a/../../out.png", "..\\out.png", "C:/out.png"])
def test_a_zip_that_reaches_out_is_refused_whole(name, tmp_path, picture, into):
    before = set(tmp_path.iterdir())
    data = picture("a.png").read_bytes()
    refused = take([zipped(tmp_path / "evil.zip", ("fine.png", data), (name, data))], into, Limits())
    assert len(refused) == 1
    assert "refused" in refused[0].reason
    assert str(tmp_path) not in refused[0].reason
    assert not any(into.iterdir())
    assert set(tmp_path.iterdir()) - before == {tmp_path / "a.png", tmp_path / "evil.zip"}


def test_a_zip_of_a_link_is_refused(tmp_path, into):
    member = zipfile.ZipInfo("link.png")
    member.external_attr = 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "evil.zip", "w") as file:
        file.writestr(member, "/etc/passwd")
    assert "link" in take([tmp_path / "evil.zip"], into, Limits())[0].reason
    assert names(into) == []


def test_a_bomb_is_refused_by_what_it_unpacks_to(tmp_path, into):
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("a.bmp", bytes(5_000_000))
    refused = take([tmp_path / "bomb.zip"], into, Limits(megabytes=1))
    assert "unpack to" in refused[0].reason
    assert not any(into.iterdir())


def test_a_zip_of_too_many_files_is_refused(tmp_path, into):
    archive = zipped(tmp_path / "many.zip", *[(f"{i}.txt", b"") for i in range(121)])
    assert "more than 120 files" in take([archive], into, Limits(pictures=2))[0].reason


def test_many_zips_share_what_one_may_unpack_to(tmp_path, into):
    uploads = [zipped(tmp_path / f"{i}.zip", ("a.bmp", bytes(900_000))) for i in range(40)]
    refused = take(uploads, into, Limits(megabytes=1))
    assert [each.name for each in refused if "unpack to" in each.reason] == [f"{i}.zip" for i in range(4, 40)]


def test_many_zips_share_how_many_files_one_may_hold(tmp_path, into):
    uploads = [zipped(tmp_path / f"{i}.zip", *[(f"{j}.txt", b"") for j in range(20)]) for i in range(40)]
    refused = take(uploads, into, Limits(pictures=1))
    assert [each.name for each in refused] == [f"{i}.zip" for i in range(5, 40)]
    assert "more than 10 files" in refused[0].reason


def test_what_is_given_many_times_is_taken_once(tmp_path, picture, into):
    one = picture("a.png")
    archive = zipped(tmp_path / "lot.zip", ("b.png", one.read_bytes()))
    assert take([one] * 400 + [archive] * 40, into, Limits(pictures=2)) == []
    assert names(into) == ["a.png", "lot/b.png"]


@pytest.mark.parametrize("name", ["x" * 300 + ".png", "x" * 300 + "/a.png"])
def test_a_zip_with_a_name_that_is_too_long_is_refused_without_our_folders(name, tmp_path, into):
    (refused,) = take([zipped(tmp_path / "lot.zip", (name, b""))], into, Limits())
    assert refused.reason == "could not be unpacked into lot: File name too long."


def test_an_upload_whose_name_leaves_no_room_is_refused(tmp_path, picture, into):
    long = "x" * 250
    one, archive = picture(f"{long}.png"), zipped(tmp_path / f"{long}.zip", ("a.png", b""))
    (tmp_path / "other").mkdir()
    other = one.rename(tmp_path / "other" / one.name)
    refused = take([picture(f"{long}.png"), other, archive, picture("a.png")], into, Limits())
    assert [each.reason for each in refused] == ["cannot be kept here: File name too long"] * 2
    assert names(into) == ["a.png", f"{long}.png"]


def test_pictures_that_only_formats_tell_apart_are_kept_apart(tmp_path, picture, into):
    uploads = [picture(name) for name in ("a.jpg", "a.png", "A.webp", "a (2).bmp", "b.png")]
    data = picture("a.png").read_bytes()
    take([*uploads, zipped(tmp_path / "lot.zip", ("a.png", data), ("a.tif", data))], into, Limits())
    keep_apart(into)
    assert names(into) == ["A.webp", "a (2).bmp", "a (3).jpg", "a (4).png", "b.png", "lot/a (2).tif", "lot/a.png"]


def test_what_is_no_zip_is_said(tmp_path, into):
    (tmp_path / "a.zip").write_bytes(b"not a zip")
    assert "not a whole zip" in take([tmp_path / "a.zip"], into, Limits())[0].reason


def test_too_many_pictures_are_refused_as_a_whole(picture, into):
    with pytest.raises(DatasetError, match="3 pictures, and 2 are translated in one go"):
        take([picture(f"{i}.png") for i in range(3)], into, Limits(pictures=2))
    assert not any(into.iterdir()), "nor are they copied before"


def test_a_picture_of_too_many_pixels_is_refused_by_its_header(picture, into):
    refused = take([picture("a.png"), picture("huge.png", (1001, 1000))], into, Limits(megapixels=1))
    assert [each.name for each in refused] == ["huge.png"]
    assert refused[0].reason == "1000 x 1001 pixels are more than the 1 megapixels that are taken here"
    assert names(into) == ["a.png"]


def test_a_broken_picture_is_refused_by_its_name_alone(tmp_path, into):
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nnothing")
    refused = take([tmp_path / "broken.png"], into, Limits())
    assert refused[0].name == "broken.png"
    assert "cannot be read as a picture" in refused[0].reason
    assert str(tmp_path) not in refused[0].reason
    assert names(into) == []


def test_colours_are_taken_of_a_label_map_within_the_limits(tmp_path, picture):
    labels = np.zeros((64, 64, 3), np.uint8)
    labels[:20] = (250, 0, 0)
    images.write(tmp_path / "labels.png", labels)
    assert take_palette(tmp_path / "labels.png", Limits()) == ((0, 0, 0), (250, 0, 0))
    with pytest.raises(DatasetError, match=r"^huge.png: 1000 x 1001 pixels are more than the 1 megapixels"):
        take_palette(picture("huge.png", (1001, 1000)), Limits(megapixels=1))


@pytest.mark.parametrize("size", [(20, 30), (64, 64)])
def test_a_label_map_that_is_refused_is_named_without_our_folders(size, tmp_path, picture):
    path = picture("a.png", size)
    whole = path.read_bytes()
    for data in (b"nothing", whole[: len(whole) // 2], whole):
        path.write_bytes(data)
        with pytest.raises(DatasetError, match=r"^a.png: ") as error:
            take_palette(path, Limits())
        assert str(tmp_path) not in str(error.value)
