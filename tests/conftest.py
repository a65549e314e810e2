import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

# Read when torch is first imported. Networks as small as the tests' only lose time to a second thread.
os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.fixture
def start() -> Iterator[Callable[..., "subprocess.Popen[str]"]]:
    """Starts programs; those that a test leaves running are killed, where Popen itself would wait for their end."""
    with ExitStack() as after:

        def started(command: list[str], **options: Any) -> "subprocess.Popen[str]":
            process = after.enter_context(subprocess.Popen(command, text=True, **options))
            after.callback(process.kill)
            return process

        yield started
