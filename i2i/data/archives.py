"""Unpack an archive that nobody vouches for: it may fill its own folder and touch nothing else."""

import gzip
import os
import re
import shutil
import stat
import struct
import tarfile
import tempfile
import unicodedata
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal

from i2i.errors import DatasetError

ArchiveKind = Literal["tar.gz", "zip"]

_CHUNK = 1 << 20
_BROKEN_ZIP = (zipfile.BadZipFile, struct.error, NotImplementedError, ValueError)
_BROKEN_TAR = (tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError)
_HEADER_BYTES = 1 << 20  # a tar header is some hundred bytes; tarfile reads whatever one claims into memory
_JUNK = re.compile(r"(^|/)(__MACOSX(/|$)|\._|\.DS_Store$)")
_SPLIT = re.compile(r"(train|val|test)", re.IGNORECASE)
_WINDOWS_DEVICE = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)
_WINDOWS_FORBIDS = str.maketrans(dict.fromkeys(':<>|"?*', "_"))


@dataclass(frozen=True, slots=True)
class Limits:
    """What an archive may grow to. The largest public set is 138,000 pictures in 8 GB, and JPEG does not compress."""

    entries: int = 1_000_000
    total_bytes: int = 64 << 30
    ratio: float = 50.0  # unpacked bytes a packed byte ...
    ratio_from: int = 64 << 20  # ... judged once this much is unpacked


@dataclass(frozen=True, slots=True)
class _Entry:
    """One member of an archive: its name as written there, the size it claims, its bytes (None for a folder)."""

    name: str
    size: int = 0
    data: IO[bytes] | None = None


def unpack(archive: Path, into: Path, kind: ArchiveKind, limits: Limits | None = None) -> None:
    """Unpack `archive` so that `into` appears at the end, whole, or not at all.

    A single folder around everything (`facades/train/1.jpg`) is taken off. Raises DatasetError, with nothing left
    behind, for an archive that is broken, outgrows `limits`, or holds a name, link or device that could reach out.
    """
    into.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix=f".{into.name}.unpacking-", dir=into.parent))
    try:
        root = work / "set"
        root.mkdir()
        _write_all(archive, root, kind, limits or Limits())
        inside = list(root.iterdir())
        if not inside:
            raise DatasetError(f"{archive}: the archive is empty.")
        wrapped = len(inside) == 1 and inside[0].is_dir() and not _SPLIT.match(inside[0].name)
        if into.is_dir() and not any(into.iterdir()):
            into.rmdir()
        os.replace(inside[0] if wrapped else root, into)  # noqa: PTH105 (says what it does: in place, at once)
    except (*_BROKEN_ZIP, *_BROKEN_TAR) as error:
        raise DatasetError(f"{archive}: not a whole {kind} archive ({error}). Remove it and fetch it again.") from error
    except OSError as error:
        raise DatasetError(f"{archive}: could not be unpacked into {into}: {error.strerror or error}.") from error
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _write_all(archive: Path, root: Path, kind: ArchiveKind, limits: Limits) -> None:
    packed, written, seen = archive.stat().st_size, 0, dict[str, str]()
    allowed = min(limits.total_bytes, max(limits.ratio_from, int(limits.ratio * packed)))

    def check(size: int, name: str) -> None:
        if size > allowed:
            raise DatasetError(
                f"{archive}: refused, its {packed:,} bytes unpack to {size:,} and more (at {name!r}). "
                f"From an archive of pictures of that size {allowed:,} are accepted."
            )

    entries = _tar_entries(archive) if kind == "tar.gz" else _zip_entries(archive)
    for count, entry in enumerate(entries, start=1):
        if count > limits.entries:
            raise DatasetError(f"{archive}: refused, it holds more than {limits.entries:,} files and folders.")
        if entry.data is None or _JUNK.search(entry.name):
            continue
        target = _place(root, entry.name, archive, seen)
        check(written + entry.size, entry.name)
        before = written
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("xb") as file:
            while chunk := entry.data.read(_CHUNK):
                written += len(chunk)
                check(written, entry.name)
                file.write(chunk)
        if written - before != entry.size:
            raise DatasetError(f"{archive}: {entry.name!r} claims {entry.size:,} bytes and has {written - before:,}.")


