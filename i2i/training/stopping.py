"""Being asked to stop: the round is finished and the run saved first."""

import signal
import threading
from types import FrameType
from typing import Any


class Signals:
    """Remembers that the process was asked to stop, so that a round is finished and the run saved first."""

    caught: signal.Signals | None = None

    def __enter__(self) -> "Signals":
        names = ("SIGINT", "SIGTERM", "SIGUSR1")  # Windows has no SIGUSR1
        self._before: dict[int, Any] = {}
        if threading.current_thread() is threading.main_thread():
            for name in names:
                if hasattr(signal, name):
                    number = getattr(signal, name)
                    self._before[number] = signal.signal(number, self._catch)
        return self

    def _catch(self, number: int, frame: FrameType | None) -> None:
        self.caught = signal.Signals(number)

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
