"""Public sets: recipes, downloading, unpacking. Nothing here leaves the machine."""

import errno
import gzip
import hashlib
import io
import json
import random
import re
import shutil
import socket
import sys
import tarfile
import threading
import types
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.error import URLError

import pytest
from PIL import Image

from i2i.data import archives, download, public
from i2i.data.archives import Limits, unpack
from i2i.data.public import PublicSet, fetch, public_sets, read_recipe
from i2i.errors import DatasetError, SettingsError

PICTURES = {f"train/{i}.jpg": bytes([i]) * 5000 for i in range(8)} | {"val/0.jpg": b"v" * 100}
NAMES = {
    *("facades", "maps", "cityscapes", "edges2shoes", "edges2handbags", "night2day"),
    *("horse2zebra", "apple2orange", "summer2winter", "monet2photo", "vangogh2photo", "cezanne2photo"),
    *("ukiyoe2photo", "iphone2dslr", "mnist", "cifar10"),
}


class Files(BaseHTTPRequestHandler):
    """Serves `files` with ETag and Range, and can break off after `break_after` bytes of a body, `breaks` times."""

    files: dict[str, bytes]
    asked: list[tuple[str, str | None]]
    sent: int
    ranges: bool
    breaks: int
    break_after: int

    def do_GET(self) -> None:
        kind = type(self)
        wanted = self.headers.get("Range")
        kind.asked.append((self.path, wanted))
        if self.path.startswith("/to/"):
            self.send_response(302)
            self.send_header("Location", self.path.removeprefix("/to/"))
            self.end_headers()
            return
        body = kind.files.get(self.path)
        if body is None:
            self.send_error(404)
            return
        etag, start = f'"{hashlib.sha256(body).hexdigest()[:16]}"', 0
        if wanted and kind.ranges and self.headers.get("If-Range") == etag:
            start = int(wanted.removeprefix("bytes=").rstrip("-"))
            if start >= len(body):
                self.send_error(416)
                return
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
        else:
            self.send_response(200)
        self.send_header("ETag", etag)
        self.send_header("Content-Length", str(len(body) - start))
        self.end_headers()
        chunk = body[start:]
        if kind.breaks and len(chunk) > kind.break_after:
            kind.breaks -= 1
            chunk = chunk[: kind.break_after]
        self.wfile.write(chunk)
        kind.sent += len(chunk)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Files]]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setattr(download, "PAUSE_S", 0.0)
    state = {"files": {}, "asked": [], "sent": 0, "ranges": True, "breaks": 0, "break_after": 0}
    kind = type("Served", (Files,), state)
    with ThreadingHTTPServer(("127.0.0.1", 0), kind) as http:
        kind.url = f"http://127.0.0.1:{http.server_port}"  # type: ignore[attr-defined]
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield kind
        http.shutdown()
        thread.join()


@pytest.fixture
def facades(monkeypatch: pytest.MonkeyPatch) -> None:
    """The recipe of facades, without the 30 MB it expects."""
    recipes = public_sets()
    small = PublicSet(**{**vars_of(recipes["facades"]), "download_bytes": 10})
    monkeypatch.setattr(public, "public_sets", lambda: {**recipes, "facades": small})


def vars_of(one: PublicSet) -> dict[str, object]:
    return {key: value for key, value in vars(one).items() if not key.startswith("_")}


