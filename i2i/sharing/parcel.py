"""What is sent when a translator is shared, and nothing else: its file, its card, and a picture where one is asked for.

No picture goes along by itself: held-out pictures are of the same folder as those that it learnt from, and whose they
are is for their owner to say.
"""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from i2i import images
from i2i.errors import ModelFileError, SettingsError
from i2i.hub import CARD, ONE, TWO, Name
from i2i.report.sheets import as_rgb, within
from i2i.sharing.card import model_card
from i2i.sharing.facts import facts_of
from i2i.translator import Card, load_network

PICTURE = "sample.jpg"
_SIDE, _QUALITY = 1600, 90


@dataclass(frozen=True, slots=True)
class Parcel:
    """Files by their names on the hub: a place on the disk, or what is in them."""

    name: Name
    files: Mapping[str, Path | bytes]

    def size(self, file: str) -> int:
        """Bytes. Raises OSError."""
        content = self.files[file]
        return len(content) if isinstance(content, bytes) else content.stat().st_size

    @property
    def card(self) -> str:
        """The text of its card."""
        content = self.files[CARD]
        assert isinstance(content, bytes)
        return content.decode()


def pack(
    model: Path,
    name: Name,
    *,
    licence: str = "unknown",
    evaluations: Sequence[Path] = (),
    samples: bool = False,
    picture: Path | None = None,
) -> Parcel:
    """Gather a run's translators, or one translator file, and write the card. Nothing is sent.

    `samples` takes the run's last sheet of samples along, `picture` another picture; both are encoded anew, so without
    EXIF, a side of 1600 pixels at most. Raises ModelFileError where there is no translator, SettingsError where a
    picture or an evaluation that is asked for is not there, and PictureError.
    """
    if name.revision is not None:
        raise SettingsError(f"{name}: models are pushed to main; leave @{name.revision} away.")
    files = _translators(model)
    cards = [_card(path) for path in files.values()]
    run = model if model.is_dir() else model.parent
    shown = _last_samples(run) if samples and picture is None else picture
    content: dict[str, Path | bytes] = {**files}
    if shown is not None:
        content[PICTURE] = _encoded(shown)
    text = model_card(
        name,
        cards,
        facts_of(model, evaluations),
        licence=licence,
        picture=PICTURE if shown is not None else None,
    )
    content[CARD] = text.encode()
    return Parcel(name, content)


def _translators(model: Path) -> dict[str, Path]:
    if model.is_file():
        if model.suffix != ".safetensors":
            raise ModelFileError(
                f"{model}: only translator files (.safetensors) are shared, for nothing in them can run. Wanted a run "
                f"folder or such a file."
            )
        return {ONE: model}
    found = {file: model / file for file in (ONE, *TWO) if (model / file).is_file()}
    if not found:
        load_network(model)  # says what is there instead
        raise ModelFileError(f"{model}: no translator in it.")
    return found


def _card(path: Path) -> Card:
    # Loaded whole: a file that is cut short is noticed here, and not by whoever pulls it.
    return load_network(path)[1]


def _last_samples(run: Path) -> Path:
    found = sorted((path for path in run.glob("samples/*.png") if path.stem.isdigit()), key=lambda path: int(path.stem))
    if not found:
        raise SettingsError(f"{run}: has no samples/*.png to send; give another picture with --picture FILE.")
    return found[-1]


def _encoded(path: Path) -> bytes:
    pixels = within(as_rgb(images.read(path)), _SIDE)
    held = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels)).save(held, "JPEG", quality=_QUALITY)
    return held.getvalue()
