"""Arrays to picture files, whole or not at all."""

import os
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from i2i.errors import PictureError
from i2i.images import colour, png, tiff, unfinished
from i2i.images import exif as exif_blocks
from i2i.images.coding import SUBSAMPLINGS, Coding, Quality, Subsampling
from i2i.images.extras import Extras
from i2i.images.files import DAMAGED, SUFFIXES, shown
from i2i.images.pixels import Array, to_depth, with_channels

_FORMATS = {
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".png": "PNG",
    ".webp": "WEBP",
    ".bmp": "BMP",
    ".tif": "TIFF",
    ".tiff": "TIFF",
}
_HOLDS = {
    "JPEG": frozenset({"colour profile", "EXIF", "XMP", "resolution"}),
    "PNG": frozenset({"16 bits", "alpha", "colour profile", "EXIF", "XMP", "resolution"}),
    "WEBP": frozenset({"alpha", "colour profile", "EXIF", "XMP"}),
    "BMP": frozenset({"resolution"}),
    "TIFF": frozenset({"16 bits", "alpha", "colour profile", "EXIF", "XMP", "resolution"}),
}
_XMP_PREFIX = b"http://ns.adobe.com/xap/1.0/\0"
_SEGMENT = 65_533
"""Bytes that a JPEG's segment holds."""
_QUALITY = 95
"""Of what was not coded with a loss before."""


def write(
    path: str | os.PathLike[str],
    pixels: Array,
    *,
    alpha: Array | None = None,
    quality: Quality = "keep",
    subsampling: Subsampling = "keep",
    like: Coding | None = None,
    icc: bytes | None = None,
    exif: bytes | None = None,
    xmp: bytes | None = None,
    dpi: tuple[float, float] | None = None,
) -> tuple[str, ...]:
    """Write a picture in the format of its suffix, beside and then renamed, so that `path` is whole at any moment.

    Returns what was given and is lost, of "16 bits", "alpha", "colour profile", "EXIF", "XMP" and "resolution": PNG and
    TIFF hold all of it; JPEG and BMP have no alpha, JPEG, WebP and BMP 8 bits, to which 16 are rounded. The pixels are
    sRGB, and are converted to the profile. One that does not fit (of RGB for a gray picture) is left out, and so are
    EXIF and XMP of more than a JPEG's 64 KB. Raises PictureError.

    A JPEG is coded with the tables and the subsampling that it is `like`, or with a `quality` of 1 to 100; where
    neither is said it has 95 and whole colours, and below 90 halved ones. A WebP is lossless at 100 and where it is
    like a lossless one.

    Shape: (H, W, 1 or 3) uint8, uint16 or float32 in [0, 1] (written as 8 bits); alpha (H, W) of the same dtype.
    """
    path = Path(path)
    format = _FORMATS.get(path.suffix.lower())
    if format is None:
        known = ", ".join(sorted(suffix[1:] for suffix in SUFFIXES))
        raise PictureError(f"{shown(path)}: cannot be written: a picture's name ends in one of {known}")
    deep = pixels.dtype == np.uint16 and "16 bits" in _HOLDS[format]
    if format == "TIFF" and deep and alpha is not None:  # gray with alpha of 16 bits is read by few, and not by i2i
        pixels = with_channels(pixels, 3)
    block = exif_blocks.bare(exif) if exif else None
    given = Extras(icc, block, xmp, dpi)
    kept = _fitting(given, format, pixels.shape[2])
    dtype = np.uint16 if deep else np.uint8
    # Hidden, so that what a killed process leaves behind is never taken for a picture of the folder.
    beside = path.with_name(unfinished.name(path.suffix))
    try:
        whole = colour.from_srgb(to_depth(pixels, dtype), kept.icc)
        if alpha is not None and "alpha" in _HOLDS[format]:
            whole = np.concatenate([whole, to_depth(alpha, dtype)[:, :, None]], axis=2)
        data = _encode(whole, format, quality, subsampling, like or Coding(), kept)
        try:
            beside.write_bytes(data)
            beside.replace(path)
        except BaseException:
            beside.unlink(missing_ok=True)
            raise
    except DAMAGED as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise PictureError(f"{shown(path)}: cannot be written: {' '.join(str(reason).split())}") from error
    lost = {
        "16 bits": pixels.dtype == np.uint16 and not deep,
        "alpha": alpha is not None and "alpha" not in _HOLDS[format],
        "colour profile": bool(given.icc) and not kept.icc,
        "EXIF": bool(given.exif) and not kept.exif,
        "XMP": bool(given.xmp) and not kept.xmp,
        "resolution": bool(given.dpi) and not kept.dpi,
    }
    return tuple(what for what, so in lost.items() if so)


def _fitting(given: Extras, format: str, channels: int) -> Extras:
    """What of it the format holds."""
    holds = _HOLDS[format]
    exif, xmp, dpi = given.exif, given.xmp, given.dpi
    if format == "JPEG":
        exif = exif if exif and len(exif_blocks.PREFIX + exif) <= _SEGMENT else None
        xmp = xmp if xmp and len(_XMP_PREFIX + xmp) <= _SEGMENT else None
        dpi = dpi if dpi and max(dpi) < 1 << 16 else None
    return Extras(
        icc=given.icc if "colour profile" in holds and colour.is_of(given.icc, channels) else None,
        exif=exif if "EXIF" in holds else None,
        xmp=xmp if "XMP" in holds else None,
        dpi=dpi if "resolution" in holds else None,
    )


def _encode(
    whole: Array, format: str, quality: Quality, subsampling: Subsampling, like: Coding, extras: Extras
) -> bytes:
    if format == "TIFF":
        return tiff.encode(whole, extras)
    if format == "PNG":
        return png.encode(whole, extras)
    options: dict[str, Any] = {}
    if format == "BMP":
        options |= {"dpi": extras.dpi} if extras.dpi else {}
    else:
        options |= _as_jpeg(quality, subsampling, like, extras) if format == "JPEG" else _as_webp(quality, like, extras)
        options["icc_profile"] = extras.icc
    image = Image.fromarray(np.ascontiguousarray(whole[:, :, 0] if whole.shape[2] == 1 else whole))
    buffer = BytesIO()
    image.save(buffer, format, **options)
    return buffer.getvalue()


def _as_jpeg(quality: Quality, subsampling: Subsampling, like: Coding, extras: Extras) -> dict[str, Any]:
    options: dict[str, Any] = {}
    if quality == "keep" and like.tables:
        options["qtables"] = like.tables
    else:
        options["quality"] = _QUALITY if quality == "keep" else quality
    if subsampling == "keep":
        fine = quality == "keep" or quality >= 90
        subsampling = like.subsampling if like.subsampling != "keep" else "444" if fine else "420"
    options["subsampling"] = SUBSAMPLINGS[subsampling]
    if extras.dpi:
        options["dpi"] = extras.dpi
    if extras.exif:
        options["exif"] = exif_blocks.PREFIX + extras.exif
    if extras.xmp:
        packet = _XMP_PREFIX + extras.xmp
        options["extra"] = b"\xff\xe1" + (len(packet) + 2).to_bytes(2, "big") + packet
    return options


def _as_webp(quality: Quality, like: Coding, extras: Extras) -> dict[str, Any]:
    options: dict[str, Any] = {"quality": _QUALITY if quality == "keep" else quality, "method": 4}
    if quality == 100 or (quality == "keep" and like.lossless):
        # Colours under full transparency too; of lossless coding the quality is the effort.
        options |= {"lossless": True, "exact": True, "quality": 50}
    return options | {"exif": extras.exif or b"", "xmp": extras.xmp or b""}
