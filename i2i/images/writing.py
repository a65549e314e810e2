"""Arrays to picture files, whole or not at all."""

import os
import struct
import zlib
from io import BytesIO
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image, TiffImagePlugin

from i2i.errors import PictureError
from i2i.images import unfinished
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


def write(
    path: str | os.PathLike[str],
    pixels: Array,
    *,
    alpha: Array | None = None,
    quality: int = 95,
    icc: bytes | None = None,
    exif: bytes | None = None,
    dpi: tuple[float, float] | None = None,
) -> None:
    """Write a picture in the format of its suffix, beside and then renamed, so that `path` is whole at any moment.

    PNG and TIFF keep 16 bits; JPEG, WebP and BMP get them rounded to 8. JPEG and BMP drop the alpha. `quality` is for
    JPEG and WebP. A colour profile that does not fit (of RGB for a gray picture) is left out. Raises PictureError.

    Shape: (H, W, 1 or 3) uint8, uint16 or float32 in [0, 1] (written as 8 bits); alpha (H, W) of the same dtype.
    """
    path = Path(path)
    format = _FORMATS.get(path.suffix.lower())
    if format is None:
        known = ", ".join(sorted(suffix[1:] for suffix in SUFFIXES))
        raise PictureError(f"{shown(path)}: cannot be written: a picture's name ends in one of {known}")
    deep = pixels.dtype == np.uint16 and format in ("PNG", "TIFF")
    dtype = np.uint16 if deep else np.uint8
    whole = to_depth(pixels, dtype)
    if alpha is not None and format not in ("JPEG", "BMP"):
        if deep:  # gray with alpha of 16 bits is written by nobody
            whole = with_channels(whole, 3)
        whole = np.concatenate([whole, to_depth(alpha, dtype)[:, :, None]], axis=2)
    if icc and icc[16:20] != (b"GRAY" if whole.shape[2] < 3 else b"RGB "):
        icc = None
    # Hidden, so that what a killed process leaves behind is never taken for a picture of the folder.
    beside = path.with_name(unfinished.name(path.suffix))
    try:
        data = _encode(whole, format, quality=quality, icc=icc, exif=exif, dpi=dpi)
        try:
            beside.write_bytes(data)
            beside.replace(path)
        except BaseException:
            beside.unlink(missing_ok=True)
            raise
    except DAMAGED as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise PictureError(f"{shown(path)}: cannot be written: {' '.join(str(reason).split())}") from error


def _encode(
    whole: Array,
    format: str,
    *,
    quality: int,
    icc: bytes | None,
    exif: bytes | None,
    dpi: tuple[float, float] | None,
) -> bytes:
    if whole.dtype == np.uint16:
        return _png_16(whole, icc, exif, dpi) if format == "PNG" else _tiff_16(whole, icc, dpi)
    options: dict[str, Any] = {}
    if icc:
        options["icc_profile"] = icc
    if exif and format != "BMP":
        options["exif"] = exif
    if dpi and format != "WEBP":
        options["dpi"] = dpi
    if format == "JPEG":
        options |= {"quality": quality, "subsampling": 0 if quality >= 90 else 2}
    elif format == "WEBP":
        options |= {"quality": quality, "method": 4}
    elif format == "TIFF":
        options |= {"compression": "tiff_lzw"}
    elif format == "PNG":
        options |= {"compress_level": 4}
    image = Image.fromarray(np.ascontiguousarray(whole[:, :, 0] if whole.shape[2] == 1 else whole))
    buffer = BytesIO()
    image.save(buffer, format, **options)
    return buffer.getvalue()


def _png_16(whole: Array, icc: bytes | None, exif: bytes | None, dpi: tuple[float, float] | None) -> bytes:
    """OpenCV writes the 16 bits that Pillow does not; the chunks it does not write go behind the header."""
    order = {1: [0], 3: [2, 1, 0], 4: [2, 1, 0, 3]}[whole.shape[2]]
    done, encoded = cv2.imencode(".png", np.ascontiguousarray(whole[:, :, order]))
    if not done:
        raise ValueError("OpenCV could not encode it")
    data = encoded.tobytes()
    extra = b""
    if icc:
        extra += _chunk(b"iCCP", b"icc\0\0" + zlib.compress(icc))
    if dpi:
        extra += _chunk(b"pHYs", struct.pack(">IIB", round(dpi[0] / 0.0254), round(dpi[1] / 0.0254), 1))
    if exif:
        extra += _chunk(b"eXIf", exif.removeprefix(b"Exif\0\0"))
    header = 8 + 25  # the signature and IHDR
    return data[:header] + extra + data[header:]


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _tiff_16(whole: Array, icc: bytes | None, dpi: tuple[float, float] | None) -> bytes:
    """One uncompressed strip: neither Pillow nor OpenCV writes 16-bit RGB together with a colour profile."""
    height, width, channels = whole.shape
    data = np.ascontiguousarray(whole, dtype="<u2").tobytes()
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags[TiffImagePlugin.IMAGEWIDTH] = width
    tags[TiffImagePlugin.IMAGELENGTH] = height
    tags[TiffImagePlugin.BITSPERSAMPLE] = (16,) * channels
    tags[TiffImagePlugin.COMPRESSION] = 1
    tags[TiffImagePlugin.PHOTOMETRIC_INTERPRETATION] = 1 if channels == 1 else 2
    tags[TiffImagePlugin.STRIPOFFSETS] = 0
    tags[TiffImagePlugin.SAMPLESPERPIXEL] = channels
    tags[TiffImagePlugin.ROWSPERSTRIP] = height
    tags[TiffImagePlugin.STRIPBYTECOUNTS] = len(data)
    if channels == 4:
        tags[TiffImagePlugin.EXTRASAMPLES] = 2  # alpha, not multiplied into the colours
    if dpi:
        tags[TiffImagePlugin.X_RESOLUTION], tags[TiffImagePlugin.Y_RESOLUTION] = dpi
        tags[TiffImagePlugin.RESOLUTION_UNIT] = 2
    if icc:
        tags[TiffImagePlugin.ICCPROFILE] = icc
    buffer = BytesIO()
    tags.save(buffer)
    buffer.write(data)
    return buffer.getvalue()
