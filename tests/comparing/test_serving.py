"""The page as a browser, and as somebody with other intentions, asks for it."""

import base64
import hashlib
import http.client
import io
import json
import re
import socket
import struct
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from i2i.comparing import Ballot, Trio, serve
from i2i.comparing.serving import Server
from i2i.errors import SettingsError

COUNT = 6
LEVELS = {"input": 0, "A": 100, "B": 200}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    trios = [
        Trio(str(at), *(np.full((8, 8, 3), level + at, np.uint8) for level in LEVELS.values())) for at in range(COUNT)
    ]
    ballot = Ballot([trio.name for trio in trios], {"A": "one", "B": "two"}, 0, tmp_path / "votes.jsonl")
    with serve(ballot, trios, ("runs/one", "runs/two")) as found:
        thread = threading.Thread(target=found.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield found
        found.shutdown()
        thread.join()


class Answer:
    def __init__(self, response: http.client.HTTPResponse) -> None:
        self.status, self.headers, self.body = response.status, response.headers, response.read()

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def ask(server: Server, method: str, path: str, body: object = None, **headers: str) -> Answer:
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=300)
    sent = None if body is None else json.dumps(body)
    with_type = {"Content-Type": "application/json"} if sent else {}
    connection.request(method, path, sent, with_type | {name.replace("_", "-"): text for name, text in headers.items()})
    answer = Answer(connection.getresponse())
    connection.close()
    return answer


def level(server: Server, place: int, side: str) -> int:
    answer = ask(server, "GET", f"/picture/{server.token}/{place}/{side}.png")
    assert (answer.status, answer.headers["Content-Type"]) == (200, "image/png")
    return int(np.asarray(Image.open(io.BytesIO(answer.body)))[0, 0, 0])


