"""Training in processes of its own, played in turns: while one is timed, the others wait."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, fields
from pathlib import Path
from types import TracebackType
from typing import Any

from i2i.errors import TrainingError

SPINCOUNT = "10000"
"""What `i2i.cli.main` sets."""


@dataclass(frozen=True, kw_only=True)
class Played:
    """Some rounds, and what they took."""

    rounds: int
    images: int
    seconds: float
    waited: float = 0.0
    """Seconds of these that rounds waited for data."""
    peak_bytes: int | None = None
    """Peak memory of the process so far; see `memory.Peak`."""
    replayed: int = 0
    """Rounds of these that were replayed from a CUDA graph."""
    fallback: str | None = None
    """Why rounds are not replayed from a CUDA graph, where the trainer says so."""


class Arm:
    """A process that plays rounds when it is told to, and waits otherwise."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        task: Mapping[str, Any],
        *,
        cwd: Path | None = None,
        environment: Mapping[str, str],
    ) -> None:
        self.name = name
        self._said = tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")  # noqa: SIM115  closed in close
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._said,
            text=True,
            encoding="utf-8",
            cwd=cwd,
            env=dict(environment),
        )
        self._send(task)

    def ready(self) -> Any:
        """Wait until it has built what it plays with; what it says of itself. Raises TrainingError."""
        return self._receive("ready")

    def play(self, rounds: int) -> Played:
        """Play so many rounds. Raises TrainingError where the process cannot."""
        self._send({"rounds": rounds})
        known = {field.name for field in fields(Played)}
        return Played(**{name: value for name, value in self._receive("played").items() if name in known})

    def close(self) -> None:
        """End the process and wait for it."""
        if self._process.stdin and not self._process.stdin.closed:
            with suppress(BrokenPipeError):  # it ended on its own
                self._process.stdin.close()
        try:
            self._process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdout:
            self._process.stdout.close()
        self._said.close()

    def __enter__(self) -> "Arm":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, KeyboardInterrupt):
            self._process.kill()
        self.close()

    def _send(self, message: Mapping[str, Any]) -> None:
        assert self._process.stdin
        try:
            self._process.stdin.write(json.dumps(message) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise self._ended() from None

    def _receive(self, kind: str) -> Any:
        assert self._process.stdout
        line = self._process.stdout.readline()
        if not line:
            raise self._ended()
        message = json.loads(line)
        if "error" in message:
            raise TrainingError(f"{self.name}: {message['error']}")
        return message[kind]

    def _ended(self) -> TrainingError:
        """Why the process is gone, in the last words it said."""
        code = self._process.wait()
        self._said.seek(0)
        lines = [line.strip() for line in self._said.read().splitlines() if line.strip()]
        last = lines[-1] if lines else "it said nothing"
        return TrainingError(f"{self.name}: its process ended with code {code}: {last}")


def environment(*, ours: bool) -> dict[str, str]:
    """This process's environment for one that plays, in which it finds this very i2i, installed or not.

    What our command line sets for our own threads is nothing that the reference's users have.
    """
    root = str(Path(__file__).resolve().parents[2])
    kept = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, (root, os.environ.get("PYTHONPATH"))))}
    if not ours and kept.get("GOMP_SPINCOUNT") == SPINCOUNT:
        del kept["GOMP_SPINCOUNT"]
    return kept


def python(module: str) -> list[str]:
    """The command that runs a module of ours."""
    return [sys.executable, "-m", module]
