"""The page's server asked over HTTP: what it gives out, to whom, and what it never does."""

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from i2i.app import serving
from i2i.app.serving import bind, hosts_of, is_loopback, require_gradio
from i2i.errors import SettingsError

httpx = pytest.importorskip("httpx", reason="the extra app brings httpx")
pytest.importorskip("gradio", reason="the extra app brings gradio")


@dataclass
class Served:
    url: str
    folder: Path


@contextmanager
def served(model: Path, folder: Path, *flags: str) -> Iterator[Served]:
    """`i2i app` in a process of its own, in a working directory that holds a secret."""
    work = folder / "work"
    work.mkdir()
    (work / "secret.png").write_text("hidden words")
    command = [sys.executable, "-m", "i2i", "app", str(model), "--port", "0", "--device", "cpu", *flags]
    environment = os.environ | {"TMPDIR": str(folder)}
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment, cwd=work
    )
    with process:
        assert process.stdout is not None
        assert process.stderr is not None
        line = process.stdout.readline()
        found = re.match(r"Open (http://127\.0\.0\.1:\d+)/", line)
        try:
            assert found, process.communicate(timeout=300)[1] if process.poll() is not None else line
            yield Served(found[1], folder)
        finally:
            process.send_signal(signal.SIGTERM)  # the browser's tests end theirs by Ctrl-C
            try:
                process.communicate(timeout=300)
            finally:
                process.kill()  # one that does not end would be waited for
    assert process.returncode == 143
    assert not list(folder.glob("i2i-app-*"))