def tar_gz(files: dict[str, bytes], top: str = "facades/") -> bytes:
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w:gz") as tar:
        for name, data in files.items():
            member = tarfile.TarInfo(top + name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return held.getvalue()


def zipped(files: dict[str, bytes], top: str = "facades/") -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(top + name, data)
    return held.getvalue()


def tree(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def closed_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


# The recipe files


def test_every_shipped_recipe_is_valid_and_tells_source_terms_layout_and_what_trains_on_it() -> None:
    sets = public_sets()
    assert set(sets) == NAMES
    for one in sets.values():
        assert one.about
        assert one.licence
        assert one.source.startswith("http")
        assert one.recipe in {"pix2pix", "cyclegan", "dcgan"}
        assert bool(one.direction) == (one.recipe == "pix2pix")
        assert bool(one.A and one.B) == (one.recipe != "dcgan")
        for url in one.urls:
            assert url.endswith(one.archive)
    assert sets["facades"].direction == "BtoA"
    assert sets["cityscapes"].archive == "manual"


def test_the_page_on_the_folder_says_of_every_set_what_its_recipe_says() -> None:
    page = (Path(public.__file__).parents[2] / "datasets" / "README.md").read_text()
    assert "day2night.md" in page
    for one in public_sets().values():
        (row,) = (line for line in page.splitlines() if line.startswith(f"| `{one.name}` "))
        assert f"`{one.recipe}`" in row
        assert (one.direction or "") in row
        size = one.download_bytes
        assert size is None or (f" {size / 1e6:.0f} MB" if size < 1e9 else f" {size / 1e9:.1f} GB") in row
        assert all(
            f"{count:,}" in row for split, count in one.pictures.items() if split.startswith("train") and count < 1e4
        )


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"color": "red"}, "color"),
        ({"licence": None}, "licence"),
        ({"urls": ["ftp://host/facades.tar.gz"]}, "urls.0"),
        ({"sha256": "abc"}, "sha256"),
        ({"name": "Facades"}, "name"),
        ({"name": "other"}, "Give them one name"),
        ({"urls": []}, "urls belong to archives"),
    ],
)
def test_a_recipe_with_a_wrong_key_or_value_is_refused_with_its_file_and_key(
    tmp_path: Path, change: dict[str, object], complaint: str
) -> None:
    good = vars_of(public_sets()["facades"])
    path = tmp_path / "facades.yaml"
    path.write_text(json.dumps({**good, **change}))
    with pytest.raises(SettingsError, match=re.escape(str(path))) as caught:
        read_recipe(path)
    assert complaint in str(caught.value)


def test_a_recipe_that_is_not_yaml_is_refused_in_one_message(tmp_path: Path) -> None:
    path = tmp_path / "facades.yaml"
    path.write_text("a: [")
    with pytest.raises(SettingsError, match="not readable as YAML"):
        read_recipe(path)


def test_reading_recipes_needs_no_torch() -> None:
    import subprocess

    code = "import sys; from i2i.data.public import public_sets; public_sets(); assert 'torch' not in sys.modules"
    assert subprocess.run([sys.executable, "-c", code], cwd=Path(public.__file__).parents[2]).returncode == 0


def test_an_unknown_set_is_answered_with_the_nearest_name(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="Did you mean 'facades'"):
        fetch("facade", tmp_path)


# Downloading


@pytest.mark.usefixtures("facades")
def test_fetch_downloads_unpacks_strips_the_top_folder_and_leaves_only_set_and_record(
    tmp_path: Path, server: type[Files]
) -> None:
    body = tar_gz(PICTURES)
    server.files["/f.tar.gz"] = body
    seen: list[tuple[int, int | None]] = []
    url = f"{server.url}/f.tar.gz"  # type: ignore[attr-defined]
    folder = fetch("facades", tmp_path / "new" / "root", progress=lambda *now: seen.append(now), urls=[url])
    assert folder == tmp_path / "new" / "root" / "facades"
    assert tree(folder) == PICTURES
    assert seen[-1] == (len(body), len(body))
    assert seen == sorted(seen)
    assert sorted(path.name for path in folder.parent.iterdir()) == ["facades", "facades.json"]
    record = json.loads((folder.parent / "facades.json").read_text())
    assert record == {"name": "facades", "url": url, "bytes": len(body), "sha256": hashlib.sha256(body).hexdigest()}


def get(tmp_path: Path, *urls: str) -> Path:
    return fetch("facades", tmp_path, urls=urls)


def url_of(server: type[Files], path: str = "/f.tar.gz") -> str:
    return server.url + path  # type: ignore[attr-defined]


@pytest.mark.usefixtures("facades")
def test_a_second_fetch_asks_nobody(tmp_path: Path, server: type[Files]) -> None:
    server.files["/f.tar.gz"] = tar_gz(PICTURES)
    get(tmp_path, url_of(server))
    asked = len(server.asked)
    assert get(tmp_path, url_of(server)) == tmp_path / "facades"
    assert len(server.asked) == asked


