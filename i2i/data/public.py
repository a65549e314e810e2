"""The public sets: read their recipes (`datasets/*.yaml`), fetch one, check it, unpack it."""

import difflib
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import Field, TypeAdapter, ValidationError

from i2i.data.archives import unpack
from i2i.data.class_folders import fetch_class_folders
from i2i.data.download import Report, check_room, download
from i2i.errors import DatasetError, SettingsError
from i2i.settings import Count, Direction, Positive, settings

Text = Annotated[str, Field(min_length=1)]
Address = Annotated[str, Field(pattern=r"^https?://[^\s/]+/\S*$")]


@settings
class PublicSet:
    """One recipe file: where a set comes from, on what terms, what is in it, what trains on it."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]*$")]
    """Name of the set, of its recipe file and of its folder."""

    about: Text
    """What the pictures show, in a sentence."""

    source: Address
    """Page to download it from by hand."""

    origin: Address
    """Page of those who made the pictures: what to read and to cite."""

    licence: Text
    """Terms as far as they are stated."""

    archive: Literal["tar.gz", "zip", "torchvision", "manual"]
    """How it comes: an archive, through torchvision, or only by your own hand."""

    urls: tuple[Address, ...] = ()
    """Addresses of the archive, tried in order."""

    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] | None = None
    """Checksum of the archive; without one, that of the first download is kept in NAME.json beside it and holds."""

    download_bytes: Positive | None = None
    """Size of the archive, about."""

    pictures: dict[str, Count] = Field(default_factory=dict)
    """Files in each split, where it is known."""

    layout: Literal["side-by-side", "unpaired", "list", "classes"]
    """How pictures lie in the folder (docs of the command line: folders that are understood)."""

    A: str = ""
    """What A shows: the left half, or trainA."""

    B: str = ""
    """What B shows: the right half, or trainB."""

    recipe: Text
    """Training recipe that fits."""

    direction: Direction | None = None
    """Direction that the paper trains, for pairs."""

    note: str = ""
    """What else one has to know."""


def public_sets() -> dict[str, PublicSet]:
    """Every public set by name, in alphabetical order."""
    files = sorted(_recipes().glob("*.yaml"))
    return {one.name: one for one in map(read_recipe, files)}


def read_recipe(path: Path) -> PublicSet:
    """Read and check one recipe file. Raises SettingsError with the file, the key and what is wrong with it."""
    try:
        one = TypeAdapter(PublicSet).validate_json(json.dumps(yaml.safe_load(path.read_text(encoding="utf-8"))))
    except (yaml.YAMLError, TypeError) as error:
        raise SettingsError(f"{path}: not readable as YAML: {error}") from error
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise SettingsError(f"{path}: {wrong}") from error
    if one.name != path.stem:
        raise SettingsError(f"{path}: the set is called {one.name!r}, but its file {path.name!r}. Give them one name.")
    if bool(one.urls) != (one.archive in ("tar.gz", "zip")):
        raise SettingsError(f"{path}: urls belong to archives (tar.gz, zip) and to nothing else, not {one.archive!r}.")
    return one


def fetch(name: str, root: Path, *, progress: Report | None = None, urls: Sequence[str] | None = None) -> Path:
    """Bring a public set to `root`/`name` and return that folder; one that is there already is left as it is.

    `progress` is called with what is done and what is to do (None if unknown): bytes, or pictures for torchvision's.
    `urls` takes the place of the recipe's addresses. Raises DatasetError: unknown set, offline, no room, wrong file.
    """
    one = _find(name)
    folder = root / one.name
    by_hand = f"You can download it by hand from {one.source} and unpack it into {folder}."
    if folder.is_dir() and any(folder.iterdir()):
        return folder
    if one.archive == "manual":
        raise DatasetError(f"{name}: cannot be fetched for you. {' '.join(one.note.split())} Its folder is {folder}.")
    try:
        root.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DatasetError(f"{root}: cannot be used as a folder for {name}: {error.strerror}.") from error
    if one.archive == "torchvision":
        fetch_class_folders(name, folder, source=one.source, report=progress)
        return folder

    archive = root / f"{name}.{one.archive}"
    record = root / f"{name}.json"
    expected = one.sha256 or _recorded(record)
    found = archive.is_file()  # by hand, or by a call that was stopped while it unpacked
    url = str(archive)
    if not found:
        url = _download(one, urls or one.urls, archive, by_hand, progress)
    digest = _sha256(archive)
    if expected and digest != expected:
        if not found:
            archive.unlink()
        why = "its recipe" if one.sha256 else f"{record} of the first download; remove that if you trust the new file"
        raise DatasetError(
            f"{name}: {url} has the wrong checksum: sha256 {digest}, and {expected} was expected by {why}. "
            + ("Remove the file and fetch again." if found else "The file was removed. Try again, or another mirror.")
        )
    size = archive.stat().st_size
    check_room(root, size, name, "unpacking")  # pictures are packed already: an archive of them is as large as they are
    try:
        unpack(archive, folder, one.archive)
    except DatasetError:
        if not found:
            archive.unlink()
        raise
    record.write_text(json.dumps({"name": name, "url": url, "bytes": size, "sha256": digest}, indent=1) + "\n")
    if not found:
        archive.unlink()
    return folder


def _find(name: str) -> PublicSet:
    sets = public_sets()
    if name in sets:
        return sets[name]
    near = difflib.get_close_matches(name, sets, n=1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    raise DatasetError(f"there is no public set {name!r}.{hint} There are: {', '.join(sets)}.")


def _recipes() -> Path:
    """In a wheel the recipe files lie beside this module, in a clone at the top of the repository."""
    here = Path(__file__).resolve()
    for folder in (here.parent / "sets", here.parents[2] / "datasets"):
        if folder.is_dir():
            return folder
    raise DatasetError(f"{here.parent / 'sets'}: the recipe files of the public sets are missing. Install i2i again.")


def _download(one: PublicSet, urls: Sequence[str], archive: Path, by_hand: str, progress: Report | None) -> str:
    check_room(archive.parent, one.download_bytes or 0, one.name, "the download")
    try:
        return download(urls, archive, name=one.name, by_hand=by_hand, report=progress)
    except OSError as error:
        raise DatasetError(f"{one.name}: {archive} could not be written: {error.strerror}.") from error


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _recorded(record: Path) -> str | None:
    try:
        digest = json.loads(record.read_text())["sha256"]
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DatasetError(f"{record}: not a record of a download. Remove it, then fetch again.") from error
    return digest
