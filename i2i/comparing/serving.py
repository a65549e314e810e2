"""The page of a comparison, for this machine alone: it reads no file, and shows nothing but its own pictures."""

import errno
import io
import json
import secrets
import sys
import threading
from collections.abc import Iterable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

from PIL import Image

from i2i.comparing.ballot import CHOICES, Ballot
from i2i.comparing.candidates import Array, Trio
from i2i.comparing.page import page
from i2i.errors import SettingsError

ADDRESS = "127.0.0.1"
_MOST_BYTES = 1000
"""Of a vote."""
_MOST_DIGITS = 9
"""Of a number in a request; of thousands Python makes none."""


class _Pictures(NamedTuple):
    """PNG files."""

    input: bytes
    a: bytes
    b: bytes


class Server(ThreadingHTTPServer):
    """Shows a ballot's pairs, and takes its votes. Close it when it is done with."""

    daemon_threads = True

    def __init__(self, ballot: Ballot, shown: Iterable[Trio], titles: tuple[str, str], file: str, port: int) -> None:
        """`shown` are the ballot's pairs in its names' order, `port` 0 any that is free. Raises SettingsError."""
        self.ballot, self.titles, self.file = ballot, titles, file
        self.pictures = [_Pictures(_png(trio.input), _png(trio.a), _png(trio.b)) for trio in shown]
        # New each time, so that a browser takes no picture for that of another comparison.
        self.token = secrets.token_urlsafe(12)
        self.lock = threading.Lock()
        self.stopped = False
        try:
            super().__init__((ADDRESS, port), _Handler)
        except (OSError, OverflowError) as error:
            taken = isinstance(error, OSError) and error.errno == errno.EADDRINUSE
            reason = "is taken" if taken else f"cannot be used ({error})"
            raise SettingsError(f"--port {port}: {reason}. Choose another, or leave it out for any free one.") from None

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say what went wrong, but for a browser that was closed while it was answered."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)

    @property
    def url(self) -> str:
        """What to open."""
        return f"http://{ADDRESS}:{self.server_port}/"

    @property
    def hosts(self) -> set[str]:
        """The names by which this page may be asked for; another would be a strange site's, led here by its DNS."""
        return {f"{name}:{self.server_port}" for name in (ADDRESS, "localhost")}

    def state(self) -> dict[str, Any]:
        """What the page shows: the outcome only once voting is over, so that nobody votes for the one in front."""
        found: dict[str, Any] = {"token": self.token, "done": self.ballot.done, "pairs": len(self.ballot)}
        if self.stopped or self.ballot.done == len(self.ballot):
            outcome = self.ballot.outcome
            low, high = outcome.interval
            found["result"] = {
                "titles": self.titles,
                "a": outcome.a,
                "b": outcome.b,
                "same": outcome.same,
                "share": outcome.share,
                "low": low,
                "high": high,
                "chance": outcome.chance,
                "verdict": outcome.verdict,
                "file": self.file,
            }
        return found

    def picture(self, place: int, side: str) -> bytes | None:
        """The PNG that stands there; None where there is none."""
        if not 0 <= place < len(self.ballot):
            return None
        self.ballot.look()
        if side == "input":
            return self.pictures[self.ballot.order[place]].input
        if side not in ("left", "right"):
            return None
        index, whose = self.ballot.at(place, side)
        return self.pictures[index].a if whose == "A" else self.pictures[index].b


def serve(
    ballot: Ballot, shown: Iterable[Trio], titles: tuple[str, str], *, file: str = "votes.jsonl", port: int = 0
) -> Server:
    """A server that is bound, and serves once `serve_forever` is called. Raises SettingsError where it cannot be."""
    return Server(ballot, shown, titles, file, port)


class _Handler(BaseHTTPRequestHandler):
    server: Server  # pyright: ignore[reportIncompatibleVariableOverride]
    protocol_version = "HTTP/1.1"
    server_version = "i2i"
    sys_version = ""
    timeout = 60

    def do_GET(self) -> None:
        if not self._from_here():
            return
        parts = self.path.split("/")[1:]
        if self.path == "/":
            text, policy = page()
            self._answer(text, "text/html; charset=utf-8", {"Content-Security-Policy": policy})
        elif self.path == "/state":
            self._answer_json(self.server.state())
        elif len(parts) == 4 and parts[:2] == ["picture", self.server.token]:
            place, side = _number(parts[2]), parts[3].removesuffix(".png")
            png = None if place is None else self.server.picture(place, side)
            if png is None:
                self._refuse(HTTPStatus.NOT_FOUND)
            else:
                self._answer(png, "image/png", {"Cache-Control": "private, max-age=3600"})
        else:
            self._refuse(HTTPStatus.NOT_FOUND)

    def do_POST(self) -> None:
        if not self._from_here():
            return
        body = self._body()
        if body is None:
            self._refuse(HTTPStatus.BAD_REQUEST)
        elif self.path == "/finish":
            self.server.stopped = True
            self._answer_json(self.server.state())
        elif self.path != "/vote":
            self._refuse(HTTPStatus.NOT_FOUND)
        else:
            place, choice = body.get("place"), body.get("choice")
            if type(place) is not int or choice not in CHOICES:
                self._refuse(HTTPStatus.BAD_REQUEST)
                return
            try:
                with self.server.lock:
                    # A pair that was voted on already (a key pressed twice, a second window) counts once.
                    counted = not self.server.stopped and self.server.ballot.vote(place, choice)
            except OSError:
                self._refuse(HTTPStatus.INSUFFICIENT_STORAGE)
                return
            if counted or self.server.stopped or place < self.server.ballot.done:
                self._answer_json(self.server.state())
            else:
                self._refuse(HTTPStatus.CONFLICT)

    def _from_here(self) -> bool:
        """Whether the page itself asks, and no other site in the same browser."""
        origin = self.headers.get("Origin")
        hosts = self.server.hosts
        if self.headers.get("Host") in hosts and origin in {None, *(f"http://{host}" for host in hosts)}:
            return True
        self._refuse(HTTPStatus.FORBIDDEN)
        return False

    def _body(self) -> dict[str, Any] | None:
        """A small object in JSON; None for anything else. Another site cannot send that type unasked."""
        length = _number(self.headers.get("Content-Length", ""))
        kind = self.headers.get("Content-Type", "").partition(";")[0].strip()
        if length is None or length > _MOST_BYTES or kind != "application/json":
            self.close_connection = True  # what was not read would be taken for the next request
            return None
        try:
            found = json.loads(self.rfile.read(length))
        except (ValueError, RecursionError):
            return None
        return found if isinstance(found, dict) else None

    def _answer_json(self, content: object) -> None:
        self._answer(json.dumps(content).encode("utf-8"), "application/json", {"Cache-Control": "no-store"})

    def _answer(self, content: bytes, kind: str, headers: dict[str, str], status: HTTPStatus = HTTPStatus.OK) -> None:
        self.send_response(status)
        common = {"Content-Type": kind, "Content-Length": str(len(content)), "X-Content-Type-Options": "nosniff"}
        for name, value in (common | {"Referrer-Policy": "no-referrer"} | headers).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def _refuse(self, status: HTTPStatus) -> None:
        self.close_connection = True
        self._answer(f"{status.value} {status.phrase}\n".encode(), "text/plain; charset=utf-8", {}, status)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: the terminal is the command's."""


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS else None


def _png(picture: Array) -> bytes:
    """Shape: (H, W, 1 or 3) uint8."""
    file = io.BytesIO()
    Image.fromarray(picture[:, :, 0] if picture.shape[2] == 1 else picture).save(file, "png")
    return file.getvalue()
