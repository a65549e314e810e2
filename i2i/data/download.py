"""Bring one file over HTTP: resumable, mirrors in order, checksummed by whoever calls."""

import http.client
import json
import shutil
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Sequence
from email.message import Message
from pathlib import Path
from typing import IO, Any

from i2i.errors import DatasetError

Report = Callable[[int, int | None], None]
"""Called with bytes so far and bytes in all, None where the server does not say."""

TIMEOUT_S = 30.0
ATTEMPTS = 5
PAUSE_S = 1.0
_CHUNK = 1 << 18
_SPARE_BYTES = 64 << 20
MAX_BYTES = 64 << 30
"""No file of a public set is larger; a server that sends without end is told by it, or by the disk's room."""


class _Broken(Exception):
    """One attempt that failed; the text says how, for the message at the end."""


class _OnlyHttp(urllib.request.HTTPRedirectHandler):
    """Follow redirects to http and https alone (urllib would follow ftp too)."""

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: Any,
        newurl: str,
    ) -> urllib.request.Request | None:
        if urllib.parse.urlsplit(newurl).scheme not in ("http", "https"):
            raise urllib.error.URLError(f"redirected to {newurl}, which is neither http nor https")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def download(urls: Sequence[str], to: Path, *, name: str, by_hand: str, report: Report | None = None) -> str:
    """Bring the first of `urls` that answers to `to`, and return it.

    What arrives is kept as `to`.part, and a later call goes on from there where the server still has the same file.
    Raises one DatasetError that names every address tried; `by_hand` says what else the user can do.
    """
    part = to.with_name(to.name + ".part")
    problems: list[str] = []
    for url in sorted(urls, key=lambda url: url != _note(part).get("url")):  # first the one that the part came from
        if urllib.parse.urlsplit(url).scheme not in ("http", "https", "file"):
            raise DatasetError(f"{name}: {url} is no http, https or file address.")
        problem = ""
        for attempt in range(ATTEMPTS):
            before = _size(part)
            try:
                _attempt(url, part, name, report)
            except _Broken as broken:
                problem = str(broken)
            else:
                part.replace(to)
                _note_path(part).unlink(missing_ok=True)
                return url
            if _size(part) <= before:  # nothing new came: asking again will not help
                break
            if attempt < ATTEMPTS - 1:
                time.sleep(PAUSE_S)
        problems.append(problem)
    kept = f" {_size(part):,} bytes are kept, and the next attempt goes on from there." if _size(part) else ""
    offline = " Are you offline?" if all(problem.startswith("could not reach") for problem in problems) else ""
    raise DatasetError(f"{name}: {'; '.join(dict.fromkeys(problems))}.{kept}{offline} {by_hand}")


def check_room(folder: Path, need: int, name: str, what: str) -> None:
    """Raise DatasetError where the disk under `folder` has no room for `need` bytes and a little more."""
    free = shutil.disk_usage(folder).free
    if free < need + _SPARE_BYTES:
        raise DatasetError(
            f"{name}: {what} needs {need / 1e9:.2f} GB and the disk of {folder} has {free / 1e9:.2f} GB free. "
            "Make room there or choose another folder."
        )


def _attempt(url: str, part: Path, name: str, report: Report | None) -> None:
    """Fetch `url` into `part`, going on where it ends if the server says that it is still the same file."""
    have, note, host = _size(part), _note(part), urllib.parse.urlsplit(url).netloc or "this machine"
    request = urllib.request.Request(url, headers={"User-Agent": "i2i"})
    if have and note.get("url") == url and note.get("validator"):
        request.add_header("Range", f"bytes={have}-")
        request.add_header("If-Range", note["validator"])
    try:
        response = urllib.request.build_opener(_OnlyHttp).open(request, timeout=TIMEOUT_S)
    except urllib.error.HTTPError as error:
        error.close()
        if error.code == 416 and have:  # the part is as long as the file, or longer: it is not this file's beginning
            part.unlink()
            return _attempt(url, part, name, report)
        raise _Broken(f"{host} answered {error.code} {error.reason} for {url}") from error
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise _Broken(f"could not reach {host} ({_reason(error)})") from error

    with response:
        headers: Message = response.headers
        length = headers.get("Content-Length")
        goes_on = response.status == 206 and headers.get("Content-Range", "").startswith(f"bytes {have}-")
        if response.status == 206 and not goes_on:
            part.unlink(missing_ok=True)
            raise _Broken(f"{host} sent another range than was asked for")
        done = have if goes_on else 0
        total = done + int(length) if length and length.isdigit() else None
        check_room(part.parent, (total or 0) - done, name, "the download")
        if not goes_on:
            part.write_bytes(b"")
            _note_path(part).write_text(json.dumps({"url": url, "validator": _validator(headers)}))
        with part.open("ab") as file:
            while chunk := _read(response, host, done, total):
                file.write(chunk)
                done += len(chunk)
                if done > MAX_BYTES:
                    part.unlink()
                    raise DatasetError(f"{name}: {host} sent more than {MAX_BYTES:,} bytes. Try another mirror.")
                if done // _SPARE_BYTES > (done - len(chunk)) // _SPARE_BYTES:
                    check_room(part.parent, 0, name, "the download")
                if report:
                    report(done, total)
    if total is not None and done < total:
        raise _Broken(f"the connection to {host} broke after {done:,} of {total:,} bytes")


def _read(response: Any, host: str, done: int, total: int | None) -> bytes:
    try:
        return response.read(_CHUNK)
    except (OSError, http.client.HTTPException) as error:
        of = f" of {total:,}" if total else ""
        raise _Broken(f"the connection to {host} broke after {done:,}{of} bytes ({_reason(error)})") from error


def _validator(headers: Message) -> str | None:
    """What If-Range may carry: a strong ETag, else the date."""
    etag = headers.get("ETag")
    return etag if etag and not etag.startswith("W/") else headers.get("Last-Modified")


def _reason(error: BaseException) -> str:
    reason = getattr(error, "reason", None) or error
    return " ".join(str(getattr(reason, "strerror", None) or reason or type(reason).__name__).split())


def _note_path(part: Path) -> Path:
    return part.with_name(part.name + ".json")


def _note(part: Path) -> dict[str, Any]:
    try:
        note = json.loads(_note_path(part).read_text())
    except (OSError, ValueError):
        return {}
    return note if isinstance(note, dict) else {}


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