def test_the_page_may_load_nothing_but_itself(server: Server):
    answer = ask(server, "GET", "/")
    assert answer.status == 200
    policy, text = answer.headers["Content-Security-Policy"], answer.body.decode()
    assert policy.startswith("default-src 'none'; img-src 'self'")
    assert "unsafe" not in policy
    for tag in ("style", "script"):
        (content,) = re.findall(f"<{tag}>(.*?)</{tag}>", text, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy
    assert " style=" not in text
    assert not re.search(r"https?://", text)


def test_votes_are_blind_until_the_end(server: Server):
    wanted, result = 0, {}
    for place in range(COUNT):
        state = ask(server, "GET", "/state").json
        assert (state["done"], state["pairs"]) == (place, COUNT)
        assert not {"result", "titles"} & state.keys()
        index = level(server, place, "input")
        sides = {side: level(server, place, side) for side in ("left", "right")}
        assert sorted(sides.values()) == [100 + index, 200 + index]
        # One votes for A, but for the last.
        choice = "same" if place == COUNT - 1 else min(sides, key=lambda side: sides[side])
        wanted += choice != "same"
        answer = ask(server, "POST", "/vote", {"place": place, "choice": choice})
        assert answer.status == 200
        result = answer.json.get("result", {})
    assert (result["a"], result["b"], result["same"]) == (wanted, 0, 1)
    assert result["titles"] == ["runs/one", "runs/two"]
    assert (result["share"], result["high"]) == (1, 1)
    assert result["low"] == pytest.approx(0.025 ** (1 / 5))
    assert result["verdict"].startswith("no preference"), "5 of 5 come by chance once in 16 times"
    lines = (Path(server.ballot._file)).read_text().splitlines()
    assert [json.loads(line)["vote"] for line in lines[1:]] == ["A"] * 5 + ["cannot tell"]


def test_a_key_pressed_twice_counts_once(server: Server):
    for choice in ("left", "right"):
        assert ask(server, "POST", "/vote", {"place": 0, "choice": choice}).json["done"] == 1
    assert ask(server, "POST", "/vote", {"place": 4, "choice": "left"}).status == 409


def test_many_at_once_count_once(server: Server):
    threads = [
        threading.Thread(target=ask, args=(server, "POST", "/vote", {"place": 0, "choice": "left"})) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert server.ballot.done == 1


def test_who_stops_sees_the_result_and_votes_no_more(server: Server):
    ask(server, "POST", "/vote", {"place": 0, "choice": "left"})
    assert "result" in ask(server, "POST", "/finish", {}).json
    ask(server, "POST", "/vote", {"place": 1, "choice": "left"})
    assert server.ballot.done == 1


@pytest.mark.parametrize(
    "path",
    [
        "/votes.jsonl",
        "/../votes.jsonl",
        "/etc/passwd",
        "//etc/passwd",
        "/picture/TOKEN/0/../../../etc/passwd",
        "/picture/TOKEN/0/a.png",
        "/picture/TOKEN/99/left.png",
        "/picture/TOKEN/-1/left.png",
        "/picture/TOKEN/%31/left.png",
        "/picture/TOKEN/²/left.png",
        f"/picture/TOKEN/{'9' * 5000}/left.png",
        "/picture/other/0/left.png",
        "/state/",
        "/vote",
    ],
)
def test_nothing_else_can_be_read(server: Server, path: str):
    asked = path.replace("TOKEN", server.token).encode().decode("latin-1")
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=300)
    connection.putrequest("GET", "/", skip_host=False)
    connection._buffer[0] = f"GET {asked} HTTP/1.1".encode("latin-1")  # pyright: ignore[reportAttributeAccessIssue]
    connection.endheaders()
    answer = Answer(connection.getresponse())
    connection.close()
    assert answer.status == 404
    assert len(answer.body) < 40


@pytest.mark.parametrize(
    "host", ["example.org", "example.org:PORT", "127.0.0.1", "127.0.0.1:1", "localhost.example:PORT"]
)
def test_another_sites_name_is_refused(server: Server, host: str):
    named = host.replace("PORT", str(server.server_port))
    assert ask(server, "GET", "/state", Host=named).status == 403
    assert ask(server, "POST", "/vote", {"place": 0, "choice": "left"}, Host=named).status == 403
    assert server.ballot.done == 0


def test_another_sites_page_is_refused_and_our_own_is_not(server: Server):
    vote = {"place": 0, "choice": "left"}
    assert ask(server, "POST", "/vote", vote, Origin="http://example.org").status == 403
    assert ask(server, "POST", "/vote", vote, Origin="null").status == 403
    port = server.server_port
    answer = ask(server, "POST", "/vote", vote, Origin=f"http://localhost:{port}", Host=f"localhost:{port}")
    assert answer.json["done"] == 1


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (b"{", {"Content-Type": "application/json"}),
        (b"[]", {"Content-Type": "application/json"}),
        (b'{"place": 0, "choice": "left"}', {"Content-Type": "text/plain"}),
        (b'{"place": 0, "choice": "A"}', {"Content-Type": "application/json"}),
        (b'{"place": true, "choice": "left"}', {"Content-Type": "application/json"}),
        (b'{"place": "0", "choice": "left"}', {"Content-Type": "application/json"}),
        (b'{"place": 0, "choice": []}', {"Content-Type": "application/json"}),
        (b"[" * 900, {"Content-Type": "application/json"}),
        (b" " * 2000, {"Content-Type": "application/json"}),
        (b"{}", {"Content-Type": "application/json", "Content-Length": "-5"}),
        (b"{}", {"Content-Type": "application/json", "Content-Length": "9" * 5000}),
    ],
)
def test_what_is_no_vote_is_refused(server: Server, body: bytes, headers: dict[str, str]):
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=300)
    connection.request("POST", "/vote", body, headers)
    assert connection.getresponse().status == 400
    connection.close()
    assert server.ballot.done == 0


def test_seconds_count_from_the_first_picture_on(server: Server):
    assert server.ballot._shown is None
    level(server, 0, "left")
    assert server.ballot._shown is not None


def test_a_browser_that_is_closed_while_it_is_answered_is_no_error(
    server: Server, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    answered = threading.Event()
    real = server.shutdown_request

    def slow(place: int, side: str) -> bytes:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        other.close()  # at once, with a reset
        return bytes(50_000_000)

    def ended(request: Any) -> None:
        real(request)
        answered.set()

    monkeypatch.setattr(server, "picture", slow)
    monkeypatch.setattr(server, "shutdown_request", ended)
    other = socket.create_connection(("127.0.0.1", server.server_port))
    other.sendall(
        f"GET /picture/{server.token}/0/left.png HTTP/1.1\r\nHost: 127.0.0.1:{server.server_port}\r\n\r\n".encode()
    )
    assert answered.wait(300)
    assert capfd.readouterr().err == ""


def test_it_listens_on_this_machine_alone(server: Server):
    assert server.server_address[0] == "127.0.0.1"
    assert server.url.startswith("http://127.0.0.1:")


def test_a_port_that_is_taken_is_said(tmp_path: Path):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        ballot = Ballot([], {}, 0, tmp_path / "votes.jsonl")
        with pytest.raises(SettingsError, match=rf"--port {port}: is taken"):
            serve(ballot, [], ("a", "b"), port=port)
        with pytest.raises(SettingsError, match="--port 70000: cannot be used"):
            serve(ballot, [], ("a", "b"), port=70000)
