"""Decoded pictures, one behind the other: in memory, or in a file that is mapped into memory."""

import os
import struct
import zlib
from pathlib import Path
from typing import IO, Any, Protocol

import numpy as np
import torch
from torch import Tensor

from i2i.images.pixels import Array

_FOOTER = struct.Struct("<8sQQII")
"""Magic, number of pictures, bytes of pixels, checksums of the pixels and of the table of shapes."""
_MAGIC = b"i2i-px01"
_CHUNK = 1 << 26
"""Bytes read or copied at a time."""


class Store:
    """Pictures of any sizes by their place in a list. uint8, (C, H, W) each.

    One that lies in a file is mapped anew by every process that it is sent to.
    """

    def __init__(self, pixels: Tensor | Path, shapes: Array) -> None:
        """`pixels` is a flat uint8 tensor, or the file; `shapes` is (pictures, 3) of C, H, W."""
        self.path = pixels if isinstance(pixels, Path) else None
        self.shapes = shapes.astype(np.int64)
        sizes = self.shapes.prod(axis=1)
        self.offsets = np.concatenate([[0], np.cumsum(sizes)])
        self.empty = sizes == 0
        """Which have no pixels: they could not be decoded."""
        self.whole = not self.empty.any()
        self._tensor = pixels if isinstance(pixels, Tensor) else None
        self._mapped: Array | None = None

    @property
    def bytes(self) -> int:
        """Of all pixels."""
        return int(self.offsets[-1])

    def flat(self) -> Array:
        """All pixels, (bytes,) uint8; not to be written to."""
        if self._tensor is not None:
            # Asked for every time: sending a tensor to a worker moves it into shared memory.
            return self._tensor.numpy()
        if self._mapped is None:
            assert self.path is not None
            self._mapped = np.memmap(self.path, np.uint8, "r", shape=(self.bytes,)) if self.bytes else np.empty(0, "u1")
        return self._mapped

    def planes(self, place: int) -> Array:
        """A picture as networks see it, (C, H, W); a view."""
        start, end = self.offsets[place], self.offsets[place + 1]
        return self.flat()[start:end].reshape(self.shapes[place])

    def picture(self, place: int) -> Array:
        """A picture as it was decoded, (H, W, C); a view."""
        return self.planes(place).transpose(1, 2, 0)

    def on(self, device: torch.device) -> Tensor:
        """All pixels on a device, (bytes,) uint8."""
        pixels = torch.empty(self.bytes, dtype=torch.uint8, device=device)
        flat = self.flat()
        for start in range(0, self.bytes, _CHUNK):
            part = flat[start : start + _CHUNK]
            # Torch wants an array that may be written to, which a mapped file is not.
            pixels[start : start + len(part)].copy_(torch.from_numpy(np.array(part)))
        return pixels

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_mapped": None}


class Sink(Protocol):
    """What takes pictures in their order and makes a Store of them."""

    def add(self, pixels: Tensor, shapes: Tensor) -> None:
        """Some more: flat pixels, and (pictures, 3) of C, H, W."""


class InMemory:
    """Collects pictures in memory."""

    def __init__(self, expected: int) -> None:
        """`expected` bytes are set aside: pages that are not written to cost nothing."""
        self._pixels = torch.empty(max(1, expected), dtype=torch.uint8)
        self._used = 0
        self._shapes: list[Array] = []

    def add(self, pixels: Tensor, shapes: Tensor) -> None:
        end = self._used + len(pixels)
        if end > len(self._pixels):
            larger = torch.empty(2 * end, dtype=torch.uint8)
            larger[: self._used] = self._pixels[: self._used]
            self._pixels = larger
        self._pixels[self._used : end] = pixels
        self._used = end
        self._shapes.append(shapes.numpy().copy())

    def store(self) -> Store:
        """All that was added."""
        return Store(self._pixels[: self._used], np.concatenate(self._shapes))


class InFile:
    """Collects pictures in a file: the pixels, the table of shapes, and a footer that vouches for both."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._checksum = self._bytes = 0
        self._shapes: list[Array] = []

    def add(self, pixels: Tensor, shapes: Tensor) -> None:
        """Raises OSError where the disk is full."""
        data = pixels.numpy().tobytes()
        self._file.write(data)
        self._checksum = zlib.crc32(data, self._checksum)
        self._bytes += len(data)
        self._shapes.append(shapes.numpy().copy())

    def finish(self) -> None:
        """Write what vouches for the file. Raises OSError."""
        table = np.concatenate(self._shapes).astype("<i4").tobytes()
        self._file.write(table)
        self._file.write(_FOOTER.pack(_MAGIC, len(table) // 12, self._bytes, self._checksum, zlib.crc32(table)))


def opened(path: Path) -> Store | None:
    """The store in a file that InFile wrote; None where there is none, or where any byte of it is not as written."""
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            if size < _FOOTER.size:
                return None
            file.seek(size - _FOOTER.size)
            magic, count, length, pixels, shapes = _FOOTER.unpack(file.read(_FOOTER.size))
            if magic != _MAGIC or size != length + 12 * count + _FOOTER.size:
                return None
            file.seek(length)
            table = file.read(12 * count)
            if zlib.crc32(table) != shapes:
                return None
            file.seek(0)
            checksum, left = 0, length
            while left and (part := file.read(min(_CHUNK, left))):
                checksum, left = zlib.crc32(part, checksum), left - len(part)
            if left or checksum != pixels:
                return None
    except OSError:
        return None
    store = Store(path, np.frombuffer(table, "<i4").reshape(-1, 3))
    return store if store.bytes == length else None
