"""Being asked to stop: what is under way is finished first; asked twice, nothing is waited for."""

import contextlib
import os
import signal
import threading
from types import FrameType
from typing import Any


class Stopping:
    """Within it, the first Ctrl-C or SIGTERM sets `event` and says `heard`; the second ends the process at once."""

    def __init__(self, heard: str) -> None:
        self.event = threading.Event()
        self.caught: signal.Signals | None = None
        self._heard = heard
        self._before: dict[signal.Signals, Any] = {}

    @property
    def code(self) -> int:
        """The exit code of a process that was told to stop: 130 after Ctrl-C, 143 after SIGTERM."""
        return 128 + (self.caught or signal.SIGINT)

    def __enter__(self) -> "Stopping":
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._before[number] = signal.signal(number, self._catch)
        return self

    def _catch(self, number: int, frame: FrameType | None) -> None:
        if self.caught is not None:
            _say("\x1b[?25h\r\n" if os.isatty(2) else "")  # a bar hides the cursor
            # Threads that read, compute and write would be waited for by any other way out.
            os._exit(128 + number)
        self.caught = signal.Signals(number)
        self.event.set()
        _say(("\r\x1b[K" if os.isatty(2) else "") + self._heard + "\n")

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)


def _say(text: str) -> None:
    """Past Python's own stream, which a handler may have interrupted in the middle of writing."""
    with contextlib.suppress(OSError):  # where nobody listens
        os.write(2, text.encode())