@pytest.mark.usefixtures("facades")
def test_a_broken_connection_is_taken_up_in_the_middle(tmp_path: Path, server: type[Files]) -> None:
    body = tar_gz({"train/1.jpg": bytes(i * i % 251 for i in range(60_000))})
    server.files["/f.tar.gz"], server.breaks, server.break_after = body, 1, 100
    get(tmp_path, url_of(server))
    assert [wanted for _, wanted in server.asked] == [None, "bytes=100-"]
    assert server.sent == len(body)


@pytest.mark.usefixtures("facades")
def test_a_later_call_goes_on_from_what_an_earlier_one_left(
    tmp_path: Path, server: type[Files], monkeypatch: pytest.MonkeyPatch
) -> None:
    body = tar_gz(PICTURES)
    server.files["/f.tar.gz"], server.breaks, server.break_after = body, 2, 50
    monkeypatch.setattr(download, "ATTEMPTS", 1)
    with pytest.raises(DatasetError, match="50 bytes are kept"):
        get(tmp_path, url_of(server))
    assert not (tmp_path / "facades").exists()
    with pytest.raises(DatasetError, match="100 bytes are kept"):
        get(tmp_path, url_of(server))
    assert tree(get(tmp_path, url_of(server))) == PICTURES
    assert [wanted for _, wanted in server.asked] == [None, "bytes=50-", "bytes=100-"]
    assert server.sent == len(body)


@pytest.mark.usefixtures("facades")
@pytest.mark.parametrize("ranges", [True, False])
def test_a_file_that_changed_or_a_server_without_ranges_starts_from_the_beginning(
    tmp_path: Path, server: type[Files], monkeypatch: pytest.MonkeyPatch, ranges: bool
) -> None:
    server.files["/f.tar.gz"], server.breaks, server.break_after = tar_gz({"train/1.jpg": b"old" * 999}), 1, 50
    with monkeypatch.context() as once:
        once.setattr(download, "ATTEMPTS", 1)
        with pytest.raises(DatasetError, match="50 bytes are kept"):
            get(tmp_path, url_of(server))
    server.ranges = ranges
    server.files["/f.tar.gz"] = tar_gz(PICTURES)
    assert tree(get(tmp_path, url_of(server))) == PICTURES
    assert server.asked[-1] == ("/f.tar.gz", "bytes=50-")


@pytest.mark.usefixtures("facades")
def test_a_server_that_sends_without_end_is_told_so_and_nothing_is_left(
    tmp_path: Path, server: type[Files], monkeypatch: pytest.MonkeyPatch
) -> None:
    server.files["/f"] = bytes(900_000)
    monkeypatch.setattr(download, "MAX_BYTES", 300_000)
    with pytest.raises(DatasetError, match="sent more than 300,000 bytes"):
        download.download([f"{server.url}/f"], tmp_path / "f", name="set", by_hand="")  # type: ignore[attr-defined]
    assert not (tmp_path / "f").exists()
    assert not (tmp_path / "f.part").exists()


def test_a_disk_that_fills_up_while_downloading_is_told(
    tmp_path: Path, server: type[Files], monkeypatch: pytest.MonkeyPatch
) -> None:
    server.files["/f"] = bytes(900_000)
    monkeypatch.setattr(download, "_SPARE_BYTES", 400_000)
    free = iter([10**9, 399_999])
    monkeypatch.setattr(download.shutil, "disk_usage", lambda folder: type("Usage", (), {"free": next(free)}))
    with pytest.raises(DatasetError, match=r"the disk of .* GB free"):
        download.download([f"{server.url}/f"], tmp_path / "f", name="set", by_hand="")  # type: ignore[attr-defined]
    assert (tmp_path / "f.part").stat().st_size < 900_000


def test_a_part_longer_than_the_file_is_thrown_away(tmp_path: Path, server: type[Files]) -> None:
    body = tar_gz(PICTURES)
    server.files["/f.tar.gz"] = body
    (tmp_path / "facades.tar.gz.part").write_bytes(b"x" * (len(body) + 5))
    note = {"url": url_of(server), "validator": f'"{hashlib.sha256(body).hexdigest()[:16]}"'}
    (tmp_path / "facades.tar.gz.part.json").write_text(json.dumps(note))
    assert tree(get(tmp_path, url_of(server))) == PICTURES