@pytest.fixture(scope="module")
def page(tiny, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One for all tests: it takes longer to start than they take together."""
    folder = tmp_path_factory.mktemp("open")
    with served(tiny(folder / "tiny.safetensors"), folder, "--auth", "me:se:cret") as page:
        yield page


@pytest.fixture(scope="module")
def person(page: Served):
    """Somebody who has logged in."""
    with httpx.Client(base_url=page.url, timeout=300) as person:
        assert person.post("/login", data={"username": "me", "password": "se:cret"}).status_code == 200
        yield person


@pytest.fixture(scope="module")
def config(person) -> dict[str, Any]:
    return json.loads(re.search(r"window\.gradio_config = (\{.*?\});</script>", person.get("/").text)[1])


def test_nothing_is_shown_without_the_password(page):
    with httpx.Client(base_url=page.url, timeout=300) as stranger:
        assert stranger.get("/config").status_code == 401
        assert "tiny.safetensors" not in stranger.get("/").text
        assert stranger.post("/gradio_api/upload", files={"files": ("a.png", b"x")}).status_code == 401
        assert stranger.post("/gradio_api/queue/join", json={"data": []}).status_code == 401
        assert stranger.post("/login", data={"username": "me", "password": "wrong"}).status_code == 400
        assert stranger.get("/config").status_code == 401


def test_the_page_names_no_other_site(person):
    answer = person.get("/")
    assert answer.status_code == 200
    assert "default-src 'self'" in answer.headers["content-security-policy"]
    loaded = re.findall(r'(?:src|href)="(?!data:)([^"]+)"', answer.text)
    assert loaded
    assert not [one for one in loaded if one.startswith(("http", "//"))]
    assert "url(http" not in person.get("/theme.css").text


def test_nothing_is_counted_and_no_program_can_ask(person, config):
    assert config["analytics_enabled"] is False
    for path in ("/gradio_api/info", "/gradio_api/openapi.json", "/docs", "/monitoring", "/gradio_api/mcp/"):
        assert person.get(path).status_code == 404


def raw(person, path: str) -> tuple[int, str]:
    """Ask for a path letter by letter: httpx would take `..` out of it before."""
    connection = http.client.HTTPConnection(person.base_url.host, person.base_url.port, timeout=300)
    cookies = "; ".join(f"{name}={value}" for name, value in person.cookies.items())
    connection.request("GET", path, headers={"Cookie": cookies})
    answer = connection.getresponse()
    found = answer.status, answer.read().decode(errors="replace")
    connection.close()
    return found


@pytest.mark.parametrize("up", ["/", "//", "../" * 40, "%2e%2e/" * 40, "..%2f" * 40, "./" + "../" * 40, "file:///"])
def test_no_file_of_the_machine_is_given_out(up, page, person):
    folder = page.folder
    (upload,) = person.post("/gradio_api/upload", files={"files": ("a.png", b"pixels")}).json()
    assert raw(person, f"/gradio_api/file={upload}") == (200, "pixels"), "what may be had is had in this way"
    for secret in ("/etc/passwd", str(folder / "work/secret.png"), str(folder / "tiny.safetensors")):
        status, text = raw(person, f"/gradio_api/file={up}{secret.lstrip('/')}")
        assert status in (403, 404), text
        assert "hidden words" not in text
        assert "root:" not in text


def test_no_file_beside_an_upload_is_given_out(page, person):
    (upload,) = person.post("/gradio_api/upload", files={"files": ("a.png", b"pixels")}).json()
    up = "../" * len(Path(upload).relative_to(page.folder).parents)
    for way in (up, up.replace(".", "%2e"), up.replace("/", "%2f")):
        for secret in ("work/secret.png", "tiny.safetensors"):
            assert (Path(upload).parent / up.removeprefix("../") / secret).is_file()
            assert raw(person, f"/gradio_api/file={Path(upload).parent}/{way.removeprefix('../')}{secret}")[0] in (
                403,
                404,
            )


def test_what_was_uploaded_is_given_back_and_no_list_of_it(page, person):
    answer = person.post("/gradio_api/upload", files={"files": ("a.png", b"pixels")})
    (path,) = answer.json()
    assert Path(path).is_relative_to(page.folder)
    assert person.get(f"/gradio_api/file={path}").text == "pixels"
    for folder in (Path(path).parent, Path(path).parents[1]):
        assert person.get(f"/gradio_api/file={folder}").status_code in (403, 404)


def test_an_upload_cannot_choose_where_it_goes(page, person):
    files = {"files": ("../../../evil.png", b"x")}
    answer = person.post("/gradio_api/upload", files=files)
    if answer.status_code == 200:
        (path,) = answer.json()
        root = next(page.folder.glob("i2i-app-*"))
        assert Path(path).resolve().is_relative_to(root.resolve())
    assert [one.name for one in page.folder.iterdir() if "evil" in one.name] == []


def event(person, config: dict[str, Any], inputs: int, data: list[Any]) -> str:
    """What the server makes of an event, the one of so many inputs."""
    (work,) = [one for one in config["dependencies"] if len(one["inputs"]) == inputs]
    asked = {"data": data, "fn_index": work["id"], "session_hash": "abcdefgh123"}
    answer = person.post("/gradio_api/queue/join", json=asked)
    if answer.status_code != 200:
        return str(answer.status_code)
    with person.stream("GET", "/gradio_api/queue/data?session_hash=abcdefgh123") as told:
        for line in told.iter_lines():
            if "process_completed" in line:
                return line.replace(" ", "")
    return ""


def translated(person, config: dict[str, Any], path: str) -> str:
    """What the server makes of a translation whose picture is at `path`."""
    file = {"path": path, "meta": {"_type": "gradio.FileData"}}
    return event(person, config, 8, [[file], None, "tiny.safetensors", None, "as trained", False, "as uploaded", None])


def uploaded(person, file: Path) -> str:
    (path,) = person.post("/gradio_api/upload", files={"files": (file.name, file.read_bytes())}).json()
    return path


def test_an_event_cannot_name_a_file_of_the_machine(page, person, config, picture):
    assert '"success":true' in translated(person, config, uploaded(person, picture("a.png")))
    for secret in (page.folder / "work/secret.png", picture("b.png", folder=page.folder / "work")):
        assert translated(person, config, str(secret)) == "400"
    assert translated(person, config, "http://127.0.0.1:1/a.png") == "400"


def test_a_label_map_is_held_to_the_limits_and_named_without_our_folders(page, person, config, tmp_path):
    Image.new("1", (9000, 8000)).save(tmp_path / "huge.png")
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nnothing of a picture")
    for name, reason in (("huge.png", "more than the 64 megapixels"), ("broken.png", "cannot be read as a picture")):
        file = {"path": uploaded(person, tmp_path / name), "meta": {"_type": "gradio.FileData"}}
        said = event(person, config, 2, [file, None])
        assert f"{name}: {reason}".replace(" ", "") in re.sub(r"\d+x\d+pixelsare", "", said)
        assert str(page.folder) not in said


def test_a_layer_that_no_canvas_has_is_refused(person, config):
    (canvas,) = [one["id"] for one in config["components"] if one["props"].get("elem_id") == "canvas"]
    for index, status in (("0", 200), ("null", 200), ("100000", 400)):
        form = {"type": "layer", "index": index, "id": "mine", "component_id": str(canvas), "fn_name": "accept_blobs"}
        answer = person.post(
            "/gradio_api/component_server",
            data=form | {"session_hash": "abcdefgh123"},
            files={"file": ("layer_0.png", b"a drawing")},
        )
        assert answer.status_code == status, answer.text


def test_a_strange_name_for_this_machine_is_refused(person):
    assert person.get("/", headers={"host": "evil.example"}).status_code == 403


# ---------------------------------------------------------------------------------------------------- without a server


def test_a_port_that_is_taken_is_said_in_one_line():
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(SettingsError, match=rf"--port {port}: is taken") as error:
            bind("127.0.0.1", port)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("host", "port", "said"), [("192.0.2.1", 0, "no address of this"), ("127.0.0.1", 70000, "--port")]
)
def test_an_address_that_cannot_be_had_is_said(host, port, said):
    with pytest.raises(SettingsError, match=said):
        bind(host, port)


def test_any_free_port_is_found():
    with bind("127.0.0.1", 0) as one, bind("127.0.0.1", 0) as two:
        assert one.getsockname()[1] != two.getsockname()[1]


@pytest.mark.parametrize(
    ("host", "only"),
    [("127.0.0.1", True), ("127.0.0.2", True), ("localhost", True), ("::1", True), ("0.0.0.0", False), ("::", False)],
)
def test_which_addresses_this_machine_alone_reaches(host, only):
    assert is_loopback(host) is only


def test_a_page_of_this_machine_is_asked_for_by_its_own_address_too():
    hosts = hosts_of("127.0.0.2")
    assert hosts is not None
    assert {"127.0.0.2", "127.0.0.1", "localhost"} <= hosts
    assert "evil.example" not in hosts
    assert hosts_of("0.0.0.0") is None


STANDS = """
import sys
from pathlib import Path
from unittest import mock
import gradio
from i2i.app.limits import Limits
from i2i.app.serving import Server, hosts_of
from i2i.app.shelf import Shelf

with mock.patch("gradio.mount_gradio_app", wraps=gradio.mount_gradio_app) as mount:
    with Server(Shelf([Path(sys.argv[1])], device="cpu"), Limits()) as server:
        guard, blocks = server._server.config.app, mount.call_args.args[1]
        print(blocks.has_launched, guard.files == server.workspace.root.resolve(), guard.hosts == hosts_of("127.0.0.1"))
"""


def test_the_server_stands_behind_its_guard_and_has_gradio_look_at_files_too(tiny, tmp_path):
    # in a process of its own: Gradio makes a loop of events that it never closes
    command = [sys.executable, "-c", STANDS, str(tiny(tmp_path / "tiny.safetensors"))]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.stdout == "True True True\n", done.stderr


def test_without_the_extra_one_line_names_it(monkeypatch):
    monkeypatch.setattr(serving, "installed", lambda name: name != "gradio")
    with pytest.raises(SettingsError, match=r"pip install 'i2i-toolkit\[app\]'") as error:
        require_gradio()
    assert "\n" not in str(error.value)
