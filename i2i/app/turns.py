"""One device for several people: who asked first is next."""

import threading
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from i2i.translator import Translator
from i2i.translator.pictures import Array


class Turns:
    """A lock that is handed over in the order it was asked for.

    Of Python's own the thread that just released it takes it again, so that whoever came second would wait for all of
    the first one's pictures.
    """

    def __init__(self) -> None:
        self._inside = threading.Lock()
        self._queue: deque[threading.Semaphore] = deque()

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait for one's turn; the next one comes when the block ends."""
        mine = threading.Semaphore(0)
        with self._inside:
            self._queue.append(mine)
            waits = len(self._queue) > 1
        if waits:
            mine.acquire()
        try:
            yield
        finally:
            with self._inside:
                self._queue.popleft()
                if self._queue:
                    self._queue[0].release()

    @property
    def waiting(self) -> int:
        """How many have asked, with the one whose turn it is."""
        return len(self._queue)


class SharedTranslator(Translator):
    """A translator whose network sees one batch at a time, whoever it is of: memory is needed once."""

    turns = Turns()
    """Of all of them, since they share the device."""

    def translate_together(self, pictures: Sequence[Array]) -> list[Array]:
        with self.turns.turn():
            return super().translate_together(pictures)