@pytest.mark.usefixtures("facades")
def test_mirrors_are_tried_in_order(tmp_path: Path, server: type[Files]) -> None:
    server.files["/f.tar.gz"] = tar_gz(PICTURES)
    get(tmp_path, f"http://127.0.0.1:{closed_port()}/f.tar.gz", url_of(server, "/gone.tar.gz"), url_of(server))
    assert [path for path, _ in server.asked] == ["/gone.tar.gz", "/f.tar.gz"]


@pytest.mark.usefixtures("facades", "server")
def test_offline_is_one_line_with_host_page_and_folder(tmp_path: Path) -> None:
    port = closed_port()
    with pytest.raises(DatasetError) as caught:
        get(tmp_path, f"https://127.0.0.1:{port}/f.tar.gz", f"http://127.0.0.1:{port}/f.tar.gz")
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith(f"facades: could not reach 127.0.0.1:{port} (")
    assert message.count("could not reach") == 1
    assert "Are you offline?" in message
    assert "http://efrosgans.eecs.berkeley.edu/pix2pix/datasets/" in message
    assert str(tmp_path / "facades") in message
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("facades")
def test_a_server_that_answers_no_is_not_taken_for_being_offline(tmp_path: Path, server: type[Files]) -> None:
    with pytest.raises(DatasetError, match="answered 404 Not Found") as caught:
        get(tmp_path, url_of(server, "/gone.tar.gz"))
    assert "offline" not in str(caught.value)
    assert "by hand" in str(caught.value)


@pytest.mark.usefixtures("facades")
def test_redirects_are_followed_to_http_and_nowhere_else(tmp_path: Path, server: type[Files]) -> None:
    server.files["/f.tar.gz"] = tar_gz(PICTURES)
    for target in ("ftp://127.0.0.1/f.tar.gz", f"file://{tmp_path}/f.tar.gz"):
        with pytest.raises(DatasetError, match=r"neither http nor https|not allowed"):
            get(tmp_path, url_of(server, f"/to/{target}"))
    assert tree(get(tmp_path, url_of(server, f"/to/{url_of(server)}"))) == PICTURES


@pytest.mark.usefixtures("facades")
def test_a_file_address_works_and_other_schemes_are_refused(tmp_path: Path) -> None:
    archive = tmp_path / "mirror" / "f.tar.gz"
    archive.parent.mkdir()
    archive.write_bytes(tar_gz(PICTURES))
    with pytest.raises(DatasetError, match="no http, https or file address"):
        get(tmp_path, "ftp://127.0.0.1/f.tar.gz")
    assert tree(get(tmp_path, archive.as_uri())) == PICTURES
    assert archive.exists()


# Checking


