"""Keep a training set decoded: in memory, or in a file that the next run takes up."""

import contextlib
import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal

import numpy as np
import PIL
import torch
from torch import Tensor
from torch.utils.data import Dataset

from i2i.data import machine
from i2i.data.listing import spread
from i2i.data.loading import make_loader
from i2i.data.settings import Cache
from i2i.data.store import InFile, InMemory, Sink, Store, opened
from i2i.data.training_set import TrainingSet
from i2i.data.unreadable import Unreadable, merged
from i2i.errors import PictureError
from i2i.files import written_whole
from i2i.images import shown

Progress = Callable[[int, int], None]
"""Called with (groups decoded, all of them)."""

_FORMAT = 2
"""Raised with whatever changes what decoding gives, so that no run takes up pixels of another version."""
_FILES_A_CORE = 500_000_000
"""Bytes of picture files, a core, that `auto` decodes up front: half a minute of JPEG."""
_OF_MEMORY, _OF_MEMORY_ASKED, _OF_DISK = 0.5, 0.8, 0.8
"""Shares that are taken of what is free: of memory by `auto`, of memory that was asked for, of the disk."""
_SUFFIX = ".pixels"
_LOOKED_AT = 200
"""Headers that are read to foresee the bytes of a set."""
_FEW = 64
"""Groups that are decoded sooner by one process than others are started."""
_AT_ONCE = 16


def default_folder() -> Path:
    """Where the user's caches lie: $XDG_CACHE_HOME/i2i, or ~/.cache/i2i."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "i2i"


def keep(
    dataset: TrainingSet[Any],
    choice: Cache,
    folder: Path | None = None,
    *,
    workers: int,
    passes: float,
    progress: Progress = lambda done, total: None,
    unreadable: Unreadable | None = None,
) -> list[str]:
    """Decode a set by `workers` processes and keep it in `dataset.kept`, where that fits and pays; what was done.

    `passes` is how often the run will go through the set. What cannot be read is kept as a picture without pixels, and
    `unreadable` hears of it. Raises UserError where that is too much, or where a picture cannot be used.
    """
    if choice == "none" or not passes:
        return []
    if dataset.deep:
        return ["pictures of 16 bits are decoded every epoch: only those of 8 bits are kept decoded"]
    if choice == "auto" and passes < 2:
        return []  # decoding it all would take longer than the run needs
    folder = folder or default_folder()
    unreadable = unreadable or Unreadable(dataset)
    if choice != "memory" and any(folder.glob(f"*{_SUFFIX}")):
        path = folder / f"{_digest(dataset)}{_SUFFIX}"
        if (store := _taken_up(dataset, path, unreadable)) is not None:
            dataset.kept = store
            return [f"{dataset.counted} decoded by an earlier run: {_size(store.bytes)} in {shown(path)}"]
    expected = expected_bytes(dataset)
    where, reason = _place(dataset, choice, expected, folder)
    if where is None:
        return [f"pictures are decoded every epoch: {reason}"]
    workers = 0 if dataset.groups <= _FEW else workers
    notes: list[str] = []
    if where == "disk":
        path = folder / f"{_digest(dataset)}{_SUFFIX}"
        try:
            dataset.kept = store = _on_disk(dataset, path, workers, progress, unreadable)
        except OSError as error:
            reason = error.strerror or str(error)
            notes.append(f"{shown(folder)}: decoded pictures cannot be kept there: {reason}. Choose with --cache-dir")
            if choice == "disk" or expected > _memory(_OF_MEMORY):
                return [*notes, "pictures are decoded every epoch"]
        else:
            return [f"{dataset.counted} decoded once and kept in {shown(path)}: {_size(store.bytes)}"]
    sink = InMemory(expected)
    _fill(dataset, sink, workers, progress, unreadable)
    dataset.kept = sink.store()
    return [*notes, f"{dataset.counted} decoded once and kept in memory: {_size(dataset.kept.bytes)}"]


def _place(
    dataset: TrainingSet[Any], choice: Cache, expected: int, folder: Path
) -> tuple[Literal["memory", "disk"] | None, str]:
    """Memory or disk; or neither, and why."""
    memory, disk = _memory(_OF_MEMORY if choice == "auto" else _OF_MEMORY_ASKED), _disk(folder)
    fits_memory, fits_disk = expected <= memory, disk is not None and expected <= disk
    in_memory = f"{_size(memory)} of memory"
    on_disk = f"{_size(disk or 0)} in {shown(folder)}"
    if choice == "memory":
        return ("memory", "") if fits_memory else (None, f"{_size(expected)} would not fit into {in_memory}")
    if choice == "disk":
        return ("disk", "") if fits_disk else (None, f"{_size(expected)} would not fit into {on_disk} (--cache-dir)")
    if not fits_memory and not fits_disk:
        return None, f"{_size(expected)} would fit neither into {in_memory} nor into {on_disk} (--cache-dir)"
    files = sum(_stat(path)[0] for path in dataset.all_files())
    if files > _FILES_A_CORE * machine.cores():
        return None, f"{_size(files)} of files would take long to decode up front (--cache memory or disk does it)"
    # Processes side by side decode it once for all of them.
    return ("disk", "") if fits_disk and (machine.siblings() > 1 or not fits_memory) else ("memory", "")


def _memory(share: float) -> int:
    return int(share * machine.free_memory()) // machine.siblings()


def _disk(folder: Path) -> int | None:
    """Bytes that may be used where a folder is, or will be; None where there is no such disk."""
    for place in (folder, *folder.parents):
        with contextlib.suppress(OSError):
            return int(_OF_DISK * shutil.disk_usage(place).free)
    return None


# ------------------------------------------------------------------------------------------------------------- filling


def _taken_up(dataset: TrainingSet[Any], path: Path, unreadable: Unreadable) -> Store | None:
    """What an earlier run has decoded; None where it is not whole, or lacks what can be read by now."""
    store = opened(path)
    if store is None or store.whole:
        return store
    failed: dict[int, str] = {}
    for group in np.flatnonzero(store.empty[:: dataset.together]).tolist():
        try:
            dataset.decode(group)
        except PictureError as error:
            failed[group] = str(error)
        else:
            return None
    unreadable.hear(failed)
    return store


def _on_disk(dataset: TrainingSet[Any], path: Path, workers: int, progress: Progress, unreadable: Unreadable) -> Store:
    """Decode into a file that is there when it is whole. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with _alone(path.with_suffix(".lock")):
        store = _taken_up(dataset, path, unreadable)  # another process may have made it while this one waited
        if store is None:
            with written_whole(path) as file:
                sink = InFile(file)
                _fill(dataset, sink, workers, progress, unreadable)
                sink.finish()
            store = opened(path)
        if store is None:
            raise OSError(5, "what was written there reads differently")
    return store


