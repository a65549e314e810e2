"""Which pictures of a folder are translations of which inputs, whatever program named them."""

from collections.abc import Sequence
from pathlib import Path

from i2i.data.listing import Listing, scan, some, stem
from i2i.errors import DatasetError


def translations(folder: Path, names: Sequence[str], among: Sequence[str] = ()) -> dict[str, Path]:
    """For each name the picture whose stem is that name, or begins with it: `12` finds 12.png or 12_fake_B.png.

    What follows the name begins with none of letters and digits, and the longest name that fits has the picture. Where
    several fit, the one that says "fake" is it. `among` are further names that have pictures there, maybe, and are not
    asked for. Raises DatasetError over a name without a picture, or with several.
    """
    listing = scan(folder)
    known = {*names, *among}
    found: dict[str, list[str]] = {name: [] for name in names}
    for file in listing.names:
        name = _longest(stem(file), known)
        if name in found:
            found[name].append(file)
    missing = [name for name in names if not found[name]]
    if missing:
        raise DatasetError(
            f"{folder}: has no picture of {len(missing)} of {len(names)}: {some(missing)}. Wanted is one picture of "
            f"each, named like it ({names[0]}.png or {names[0]}_fake.png). Translate the whole split."
        )
    return {name: _only(listing, found[name], name) for name in names}


def _longest(text: str, names: set[str]) -> str | None:
    for end in range(len(text), 0, -1):
        if text[:end] in names and not text[end : end + 1].isalnum():
            return text[:end]
    return None


def _only(listing: Listing, files: list[str], name: str) -> Path:
    if len(files) > 1:
        files = [file for file in files if "fake" in file] or files
    if len(files) > 1:
        raise DatasetError(
            f"{listing.folder}: {some(files)} all begin with {name}, but one translation of it is wanted. Keep the "
            "translations in a folder of their own."
        )
    return listing.folder / files[0]
