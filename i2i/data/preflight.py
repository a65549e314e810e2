"""What headers can tell before training: pictures of a pair that differ in size, pictures smaller than the crop."""

from collections.abc import Sequence
from pathlib import Path

from i2i.data.folders import Pair
from i2i.data.listing import spread
from i2i.data.settings import DataSettings
from i2i.data.transforms import target_size
from i2i.errors import DatasetError, PictureError
from i2i.images import Probe, probe, shown

LOOKED_AT = 5000
"""Headers opened, at most, evenly over a larger set: a fraction of a millisecond each."""


def check_pairs(pairs: Sequence[Pair], settings: DataSettings) -> None:
    """Refuse pairs that cannot be trained on. Raises DatasetError naming the first and their number."""
    odd: list[str] = []
    small: list[str] = []
    for pair in spread(pairs, LOOKED_AT):
        a, b = _header(pair.a), _header(pair.b) if pair.b else None
        if a is None or (pair.b and b is None):
            continue  # unreadable; named when its turn comes
        if b is not None and (a.width, a.height) != (b.width, b.height):
            odd.append(f"{shown(pair.a)} is {a.width} x {a.height} and {shown(pair.b)} is {b.width} x {b.height}")
        elif _too_small((a.height, a.width if b else a.width // 2), settings):
            small.append(f"{shown(pair.a)} ({a.width if b else a.width // 2} x {a.height})")
    if odd:
        raise DatasetError(
            f"{odd[0]}, but the pictures of a pair have the same size ({len(odd)} of {len(pairs)} pairs differ). Make "
            f"them equal or remove the pair."
        )
    _refuse(small, len(pairs), settings)


def check_pictures(paths: Sequence[Path], settings: DataSettings) -> None:
    """Refuse pictures that are smaller than the crop. Raises DatasetError naming the first and their number."""
    headers = {path: _header(path) for path in spread(paths, LOOKED_AT)}
    small = [
        f"{shown(path)} ({header.width} x {header.height})"
        for path, header in headers.items()
        if header is not None and _too_small((header.height, header.width), settings)
    ]
    _refuse(small, len(paths), settings)


def _header(path: Path) -> Probe | None:
    try:
        return probe(path)
    except PictureError:
        return None


def _too_small(size: tuple[int, int], settings: DataSettings) -> bool:
    height, width = target_size(size, settings, train=True)
    return height < settings.crop[0] or width < settings.crop[1]


def _refuse(small: Sequence[str], total: int, settings: DataSettings) -> None:
    if small:
        crop = f"{settings.crop[1]} x {settings.crop[0]}"
        raise DatasetError(
            f"{small[0]}: smaller than the crop of {crop} after --resize {settings.resize} (width x height; "
            f"{len(small)} of {total} pictures are). Use --resize square or short, or a smaller --size."
        )
