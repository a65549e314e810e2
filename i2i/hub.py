"""The Hugging Face Hub: names of translators that lie there, and what of them is brought here.

Brought are the translator file and its card, nothing else of a repository: safetensors hold no code, and nothing that
could run is asked for.
"""

import os
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from i2i import __version__
from i2i.errors import ModelFileError, SettingsError
from i2i.settings import Direction

if TYPE_CHECKING:
    from huggingface_hub import HfApi

ONE, TWO = "translator.safetensors", ("translator_AtoB.safetensors", "translator_BtoA.safetensors")
"""What a repository holds: the translator of pairs, or those of two domains. The names that a run folder has."""
CARD = "README.md"
MOST = 4 << 30
"""Bytes of a translator file, beyond which none is brought; the largest of a recipe here has 0.3 GB."""
_SCHEME = "hf:"
_NAME = re.compile(r"(?:hf:/{1,2})?([\w][\w.-]*)/([\w][\w.-]*)(?:@([\w][\w./-]*))?")


@dataclass(frozen=True, slots=True)
class Name:
    """A model on the hub: user/name, or user/name@revision for a branch, tag or commit of it."""

    user: str
    model: str
    revision: str | None = None

    @property
    def repository(self) -> str:
        """As the hub calls it."""
        return f"{self.user}/{self.model}"

    def __str__(self) -> str:
        return f"hf://{self.repository}{f'@{self.revision}' if self.revision else ''}"


def is_name(model: Path) -> bool:
    """Whether what was given for a model is a name on the hub, and no path."""
    return model.parts[:1] == (_SCHEME,)  # a path has one of the two slashes


def parse(text: str | Path) -> Name:
    """user/name, hf://user/name or hf://user/name@revision. Raises SettingsError."""
    found = _NAME.fullmatch(text.as_posix() if isinstance(text, Path) else text)
    if found is None or ".." in found[0]:
        raise SettingsError(f"{text}: is no name on the hub; wanted user/name, or user/name@revision.")
    return Name(found[1], found[2], found[3])


def bring(name: Name, direction: Direction | None = None, *, tell: Callable[[str], None] = lambda line: None) -> Path:
    """The folder, in the hub's own cache, that holds a translator and its card; a run folder as far as loading cares.

    Asks the hub whether there is a newer one; where it cannot be reached, the kept one is taken and `tell` is told. Of
    two directions only the one asked for is brought, AtoB where nothing is said. Raises ModelFileError where there is
    none, or it cannot be had, and SettingsError where huggingface-hub is not installed.
    """
    try:
        return download(name, wanted(name, files_of(name), direction))
    except UnreachableError as error:
        folder = _kept(name)
        if folder is None:
            raise
        try:
            wanted(name, [path.name for path in folder.iterdir()], direction)
        except ModelFileError:  # the other direction alone was brought
            raise error from None
        tell(f"{name}: {error.why}; taking the copy that was brought here before.")
        return folder


def wanted(name: Name, there: Sequence[str], direction: Direction | None) -> list[str]:
    """Of the files of a repository, those that are needed for a direction. Raises ModelFileError."""
    translators = [file for file in (ONE, *TWO) if file in there]
    asked = ONE if ONE in there else f"translator_{direction or 'AtoB'}.safetensors"
    if not translators:
        raise ModelFileError(
            f"{name}: holds no translator of i2i ({ONE}); i2i push makes such models. Files of the reference "
            f"implementation are given as files."
        )
    if asked not in translators:
        raise ModelFileError(f"{name}: has no {asked}, only {', '.join(translators)}.")
    return [asked, *(CARD for file in there if file == CARD)]


def files_of(name: Name) -> list[str]:
    """Names of what can be brought of a repository. Raises ModelFileError, also for what is too large."""
    api = library(name)
    with reaching(name):
        found = api.model_info(name.repository, revision=name.revision, files_metadata=True)
    sizes = {one.rfilename: one.size for one in found.siblings or [] if one.rfilename in (ONE, *TWO, CARD)}
    for file, size in sizes.items():
        if size is None:
            raise ModelFileError(f"{name}: the hub does not say how large its {file} is, so it is not brought.")
        if size > MOST:
            raise ModelFileError(f"{name}: its {file} has {size:,} bytes, and {MOST:,} are taken at most.")
    return list(sizes)


def download(name: Name, files: Sequence[str]) -> Path:
    """Bring files into the cache, where they are not there yet; the folder that they lie in. Raises ModelFileError."""
    api = library(name)
    with reaching(name):
        places = [Path(api.hf_hub_download(name.repository, file, revision=name.revision)) for file in files]
    return places[0].parent


def library(name: Name) -> "HfApi":
    """The hub's own client. Raises SettingsError where it is not installed."""
    try:
        from huggingface_hub import HfApi
    except ImportError as error:
        raise SettingsError(
            f"{name}: needs the hub's client ({error}). Install it with pip install 'i2i-toolkit[hub]'."
        ) from None
    return HfApi(endpoint=endpoint(), library_name="i2i", library_version=__version__)


def endpoint() -> str:
    """The hub's address, or that of one's own: HF_ENDPOINT, which the client would read once alone."""
    from huggingface_hub import constants

    return os.environ.get("HF_ENDPOINT", "").rstrip("/") or constants.ENDPOINT


class UnreachableError(ModelFileError):
    """The hub does not answer."""

    def __init__(self, name: Name, why: str) -> None:
        super().__init__(
            f"{name}: {why}. Try again with a network, or give a run folder or a translator file that is here."
        )
        self.why = why


@contextmanager
def reaching(name: Name) -> Iterator[None]:
    """The client's many errors as ours. Raises ModelFileError."""
    from huggingface_hub import errors

    # Its HTTP library has changed with its versions; all failures of a connection are below this class of it.
    http: type[Exception] = errors.HfHubHTTPError.__bases__[0]
    at = endpoint()
    try:
        yield
    except errors.GatedRepoError:
        raise ModelFileError(
            f"{name}: its author asks for your consent first. Give it at {at}/{name.repository}, then: hf auth login"
        ) from None
    except errors.RepositoryNotFoundError:
        raise ModelFileError(
            f"{name}: there is no such model at {at}, or it is private. Check the name; for a private one: "
            f"hf auth login"
        ) from None
    except errors.RevisionNotFoundError:
        raise ModelFileError(
            f"{name}: the model has no branch, tag or commit {name.revision!r}. See {at}/{name.repository}/commits/main"
        ) from None
    except errors.HfHubHTTPError as error:
        status = error.response.status_code
        if status in (401, 403):
            raise ModelFileError(
                f"{name}: {at} refuses ({status}): you are not logged in, or may not write there. Log in with: "
                f"hf auth login"
            ) from None
        raise UnreachableError(name, f"{at} answers with an error ({status})") from None
    except errors.OfflineModeIsEnabled:
        raise UnreachableError(name, f"{at} is not asked (HF_HUB_OFFLINE is set)") from None
    except (http, errors.LocalEntryNotFoundError, errors.FileMetadataError, ConnectionError) as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise UnreachableError(name, f"{at} cannot be reached ({reason[:200]})") from None


def _kept(name: Name) -> Path | None:
    """Where a model lies from before."""
    from huggingface_hub import errors, snapshot_download

    try:
        folder = Path(snapshot_download(name.repository, revision=name.revision, local_files_only=True))
    except errors.LocalEntryNotFoundError:
        return None
    return folder if any((folder / file).exists() for file in (ONE, *TWO)) else None
