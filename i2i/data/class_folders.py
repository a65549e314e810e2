"""MNIST and CIFAR-10 as folders of PNGs, one a class: pictures like everybody else's."""

import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Protocol
from urllib.error import URLError

from PIL.Image import Image

from i2i.data.download import Report
from i2i.errors import DatasetError


class LabelledPictures(Protocol):
    """What torchvision's labelled sets have in common."""

    classes: Sequence[str]

    def __len__(self) -> int: ...
    def __getitem__(self, index: int, /) -> tuple[Image, int]: ...


def fetch_class_folders(name: str, folder: Path, *, source: str, report: Report | None = None) -> None:
    """Fetch 'mnist' or 'cifar10' through torchvision, which checks it, and write it to `folder`/train and /test."""
    from torchvision import datasets  # seconds to import, and nobody else here needs it

    kind = {"mnist": datasets.MNIST, "cifar10": datasets.CIFAR10}[name]
    raw = folder.with_name(f"{name}.download")  # kept if it breaks: torchvision goes on from the files that are whole
    files = raw / "MNIST" / "raw" if name == "mnist" else raw
    try:
        splits = {split: kind(str(raw), train=split == "train", download=True) for split in ("train", "test")}
    except (URLError, RuntimeError, OSError) as error:
        if not any(path.is_file() for path in raw.rglob("*")):
            shutil.rmtree(raw, ignore_errors=True)
        raise DatasetError(
            f"{name}: torchvision could not bring it ({' '.join(str(error).split())}). Are you offline? "
            f"You can put the packed files of {source} into {files} by hand and fetch again."
        ) from error
    write_class_folders(splits, folder, report)
    shutil.rmtree(raw, ignore_errors=True)


def write_class_folders(splits: Mapping[str, LabelledPictures], folder: Path, report: Report | None = None) -> None:
    """Write `folder`/SPLIT/CLASS/00000.png, numbered as in the set; all of it appears at once, at the end."""
    total = sum(map(len, splits.values()))
    work = Path(tempfile.mkdtemp(prefix=f".{folder.name}.writing-", dir=folder.parent))
    try:
        root = work / "set"
        for done, (path, picture) in enumerate(_named(splits, root), start=1):
            path.parent.mkdir(parents=True, exist_ok=True)
            picture.save(path)
            if report:
                report(done, total)
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()
        os.replace(root, folder)  # noqa: PTH105 (says what it does: in place, at once)
    except OSError as error:
        raise DatasetError(f"{folder}: could not be written: {error.strerror or error}.") from error
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _named(splits: Mapping[str, LabelledPictures], root: Path) -> Iterator[tuple[Path, Image]]:
    for split, pictures in splits.items():
        names = [re.sub(r"\W+", "_", label.split(" - ")[0]) for label in pictures.classes]  # MNIST's is "0 - zero"
        for index in range(len(pictures)):
            picture, label = pictures[index]
            yield root / split / names[label] / f"{index:05d}.png", picture
