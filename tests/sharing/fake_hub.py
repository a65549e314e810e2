"""The routes of the Hugging Face Hub that its client calls for i2i, on a port of this machine."""

import hashlib
import json
import re
import threading
from base64 import b64decode
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

TOKEN = "hf_of_a_test"


@dataclass
class Repository:
    files: dict[str, bytes] = field(default_factory=dict)
    private: bool = False
    gated: bool = False
    commits: list[str] = field(default_factory=list)

    @property
    def sha(self) -> str:
        held = hashlib.sha1()
        for name, data in sorted(self.files.items()):
            held.update(name.encode() + hashlib.sha1(data).digest())
        return held.hexdigest()


class FakeHub:
    """Repositories by name; a revision is `main`, or a name in `revisions` that stands for other files."""

    def __init__(self) -> None:
        self.repositories: dict[str, Repository] = {}
        self.revisions: dict[tuple[str, str], Repository] = {}
        self.asked: list[str] = []
        self.refuses_uploads = False
        self.claims: dict[str, int | None] = {}
        self._uploaded: dict[str, bytes] = {}
        hub = self

        class Handler(_Handler):
            pass

        Handler.hub = hub
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.address = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def downloads(self) -> list[str]:
        """Names of the files that were sent out."""
        return [line.rpartition("/")[2] for line in self.asked if line.startswith("GET") and "/resolve/" in line]


class _Handler(BaseHTTPRequestHandler):
    hub: FakeHub

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def do_GET(self) -> None:
        self._note()
        if found := re.fullmatch(r"/api/models/([^/]+/[^/]+)(?:/revision/(.+))?", self._path):
            self._info(found[1], found[2])
        elif found := re.fullmatch(r"/([^/]+/[^/]+)/resolve/(.+)/([^/]+)", self._path):
            self._file(found[1], found[2], found[3])
        else:
            self._send(404, {})

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_POST(self) -> None:
        self._note()
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))) if "Content-Length" in self.headers else b""
        if self.headers.get("Transfer-Encoding") == "chunked":
            body = self._chunks()
        if self._path == "/api/validate-yaml":
            text = json.loads(body)["content"]
            wrong = [{"message": '"license" must be one of the known'}] if "license: bogus" in text else []
            self._send(400 if wrong else 200, {"errors": wrong, "warnings": []})
        elif self.headers.get("Authorization") != f"Bearer {TOKEN}":
            self._send(401, {"error": "Invalid credentials in Authorization header"})
        elif self._path == "/api/repos/create":
            self._create(json.loads(body))
        elif found := re.fullmatch(r"/api/models/([^/]+/[^/]+)/preupload/main", self._path):
            files = [
                {
                    "path": one["path"],
                    "uploadMode": "lfs" if one["path"].endswith(".safetensors") else "regular",
                    "shouldIgnore": False,
                }
                for one in json.loads(body)["files"]
            ]
            self._send(200, {"files": files})
        elif self._path.endswith(".git/info/lfs/objects/batch"):
            objects = [
                {**one, "actions": {"upload": {"href": f"{self.hub.address}/lfs/{one['oid']}"}}}
                for one in json.loads(body)["objects"]
            ]
            self._send(200, {"transfer": "basic", "objects": objects})
        elif found := re.fullmatch(r"/api/models/([^/]+/[^/]+)/commit/main", self._path):
            self._commit(found[1], [json.loads(line) for line in body.splitlines()])
        else:
            self._send(404, {})

    def do_PUT(self) -> None:
        self._note()
        data = self.rfile.read(int(self.headers["Content-Length"]))
        oid = self._path.rpartition("/")[2]
        if self.hub.refuses_uploads or hashlib.sha256(data).hexdigest() != oid:
            self._send(400, {})
            return
        self.hub._uploaded[oid] = data
        self._send(200, {})

    @property
    def _path(self) -> str:
        return self.path.partition("?")[0].replace("%2F", "/")

    def _note(self) -> None:
        self.hub.asked.append(f"{self.command} {self._path}")

    def _create(self, asked: dict[str, Any]) -> None:
        name = f"{asked['organization']}/{asked['name']}"
        there = name in self.hub.repositories
        if not there:
            self.hub.repositories[name] = Repository(private=asked.get("visibility") == "private")
        self._send(409 if there else 200, {"url": f"{self.hub.address}/{name}"})

    def _commit(self, name: str, lines: list[dict[str, Any]]) -> None:
        repository = self.hub.repositories[name]
        for line in lines:
            value = line["value"]
            match line["key"]:
                case "header":
                    repository.commits.append(value["summary"])
                case "file":
                    repository.files[value["path"]] = b64decode(value["content"])
                case "lfsFile":
                    repository.files[value["path"]] = self.hub._uploaded[value["oid"]]
        address = f"{self.hub.address}/{name}/commit/{repository.sha}"
        self._send(200, {"success": True, "commitUrl": address, "commitOid": repository.sha})

    def _of(self, name: str, revision: str | None) -> Repository | None:
        """The files of a revision; None where an error was sent."""
        repository = self.hub.repositories.get(name)
        mine = self.headers.get("Authorization") == f"Bearer {TOKEN}"
        if repository is None or (repository.private and not mine):
            self._send(404, {"error": "Repository not found"}, {"X-Error-Code": "RepoNotFound"})
            return None
        if repository.gated:
            self._send(403, {"error": "Access is restricted"}, {"X-Error-Code": "GatedRepo"})
            return None
        if revision in (None, "main", repository.sha):
            return repository
        other = self.hub.revisions.get((name, revision)) or next(
            (one for (owner, _), one in self.hub.revisions.items() if owner == name and one.sha == revision), None
        )
        if other is None:
            self._send(404, {"error": "Invalid rev id"}, {"X-Error-Code": "RevisionNotFound"})
        return other

    def _info(self, name: str, revision: str | None) -> None:
        if repository := self._of(name, revision):
            siblings = [
                {"rfilename": file, "size": self.hub.claims.get(file, len(data))}
                for file, data in repository.files.items()
            ]
            content = {"id": name, "sha": repository.sha, "private": repository.private, "siblings": siblings}
            self._send(200, {**content, "tags": [], "downloads": 0, "likes": 0})

    def _file(self, name: str, revision: str, file: str) -> None:
        if repository := self._of(name, revision):
            if file not in repository.files:
                self._send(404, {}, {"X-Error-Code": "EntryNotFound"})
                return
            data = repository.files[file]
            self._bytes(200, data, {"ETag": f'"{hashlib.sha1(data).hexdigest()}"', "X-Repo-Commit": repository.sha})

    def _chunks(self) -> bytes:
        pieces = []
        while size := int(self.rfile.readline().strip() or b"0", 16):
            pieces.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(pieces)

    def _send(self, code: int, content: Any, headers: dict[str, str] | None = None) -> None:
        self._bytes(code, json.dumps(content).encode(), {"Content-Type": "application/json", **(headers or {})})

    def _bytes(self, code: int, data: bytes, headers: dict[str, str]) -> None:
        self.send_response(code)
        for name, value in {"Content-Length": str(len(data)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)