@pytest.mark.usefixtures("facades")
def test_a_wrong_checksum_is_named_and_the_file_removed(
    tmp_path: Path, server: type[Files], monkeypatch: pytest.MonkeyPatch
) -> None:
    body = tar_gz(PICTURES)
    server.files["/f.tar.gz"] = body
    wanted = "0" * 64
    small = PublicSet(**{**vars_of(public.public_sets()["facades"]), "sha256": wanted})
    monkeypatch.setattr(public, "public_sets", lambda: {"facades": small})
    with pytest.raises(DatasetError, match="wrong checksum") as caught:
        get(tmp_path, url_of(server))
    assert hashlib.sha256(body).hexdigest() in str(caught.value)
    assert wanted in str(caught.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("facades")
def test_the_first_checksum_is_remembered_and_holds_afterwards(tmp_path: Path, server: type[Files]) -> None:
    server.files["/f.tar.gz"] = tar_gz(PICTURES)
    shutil.rmtree(get(tmp_path, url_of(server)))
    server.files["/f.tar.gz"] = tar_gz({"train/1.jpg": b"other"})
    with pytest.raises(DatasetError, match=r"wrong checksum.*facades\.json"):
        get(tmp_path, url_of(server))
    (tmp_path / "facades.json").unlink()
    assert tree(get(tmp_path, url_of(server))) == {"train/1.jpg": b"other"}


@pytest.mark.usefixtures("facades")
def test_an_archive_put_there_by_hand_is_used_and_kept(tmp_path: Path) -> None:
    archive = tmp_path / "facades.tar.gz"
    archive.write_bytes(tar_gz(PICTURES))
    assert tree(get(tmp_path)) == PICTURES
    assert archive.exists()


@pytest.mark.usefixtures("facades")
def test_a_page_instead_of_an_archive_is_said_and_leaves_nothing(tmp_path: Path, server: type[Files]) -> None:
    server.files["/f.tar.gz"] = b"<html>please log in</html>"
    with pytest.raises(DatasetError, match=r"not a whole tar\.gz archive"):
        get(tmp_path, url_of(server))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("facades")
def test_a_full_disk_is_said_before_the_download_and_before_unpacking(
    tmp_path: Path, server: type[Files], monkeypatch: pytest.MonkeyPatch
) -> None:
    server.files["/f.tar.gz"] = tar_gz(PICTURES)
    usage = type(shutil.disk_usage(tmp_path))
    with monkeypatch.context() as full:
        full.setattr(shutil, "disk_usage", lambda _: usage(100, 99, 1))
        with pytest.raises(DatasetError, match="the download needs"):
            get(tmp_path, url_of(server))
        assert server.asked == []
        (tmp_path / "facades.tar.gz").write_bytes(server.files["/f.tar.gz"])
        with pytest.raises(DatasetError, match="unpacking needs"):
            get(tmp_path, url_of(server))


def test_a_set_behind_a_registration_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"Register at.*gtFine_trainvaltest\.zip") as caught:
        fetch("cityscapes", tmp_path)
    assert "\n" not in str(caught.value)
    (tmp_path / "cityscapes").mkdir()
    (tmp_path / "cityscapes" / "pairs.csv").write_text("source,target\n")
    assert fetch("cityscapes", tmp_path) == tmp_path / "cityscapes"


# Unpacking


@pytest.mark.parametrize("kind", ["tar.gz", "zip"])
@pytest.mark.parametrize("top", ["facades/", "", "./summer2winter_yosemite/"])
def test_an_archive_unpacks_with_or_without_a_folder_around_it(tmp_path: Path, kind: str, top: str) -> None:
    archive = tmp_path / "a"
    archive.write_bytes(
        (tar_gz if kind == "tar.gz" else zipped)(PICTURES | {".DS_Store": b"x", "train/._1.jpg": b"x"}, top)
    )
    unpack(archive, tmp_path / "out" / "set", kind)  # type: ignore[arg-type]
    assert tree(tmp_path / "out" / "set") == PICTURES
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["set"]


def test_a_single_split_is_not_taken_for_the_folder_around_a_set(tmp_path: Path) -> None:
    archive = tmp_path / "a"
    archive.write_bytes(zipped({"trainA/1.jpg": b"1"}, top=""))
    unpack(archive, tmp_path / "set", "zip")
    assert tree(tmp_path / "set") == {"trainA/1.jpg": b"1"}


def special(*kinds: bytes, link: str = "") -> bytes:
    """A tar with a picture, and members of other kinds after it."""
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w:gz", format=tarfile.GNU_FORMAT) as tar:
        tar.addfile(tarfile.TarInfo("facades/first.jpg"))
        for number, kind in enumerate(kinds):
            member = tarfile.TarInfo(f"facades/other{number}")
            member.type, member.linkname = kind, link
            tar.addfile(member)
    return held.getvalue()


def zip_link() -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        info = zipfile.ZipInfo("facades/link")
        info.external_attr = 0o120777 << 16
        archive.writestr(info, "/etc/passwd")
    return held.getvalue()


def zip_that_lies(claimed: int) -> bytes:
    data = bytearray(zipped({"1.jpg": b"\0" * 5000}))
    for signature, offset in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        at = data.index(signature) + offset
        data[at : at + 4] = claimed.to_bytes(4, "little")
    return bytes(data)


def huge_header() -> bytes:
    """A pax header that claims, and has, more than any header needs."""
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w:gz", format=tarfile.PAX_FORMAT) as tar:
        member = tarfile.TarInfo("facades/1.jpg")
        member.pax_headers = {"comment": "x" * (3 << 20)}
        tar.addfile(member)
    return held.getvalue()


def zip_with_nul() -> bytes:
    return zipped({"a_jpg.exe": b"1"}).replace(b"a_jpg.exe", b"a.jpg\0exe")


