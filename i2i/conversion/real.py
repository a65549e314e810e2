"""Where files really lie, links followed."""

import os
from pathlib import Path


def real(path: Path) -> Path:
    """Without links; of a link to itself, which Path.resolve() refuses, the link."""
    return Path(os.path.realpath(path))


class Folders:
    """Where files of a few folders really lie: each folder is looked up once, since that takes a call for every part
    of its name."""

    def __init__(self) -> None:
        self._real: dict[str, str] = {}

    def file(self, path: str) -> str:
        """The file's real name, as os.path.realpath says it."""
        if os.path.islink(path):  # noqa: PTH114  (a million)
            return os.path.realpath(path)
        folder, name = os.path.split(path)
        found = self._real.get(folder)
        if found is None:
            found = self._real[folder] = os.path.realpath(folder)
        return os.path.join(found, name)  # noqa: PTH118
