"""A process that plays rounds when it is told to: its side of the pipe. A line of JSON a message.

    parent: the task          child: {"ready": ...}
    parent: {"rounds": 20}    child: {"played": ...}          and so on, until the parent closes the pipe

Nothing of ours is imported here, because the process that runs the reference uses it too.
"""

import json
import os
import sys
from typing import Any


class Channel:
    """Reads what is to be done, and answers. Whatever else the process prints goes to stderr."""

    def __init__(self) -> None:
        self._answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
        os.dup2(2, 1)

    def task(self) -> dict[str, Any]:
        """What this process is for: the first message."""
        return json.loads(sys.stdin.readline())

    def rounds(self) -> int | None:
        """Wait until rounds are to be played; None at the end."""
        line = sys.stdin.readline()
        return int(json.loads(line)["rounds"]) if line.strip() else None

    def answer(self, kind: str, content: Any) -> None:
        """Say that something is `ready`, was `played`, or that it cannot be: `error`."""
        self._answers.write(json.dumps({kind: content}) + "\n")
        self._answers.flush()
