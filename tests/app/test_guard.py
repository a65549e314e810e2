"""The guard before the page, with another application behind it: what passes, and what never gets there."""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from i2i.app.guard import MOST_JSON, Guard, Message

FILES = Path("/tmp/i2i").resolve()
HOST = {"host": "127.0.0.1:7860"}


class Inside:
    """Notes what reaches it, and reads its body."""

    def __init__(self) -> None:
        self.body: bytes | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.body = b""
        more = True
        while more:
            message = await receive()
            self.body += message.get("body", b"")
            more = message.get("more_body", False)
        await send({"type": "http.response.start", "status": 200, "headers": [(b"x-inside", b"1")]})
        await send({"type": "http.response.body", "body": b"inside"})


def ask(
    path: str,
    method: str = "GET",
    headers: dict[str, str] | None = None,
    body: list[bytes] | None = None,
    hosts: set[str] | None = None,
    upload_bytes: int = 10_000_000,
) -> tuple[int, dict[str, str], Inside]:
    inside, sent = Inside(), list[Message]()
    chunks = list(body or [b""])

    async def receive() -> Message:
        return {"type": "http.request", "body": chunks.pop(0), "more_body": bool(chunks)}

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "headers": [(name.encode(), value.encode()) for name, value in (HOST | (headers or {})).items()],
    }
    guard = Guard(inside, files=FILES, upload_bytes=upload_bytes, hosts=hosts or {"127.0.0.1"})
    asyncio.run(guard(scope, receive, send))
    found = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return sent[0]["status"], found, inside


@pytest.mark.parametrize(
    "path",
    ["/", "/config", "/theme.css", "/assets/index.js", "/gradio_api/file=/tmp/x/a.png", "/gradio_api/file=C:/x/a.png"],
)
def test_what_the_page_asks_for_passes(path):
    status, headers, inside = ask(path)
    assert (status, headers["x-inside"], inside.body) == (200, "1", b"")


@pytest.mark.parametrize(
    "path",
    [
        "/gradio_api/info",
        "/gradio_api/proxy=https://example.org/",
        "/gradio_api/file=https://example.org/a.png",
        "/gradio_api/file=http:/example.org/a.png",
        "/gradio_api/file=file:///etc/passwd",
        "/gradio_api/file=/https://example.org/a.png",
        "/gradio_api/mcp/sse",
        "/gradio_api/run-history/buckets",
        "/gradio_api/vibe-code/",
        "/monitoring",
        "/docs",
        "/gradio_api/run/predict",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST", "HEAD", "PUT", "DELETE", "OPTIONS"])
def test_what_the_page_does_not_need_never_gets_there(path, method):
    status, _, inside = ask(path, method)
    assert (status, inside.body) == (404, None)


def test_addresses_are_refused_however_they_are_spelled():
    assert ask("/gradio_api/file=https%3A//example.org/a.png")[0] == 404


def event(path: object) -> list[bytes]:
    return [json.dumps({"data": [None, [{"a": {"path": path, "meta": {"_type": "gradio.FileData"}}}]]}).encode()]


@pytest.mark.parametrize(
    "path",
    [
        "http://example.org/a.png",
        " HTTPS://example.org",
        "ftp://x",
        "//example.org/a",
        "data:x",
        "\\\\example.org\\a",
        "/etc/passwd",
        "",
        "a.png",
        f"{FILES}/../a.png",
        f"{FILES}2/a.png",
        f"{FILES}/a\0.png",
    ],
)
def test_an_event_that_names_an_address_or_a_file_of_others_is_refused(path):
    status, _, inside = ask("/gradio_api/queue/join", "POST", body=event(path))
    assert (status, inside.body) == (400, None)


def test_an_event_that_names_a_link_to_a_file_of_others_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(sys.modules[__name__], "FILES", tmp_path / "ours")
    (tmp_path / "ours").mkdir()
    (tmp_path / "theirs.png").write_bytes(b"")
    (tmp_path / "ours/link.png").symlink_to(tmp_path / "theirs.png")
    assert ask("/gradio_api/queue/join", "POST", body=event(f"{tmp_path}/ours/a.png"))[0] == 200
    assert ask("/gradio_api/queue/join", "POST", body=event(f"{tmp_path}/ours/link.png"))[0] == 400


def test_an_event_arrives_as_it_was_sent():
    (whole,) = event(str(FILES / "a.png"))
    status, _, inside = ask("/gradio_api/queue/join", "POST", body=[whole[:7], whole[7:]])
    assert (status, inside.body) == (200, whole)


@pytest.mark.parametrize("body", [b"", b"no json", b"[" * 100_000, b"\xff"])
def test_an_event_that_is_no_json_is_refused(body):
    assert ask("/gradio_api/queue/join", "POST", body=[body])[0] == 400


def test_an_upload_beyond_its_limit_is_refused_by_what_it_claims():
    status, _, inside = ask("/gradio_api/upload", "POST", {"content-length": "11000001"})
    assert (status, inside.body) == (413, None)
    assert ask("/gradio_api/upload", "POST", {"content-length": "11000000"})[0] == 200
    for length in ("many", "9" * 5000, "-1", "²", ""):
        assert ask("/gradio_api/upload", "POST", {"content-length": length})[0] == 400


def test_an_upload_beyond_its_limit_is_refused_while_it_comes():
    status, _, inside = ask("/gradio_api/upload", "POST", body=[bytes(600_000)] * 3, upload_bytes=500_000)
    assert status == 413
    assert inside.body is not None
    assert len(inside.body) < 1_500_001


def test_an_event_is_small():
    assert ask("/gradio_api/queue/join", "POST", {"content-length": str(MOST_JSON + 1)})[0] == 413
    assert ask("/gradio_api/queue/join", "POST", body=[b" " * MOST_JSON, b"1"])[0] == 413


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.1:7860", "127.0.0.1:9"])
def test_a_name_of_this_machine_passes_at_any_port(host):
    assert ask("/", headers={"host": host})[0] == 200


@pytest.mark.parametrize("host", ["evil.example:7860", "127.0.0.1.evil.example", "", "localhost:1:2"])
def test_a_strange_name_for_this_machine_is_refused(host):
    assert ask("/", headers={"host": host})[0] == 403


def test_another_sites_page_cannot_ask():
    assert ask("/gradio_api/upload", "POST", {"origin": "http://evil.example"})[0] == 403
    for origin in ("null", "", "http://[", "http://[x]:1", "127.0.0.1:7860"):
        assert ask("/gradio_api/upload", "POST", {"origin": origin})[0] == 403
    assert ask("/gradio_api/upload", "POST", {"origin": "http://127.0.0.1:7860"})[0] == 200


def test_browsers_are_told_to_load_nothing_from_elsewhere():
    for path in ("/", "/nothing"):
        policy = ask(path)[1]["content-security-policy"]
        assert policy.startswith("default-src 'self';")
        assert "http" not in policy
        assert "*" not in policy
