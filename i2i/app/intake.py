"""What people drop on the page: pictures and zips, none of which is trusted."""

import os
import shutil
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from i2i import images
from i2i.app.drawing import Colour, palette_of
from i2i.app.limits import Limits
from i2i.data.archives import Limits as ArchiveLimits
from i2i.data.archives import unpack
from i2i.errors import DatasetError, PictureError


@dataclass(frozen=True, slots=True)
class Refused:
    """Something that is not translated, and why."""

    name: str
    reason: str


def take(uploads: Sequence[Path], into: Path, limits: Limits) -> list[Refused]:
    """Bring uploads into a folder, zips unpacked, and say what was refused: every picture that is left can be tried.

    What is given twice is taken once, and all zips share what one may unpack to. Raises DatasetError where there are
    more pictures than the limit, for no part of them would be the right one.
    """
    uploads = list(dict.fromkeys(uploads))
    _refuse_too_many(sum(images.is_picture(upload.name) for upload in uploads), limits)
    refused: list[Refused] = []
    left = limits.archive
    for upload in uploads:
        name = images.shown(upload.name)
        try:
            if upload.suffix.lower() == ".zip":
                folder = _unused(into, upload.stem)
                unpack(upload, folder, "zip", left)
                left = _without_used(left, folder)
            elif images.is_picture(upload.name):
                shutil.copyfile(upload, _unused(into, upload.name))
            else:
                refused.append(Refused(name, "no picture (jpg, png, webp, bmp, tif) and no zip of pictures"))
        except DatasetError as error:
            refused.append(Refused(name, _without(str(error), upload).replace(f"{into}{os.sep}", "")))
        except OSError as error:  # a name that is too long with what is put to it
            refused.append(Refused(name, f"cannot be kept here: {error.strerror}"))
    pictures = pictures_in(into)
    _refuse_too_many(len(pictures), limits)
    for picture in pictures:
        reason = _too_large(picture, limits)
        if reason:
            refused.append(Refused(images.shown(picture.relative_to(into)), reason))
            picture.unlink()
    return refused


def keep_apart(folder: Path) -> None:
    """Rename pictures that only their formats tell apart, as `a.png` and `a.jpg`: results are to have one format."""
    seen = set[str]()
    for picture in pictures_in(folder):
        place = picture
        if _key(str(picture.with_suffix(""))) in seen:
            place = picture.rename(_unused(picture.parent, picture.name, by_stem=True))
        seen.add(_key(str(place.with_suffix(""))))


def take_palette(upload: Path, limits: Limits) -> tuple[Colour, ...]:
    """The colours of a label map. Raises DatasetError, with the file's own name and none of our folders."""
    reason = _too_large(upload, limits)
    if not reason:
        try:
            return palette_of(upload)
        except PictureError as error:
            reason = _without(str(error), upload)
    raise DatasetError(f"{images.shown(upload.name)}: {reason}")


def pictures_in(folder: Path) -> list[Path]:
    """All pictures of a folder, by name; links are no pictures."""
    found = sorted(path for path in folder.rglob("*") if images.is_picture(path.name))
    return [path for path in found if path.is_file() and not path.is_symlink()]


def _refuse_too_many(count: int, limits: Limits) -> None:
    if count > limits.pictures:
        raise DatasetError(
            f"{count} pictures, and {limits.pictures} are translated in one go here. Give fewer, or use "
            f"i2i translate, which has no limit."
        )


def _without_used(left: ArchiveLimits, folder: Path) -> ArchiveLimits:
    """What the next zip may unpack to, after one that became this folder."""
    inside = list(folder.rglob("*"))
    used = sum(path.stat().st_size for path in inside if path.is_file())
    return replace(left, entries=left.entries - len(inside), total_bytes=left.total_bytes - used)


def _too_large(picture: Path, limits: Limits) -> str:
    """Why a picture is refused by its header alone; empty where it is not."""
    try:
        header = images.probe(picture)
    except PictureError as error:
        return _without(str(error), picture)
    if header.width * header.height > limits.megapixels * 1_000_000:
        size = f"{header.width} x {header.height} pixels"
        return f"{size} are more than the {limits.megapixels} megapixels that are taken here"
    return ""


def _unused(folder: Path, name: str, *, by_stem: bool = False) -> Path:
    """A path of that name which is not there yet, also where disks do not tell cases apart; or not in any format."""

    def key(name: str) -> str:
        return _key(Path(name).stem if by_stem else name)

    there = {key(path.name) for path in folder.iterdir()}
    plain = Path(name)
    count, tried = 1, name
    while key(tried) in there:
        count += 1
        tried = f"{plain.stem} ({count}){plain.suffix}"
    return folder / tried


def _key(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


def _without(message: str, path: Path) -> str:
    """A message without the path that it begins with: it is of our own folder."""
    return message.removeprefix(f"{path}: ").removeprefix(f"{images.shown(path)}: ").replace(str(path), path.name)
