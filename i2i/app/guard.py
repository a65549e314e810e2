"""Stands before the page: what it needs passes, everything else that its server could do is refused.

Gradio's server can do more than this page asks of it: fetch addresses on somebody's behalf, keep a history, run tools.
Here only the routes that the page uses are open, no event can name a file that is not the page's own, nor an address in
place of one, and browsers are told to load nothing from elsewhere.
"""

import json
import os
import re
from collections.abc import Awaitable, Callable, Collection, MutableMapping
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

GET = re.compile(
    r"/|/config/?|/theme\.css|/assets/.+|/static/.+|/favicon\.ico|/manifest\.json|/logout|/robots\.txt"
    r"|/gradio_api/(theme\.css|startup-events|heartbeat/\w+|queue/data|upload_progress|file=(?!/*\w[\w+.-]+:).+|app_id/?"
    r"|login_check/?|user/?|token/?)"
)
POST = re.compile(r"/login/?|/gradio_api/(queue/join|upload|cancel|reset|component_server)/?")
MOST_DIGITS = 20
"""Of a length; of thousands Python makes no number."""
MOST_JSON = 8_000_000
"""Bytes of an event: pictures come as uploads, so it holds names and settings."""
POLICY = (
    "default-src 'self'; img-src 'self' data: blob:; media-src 'self' blob:; font-src 'self' data:; "
    "style-src 'self' 'unsafe-inline'; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; worker-src 'self' blob:; "
    "connect-src 'self' data: blob:; object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'self'"
)
HEADERS = {
    "content-security-policy": POLICY,
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "permissions-policy": "camera=(self), microphone=(), geolocation=()",
}


class TooLarge(Exception):
    """A body beyond its limit, met while it was read."""


class Guard:
    """An ASGI application that hands on what the page needs."""

    def __init__(self, inside: Application, *, files: Path, upload_bytes: int, hosts: Collection[str] | None) -> None:
        """`files` is the page's folder, its links resolved; `hosts` are the names that the page may be asked for by, at
        any port; None where any is right.

        Gradio, where it is mounted, reads every file that an event names. And on loopback a strange site could have its
        own name lead here (DNS rebinding), and read what is shown.
        """
        self.inside = inside
        self.files = files
        self.upload_bytes = upload_bytes
        self.hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.inside(scope, receive, send)
            return
        if scope["type"] != "http":  # no web sockets here
            raise RuntimeError(f"{scope['type']}: the page speaks HTTP alone")
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        refused = self._refused(scope, headers)
        if refused is not None:
            await _answer(send, refused)
            return
        started = False

        async def sent(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                ours = [(name.encode(), value.encode()) for name, value in HEADERS.items()]
                message = {**message, "headers": [*message.get("headers", ()), *ours]}
            await send(message)

        try:
            if scope["method"] == "POST":
                receive = await self._checked(scope["path"], receive)
            await self.inside(scope, receive, sent)
        except (TooLarge, ValueError, RecursionError) as error:
            if started:
                raise
            too_large = isinstance(error, TooLarge)
            await _answer(send, HTTPStatus.REQUEST_ENTITY_TOO_LARGE if too_large else HTTPStatus.BAD_REQUEST)

    def _refused(self, scope: Scope, headers: dict[str, str]) -> HTTPStatus | None:
        """Why a request goes no further by its head alone."""
        host = headers.get("host", "")
        if self.hosts is not None and re.sub(r":\d*$", "", host) not in self.hosts:
            return HTTPStatus.FORBIDDEN
        origin = headers.get("origin")
        if origin is not None and _place(origin) != host:  # another site's page asks
            return HTTPStatus.FORBIDDEN
        method, path = scope["method"], unquote(scope["path"])
        allowed = POST if method == "POST" else GET if method in ("GET", "HEAD") else None
        if allowed is None or not allowed.fullmatch(path):
            return HTTPStatus.NOT_FOUND
        length = headers.get("content-length", "0")
        if not (length.isascii() and length.isdigit()) or len(length) > MOST_DIGITS:
            return HTTPStatus.BAD_REQUEST
        return HTTPStatus.REQUEST_ENTITY_TOO_LARGE if int(length) > self._most(path) else None

    def _most(self, path: str) -> int:
        # Around the files of a form are some lines for each.
        return self.upload_bytes + 1_000_000 if path.rstrip("/").endswith("/upload") else MOST_JSON

    async def _checked(self, path: str, receive: Receive) -> Receive:
        """The body, counted while it comes; of an event looked through before anything of it is done."""
        left = self._most(path)

        async def counted() -> Message:
            nonlocal left
            message = await receive()
            left -= len(message.get("body", b""))
            if left < 0:
                raise TooLarge
            return message

        if not path.rstrip("/").endswith("/queue/join"):
            return counted
        body = bytearray()
        more = True
        while more:
            message = await counted()
            body += message.get("body", b"")
            more = message["type"] == "http.request" and message.get("more_body", False)
        _refuse_others(json.loads(body), self.files)
        rest = [{"type": "http.request", "body": bytes(body), "more_body": False}]

        async def again() -> Message:
            return rest.pop() if rest else await receive()

        return again


def _place(origin: str) -> str | None:
    """A site's host and port; None of what names no site."""
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return None


def _refuse_others(content: object, files: Path) -> None:
    """Raise ValueError where a file is named that is not of this folder: the server would read it, or fetch it."""
    inside = [content]
    while inside:
        one = inside.pop()
        if isinstance(one, dict):
            if isinstance(path := one.get("path"), str) and not _is_below(path, files):
                raise ValueError("another's file")
            inside += one.values()
        elif isinstance(one, list):
            inside += one


def _is_below(path: str, folder: Path) -> bool:
    # By its letters first: to look up a share of Windows is to ask another machine.
    plain = Path(os.path.normpath(path))
    return plain.is_relative_to(folder) and plain.resolve().is_relative_to(folder)


async def _answer(send: Send, status: HTTPStatus) -> None:
    body = f"{status.value} {status.phrase}\n".encode()
    headers = {"content-type": "text/plain; charset=utf-8", "content-length": str(len(body)), **HEADERS}
    await send(
        {
            "type": "http.response.start",
            "status": status.value,
            "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        }
    )
    await send({"type": "http.response.body", "body": body})