def _place(root: Path, name: str, archive: Path, seen: dict[str, str]) -> Path:
    """Where a file of this name goes below `root`; refuses names that differ by case or an accent's spelling."""
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if not parts:
        raise DatasetError(f"{archive}: refused, it holds a file without a name.")
    if os.name == "nt":
        parts = [part.translate(_WINDOWS_FORBIDS) for part in parts]
    for depth in range(1, len(parts) + 1):
        path, is_file = "/".join(parts[:depth]), depth == len(parts)
        key = unicodedata.normalize("NFC", path).casefold()
        spelled = path + ("" if is_file else "/")
        if seen.setdefault(key, spelled) != spelled or (is_file and (root / path).exists()):
            raise DatasetError(f"{archive}: refused, {name!r} and {seen[key]!r} are one and the same on some disks.")
    return root.joinpath(*parts)


def _check_name(name: str, archive: Path) -> None:
    parts = name.split("/")
    bad = (
        "an absolute path" if name.startswith("/") or re.match(r"[A-Za-z]:([/\\]|$)", name)
        else "a path out of its folder" if ".." in parts
        else "a backslash" if "\\" in name
        else "a control character" if any(unicodedata.category(letter) in ("Cc", "Cs") for letter in name)
        else "a name that Windows keeps for devices" if any(_WINDOWS_DEVICE.fullmatch(part) for part in parts)
        else ""
    )  # fmt: skip
    if bad:
        raise DatasetError(f"{archive}: refused, it holds {bad}: {name!r}.")


class _Rationed:
    """A stream that gives no more bytes than were allowed: tarfile reads a header of any claimed size into memory."""

    def __init__(self, file: gzip.GzipFile, archive: Path) -> None:
        self.file, self.archive, self.left = file, archive, 0

    def allow(self, count: int) -> None:
        self.left = count + _HEADER_BYTES

    def read(self, count: int) -> bytes:
        data = self.file.read(count)
        self.left -= len(data)
        if self.left < 0:
            raise DatasetError(
                f"{self.archive}: refused, it holds over {_HEADER_BYTES:,} bytes that belong to no file."
            )
        return data


def _tar_entries(archive: Path) -> Iterator[_Entry]:
    with gzip.open(archive) as unzipped:
        stream = _Rationed(unzipped, archive)
        stream.allow(0)
        with tarfile.open(fileobj=stream, mode="r|") as tar:  # type: ignore[call-overload]  # needs read() alone
            while (member := tar.next()) is not None:
                name = member.name
                _check_name(name, archive)
                if member.isdir():
                    yield _Entry(name)
                elif not member.isreg() or member.issparse():
                    raise DatasetError(f"{archive}: refused, {name!r} is a link, device or sparse file.")
                else:
                    stream.allow(member.size)
                    data = tar.extractfile(member)
                    assert data is not None  # a regular file always opens
                    yield _Entry(name, member.size, data)
                tar.members.clear()  # type: ignore[attr-defined]  # a list of all files so far, which nobody asks for
                stream.allow(0)
        while stream.read(_CHUNK):  # to the end, where gzip compares its checksum
            pass


def _zip_entries(archive: Path) -> Iterator[_Entry]:
    with zipfile.ZipFile(archive) as zipped:
        for info in zipped.infolist():
            name, mode = info.orig_filename, info.external_attr >> 16  # filename is cut at a NUL; orig_filename is not
            _check_name(name, archive)
            if stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR):
                raise DatasetError(f"{archive}: refused, {name!r} is a link or device.")
            if name.endswith("/"):
                yield _Entry(name)
                continue
            if info.flag_bits & 1 or info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                # bzip2 and lzma are unpacked by zipfile without a bound on memory.
                raise DatasetError(f"{archive}: refused, {name!r} is encrypted or not packed by deflate.")
            with closing(zipped.open(info)) as data:
                yield _Entry(name, info.file_size, data)
