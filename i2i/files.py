"""Write files so that they are whole at every moment: beside, flushed to the disk, renamed."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


@contextmanager
def written_whole(path: Path) -> Iterator[IO[bytes]]:
    """A file to write that takes the name `path` when the block ends, and vanishes if it fails. Raises OSError."""
    beside = path.with_name(path.name + ".writing")
    try:
        if beside.is_symlink():  # it would be written where the link leads
            beside.unlink()
        with beside.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
    _flush_folder(path.parent)


def write_text(path: Path, text: str) -> None:
    """Text in UTF-8. Raises OSError."""
    with written_whole(path) as file:
        file.write(text.encode("utf-8"))


def write_safetensors(weights: "Mapping[str, Tensor]", metadata: dict[str, str], path: Path) -> None:
    """Weights that can be read without running code. Raises OSError."""
    from safetensors.torch import save

    # safetensors refuses strided layouts such as channels_last, and metadata that is not text.
    plain = {name: value.detach().cpu().contiguous() for name, value in weights.items()}
    with written_whole(path) as file:
        file.write(save(plain, metadata=metadata))


def make_writable(folder: Path) -> None:
    """Make a folder, and see that files can be made in it. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    with TemporaryFile(dir=folder):  # of a name that no link was laid for
        pass


def _flush_folder(folder: Path) -> None:
    """Make the rename itself durable; Windows has no such call and needs none."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