HOSTILE = {
    "tar: up": ("tar.gz", tar_gz({"x": b"1"}, top="../")),
    "tar: up in the middle": ("tar.gz", tar_gz({"../../x": b"1"})),
    "tar: absolute": ("tar.gz", tar_gz({"tmp/x": b"1"}, top="/")),
    "tar: symlink": ("tar.gz", special(tarfile.SYMTYPE, link="/etc/passwd")),
    "tar: hard link": ("tar.gz", special(tarfile.LNKTYPE, link="facades/first.jpg")),
    "tar: device": ("tar.gz", special(tarfile.CHRTYPE)),
    "tar: pipe": ("tar.gz", special(tarfile.FIFOTYPE)),
    "tar: backslash": ("tar.gz", tar_gz({"..\\x": b"1"})),
    "tar: drive": ("tar.gz", tar_gz({"x": b"1"}, top="C:/")),
    "tar: control character": ("tar.gz", tar_gz({"a\nb.jpg": b"1"})),
    "tar: device name": ("tar.gz", tar_gz({"nul.jpg": b"1"})),
    "tar: twice": ("tar.gz", tar_gz({"a/./1.jpg": b"1", "a/1.jpg": b"2"})),
    "tar: case": ("tar.gz", tar_gz({"1.jpg": b"1", "1.JPG": b"2"})),
    "tar: case of folders": ("tar.gz", tar_gz({"train/1.jpg": b"1", "Train/2.jpg": b"2"})),
    "tar: file and folder": ("tar.gz", tar_gz({"a": b"1", "a/1.jpg": b"2"})),
    "tar: too many": ("tar.gz", tar_gz({f"{i}.jpg": b"1" for i in range(21)})),
    "tar: bomb": ("tar.gz", tar_gz({"1.jpg": b"\0" * 900_000})),
    "tar: bomb in pieces": ("tar.gz", tar_gz({f"{i}.jpg": b"\0" * 100_000 for i in range(9)})),
    "tar: too large": ("tar.gz", tar_gz({"1.jpg": random.Random(0).randbytes(2_000_001)})),
    "tar: too many folders": ("tar.gz", special(*[tarfile.DIRTYPE] * 21)),
    "tar: a file without a name": ("tar.gz", tar_gz({"": b"1"}, top="./")),
    "tar: wrong CRC": ("tar.gz", tar_gz(PICTURES)[:-8] + bytes(8)),
    "tar: sparse": ("tar.gz", special(tarfile.GNUTYPE_SPARSE)),
    "tar: huge header": ("tar.gz", huge_header()),
    "tar: cut short": ("tar.gz", tar_gz(PICTURES)[:-40]),
    "tar: nothing in it": ("tar.gz", tar_gz({})),
    "tar: not a tar": ("tar.gz", gzip.compress(b"x" * 5000)),
    "zip: up": ("zip", zipped({"x": b"1"}, top="../")),
    "zip: absolute": ("zip", zipped({"tmp/x": b"1"}, top="/")),
    "zip: encrypted": (
        "zip",
        zipped({"1.jpg": b"1"}).replace(b"PK\x01\x02\x14\x03\x14\x00\x00", b"PK\x01\x02\x14\x03\x14\x00\x01"),
    ),
    "zip: symlink": ("zip", zip_link()),
    "zip: NUL": ("zip", zip_with_nul()),
    "zip: case": ("zip", zipped({"1.jpg": b"1", "1.JPG": b"2"})),
    "zip: accents written two ways": ("zip", zipped({"\u00e9.jpg": b"1", "e\u0301.jpg": b"2"})),
    "zip: too many": ("zip", zipped({f"{i}.jpg": b"1" for i in range(21)})),
    "zip: bomb": ("zip", zipped({"1.jpg": b"\0" * 900_000})),
    "zip: says less than it holds": ("zip", zip_that_lies(10)),
    "zip: says more than it holds": ("zip", zip_that_lies(9000)),
    "zip: not a zip": ("zip", b"<html>"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_a_hostile_or_broken_archive_is_refused_and_nothing_of_it_is_left(tmp_path: Path, case: str) -> None:
    kind, data = HOSTILE[case]
    archive = tmp_path / "in" / "archive"
    archive.parent.mkdir()
    archive.write_bytes(data)
    limits = Limits(entries=20, total_bytes=2_000_000, ratio=20, ratio_from=50_000)
    with pytest.raises(DatasetError, match=re.escape(str(archive))) as caught:
        unpack(archive, tmp_path / "in" / "out" / "set", kind, limits)  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)
    assert tree(tmp_path) == {"in/archive": data}
    assert list((tmp_path / "in" / "out").iterdir()) == []


def test_zips_packed_by_bzip2_are_refused_since_they_unpack_without_bound(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a", "w", zipfile.ZIP_BZIP2) as archive:
        archive.writestr("facades/1.jpg", b"1")
    with pytest.raises(DatasetError, match="not packed by deflate"):
        unpack(tmp_path / "a", tmp_path / "set", "zip")


def test_a_set_is_never_seen_half_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive, target = tmp_path / "a", tmp_path / "out" / "set"
    archive.write_bytes(tar_gz(PICTURES))
    seen: list[bool] = []
    place = archives._place

    def full_at_the_fifth(*args: object) -> Path:
        seen.append(target.exists())
        if len(seen) == 5:
            raise OSError(errno.ENOSPC, "No space left on device")
        return place(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(archives, "_place", full_at_the_fifth)
    with pytest.raises(DatasetError, match="No space left on device"):
        unpack(archive, target, "tar.gz")
    assert seen == [False] * 5
    assert list(target.parent.iterdir()) == []


def test_colons_in_names_are_no_reason_to_refuse(tmp_path: Path) -> None:
    """Photos from Flickr are named by their time: 2010-09-07 12:14:10.jpg."""
    (tmp_path / "a").write_bytes(zipped({"trainA/2010-09-07 12:14:10.jpg": b"1"}))
    unpack(tmp_path / "a", tmp_path / "set", "zip")
    assert len(tree(tmp_path / "set")) == 1


# Sets that come through torchvision


class FakeDigits:
    """Stands for torchvision.datasets.MNIST: three pictures in training, one in test."""

    classes = ("0 - zero", "1 - one")
    broken: Exception | None = None

    def __init__(self, root: str, train: bool, download: bool) -> None:
        if self.broken:
            raise self.broken
        Path(root).mkdir(exist_ok=True)
        (Path(root) / "raw").write_bytes(b"raw")
        self.labels = [1, 0, 1] if train else [0]

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[Image.Image, int]:
        return Image.new("L", (28, 28), index * 10), self.labels[index]


@pytest.fixture
def torchvision(monkeypatch: pytest.MonkeyPatch) -> type[FakeDigits]:
    kind = type("Digits", (FakeDigits,), {})
    module = types.ModuleType("torchvision")
    module.datasets = types.SimpleNamespace(MNIST=kind, CIFAR10=kind)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "torchvision", module)
    return kind


@pytest.mark.usefixtures("torchvision")
def test_digits_become_folders_of_pictures_one_a_class(tmp_path: Path) -> None:
    seen: list[tuple[int, int | None]] = []
    folder = fetch("mnist", tmp_path, progress=lambda *now: seen.append(now))
    assert sorted(tree(folder)) == ["test/0/00000.png", "train/0/00001.png", "train/1/00000.png", "train/1/00002.png"]
    with Image.open(folder / "train" / "1" / "00002.png") as picture:
        assert (picture.mode, picture.size, picture.getpixel((0, 0))) == ("L", (28, 28), 20)
    assert seen == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert [path.name for path in tmp_path.iterdir()] == ["mnist"]


@pytest.mark.parametrize("error", [URLError("no route"), RuntimeError("Error downloading:\nTried this\nand that")])
def test_torchvision_offline_is_one_line_and_leaves_no_folder(
    tmp_path: Path, torchvision: type[FakeDigits], error: Exception
) -> None:
    torchvision.broken = error
    with pytest.raises(DatasetError, match=r"^mnist: torchvision could not bring it .*Are you offline\?") as caught:
        fetch("mnist", tmp_path)
    assert "\n" not in str(caught.value)
    assert str(tmp_path / "mnist.download" / "MNIST" / "raw") in str(caught.value)
    assert list(tmp_path.iterdir()) == []