@contextlib.contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Wait for the process that fills the same file. Where a system has no such locks, each fills its own."""
    try:
        import fcntl
    except ImportError:  # Windows
        yield
        return
    with path.open("wb") as file:
        with contextlib.suppress(OSError):
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _fill(dataset: TrainingSet[Any], sink: Sink, workers: int, progress: Progress, unreadable: Unreadable) -> None:
    count = dataset.groups
    batches = [list(range(start, min(start + _AT_ONCE, count))) for start in range(0, count, _AT_ONCE)]
    done = 0
    for pixels, shapes, groups, failed in make_loader(_Groups(dataset), batches, workers, collate=_joined):
        unreadable.hear(failed)
        sink.add(pixels, shapes)
        done += groups
        progress(done, count)


_Decoded = tuple[Tensor, Tensor, int, dict[int, str]]
"""Flat pixels, (pictures, 3) of C, H, W, the number of groups, and which of them could not be read and why."""


class _Groups(Dataset[_Decoded]):
    """Every group, decoded; one that cannot be read is of pictures without pixels."""

    def __init__(self, dataset: TrainingSet[Any]) -> None:
        self.dataset = dataset

    def __getitem__(self, index: int) -> _Decoded:
        try:
            pictures = self.dataset.decode(index)
        except PictureError as error:
            nothing = torch.zeros(self.dataset.together, 3, dtype=torch.int64)
            return torch.zeros(0, dtype=torch.uint8), nothing, 1, {index: str(error)}
        self.dataset.transforms[0].check_size(pictures[0], self.dataset.files(index)[0])
        planes = [torch.from_numpy(picture).permute(2, 0, 1) for picture in pictures]
        pixels = torch.cat([plane.reshape(-1) for plane in planes])
        return pixels, torch.tensor([tuple(plane.shape) for plane in planes]), 1, {}


def _joined(items: list[_Decoded]) -> _Decoded:
    pixels, shapes, groups, failed = zip(*items, strict=True)
    return torch.cat(pixels), torch.cat(shapes), sum(groups), merged(failed)


# ------------------------------------------------------------------------------------------------------ what it will be


def expected_bytes(dataset: TrainingSet[Any]) -> int:
    """Of all pictures, decoded and resized, by some of their headers; exact where all are resized to one size."""
    sizes = []
    for group in spread(range(dataset.groups), _LOOKED_AT):
        with contextlib.suppress(PictureError):  # named when its turn comes
            sizes.append(sum(channels * height * width for channels, height, width in dataset.shapes(group)))
    return round(sum(sizes) / max(1, len(sizes)) * dataset.groups)


def _digest(dataset: TrainingSet[Any]) -> str:
    """A name for the pixels that files and settings decode to: another one whenever any of them changes."""
    settings = dataset.settings
    identity = _FORMAT, PIL.__version__, dataset.identity, settings.crop, settings.loaded, settings.resize
    digest = hashlib.sha256(repr(identity).encode())
    for path in dataset.all_files():
        digest.update(os.fsencode(path.absolute()) + repr(_stat(path)).encode())
    return digest.hexdigest()[:32]


def _stat(path: Path) -> tuple[int, int]:
    """Bytes and time of change; nothing of a file that is gone, which is named when it is read."""
    try:
        found = path.stat()
    except OSError:
        return 0, 0
    return found.st_size, found.st_mtime_ns


def _size(count: float) -> str:
    for unit in ("B", "kB", "MB"):
        if count < 1000:
            return f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:.3g} GB"
