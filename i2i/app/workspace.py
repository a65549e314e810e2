"""The page's own folders: nothing else is written to, and nothing outside of them can be fetched."""

import secrets
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class JobFolder:
    """What one translation takes and makes. Its name is 128 random bits, so that nobody else can ask for it."""

    root: Path

    @property
    def inputs(self) -> Path:
        """What was uploaded and taken."""
        return self.root / "pictures"

    @property
    def outputs(self) -> Path:
        """What was made of it."""
        return self.root / "translated"

    def remove(self) -> None:
        """Whatever is left of it."""
        shutil.rmtree(self.root, ignore_errors=True)


class Workspace:
    """A folder that is there as long as the page is."""

    def __init__(self) -> None:
        self.root = Path(tempfile.mkdtemp(prefix="i2i-app-")).resolve()

    def job(self) -> JobFolder:
        """A new folder for one translation."""
        folder = JobFolder(self.root / secrets.token_hex(16))
        folder.inputs.mkdir(parents=True)
        folder.outputs.mkdir()
        return folder

    def close(self) -> None:
        """Remove all of it."""
        shutil.rmtree(self.root, ignore_errors=True)
