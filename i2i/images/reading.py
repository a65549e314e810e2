"""Picture files to arrays: any depth, orientation and colour model in, RGB or gray out.

Networks never see alpha: it is cut off and the colour below it is kept as stored. Whoever wants it back on the result
takes it from `read_picture`.
"""

import math
import os
import stat
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

import cv2
import numpy as np
from PIL import ExifTags, Image, TiffImagePlugin

from i2i.images import colour, exif
from i2i.images.coding import Coding, coding
from i2i.images.files import DAMAGED, Quiet, unreadable
from i2i.images.pixels import Array, with_channels

MAX_PIXELS = 400_000_000
"""Larger pictures are refused before they are decoded: 400 megapixels are 1.2 GB as 8-bit RGB."""

REDUCED_FROM = 2.0
"""A JPEG may be decoded smaller if it stays this much larger than what it is resized to.

Of photos (the samples of scikit-image as JPEG of quality 92) that leaves 0.2 to 0.9 levels of mean difference to whole
decoding and 0 to 3% less gradient; at 1.0 it is 0.4 to 1.5 levels and up to 16% more gradient (aliasing), at 3.0 0.2
to 0.4 levels and 1% less.
"""

Size = tuple[int, int]
"""(height, width)."""

_DEFLATE_RATIO = 1032
"""No deflate stream unpacks to more bytes a byte (258 bytes by 2 bits): zlib's technical notes."""

_WEBP_SIDE = 16_383
"""Of a still picture or a frame (RFC 9649, Sec. 2.6); only the canvas of an animation could claim more."""

_BAND = 1 << 19
"""Pixels taken from Pillow at once."""

_FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "DIB", "TIFF", "GIF")
_GRAY = frozenset({"1", "L", "LA", "La", "I;16", "I;16B", "I;16L", "I;16N"})


@dataclass(frozen=True, slots=True)
class Probe:
    """What a picture's header says; width and height as displayed, with the EXIF orientation applied."""

    width: int
    height: int
    channels: int
    """1 for gray, 3 for colour; alpha not counted."""
    alpha: bool
    bits: int
    """8 or 16 a channel."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A decoded picture with all that a converted file should keep."""

    pixels: Array
    """(H, W, 1 or 3) uint8 or uint16, upright, sRGB."""
    alpha: Array | None = None
    """(H, W) of the same dtype."""
    icc: bytes | None = None
    """The file's own profile, from which the pixels were converted."""
    exif: bytes | None = None
    """Byte for byte, but that the orientation, which is applied, is 1 in it."""
    xmp: bytes | None = None
    """The same."""
    dpi: tuple[float, float] | None = None
    coding: Coding | None = None
    """How the file is coded."""
    format: str = ""
    """Pillow's name: JPEG, PNG, WEBP, BMP, TIFF, GIF, MPO."""


def probe(path: str | os.PathLike[str]) -> Probe:
    """Read a picture's header, and nothing else. Raises PictureError."""
    path = Path(path)
    try:
        _refuse_what_is_no_file(path)
        with path.open("rb") as file, Quiet():
            return _Header(file, path).probe
    except DAMAGED as error:
        raise unreadable(path, error) from error


def read(path: str | os.PathLike[str], *, channels: int | None = None) -> Array:
    """Decode a picture, upright and without alpha. Raises PictureError.

    Shape: (H, W, 1) for gray files and (H, W, 3) RGB for others, or as many `channels` as asked; uint8 or uint16. The
    first picture of an animation or of several pages.
    """
    pixels = read_picture(path).pixels
    return pixels if channels is None else with_channels(pixels, channels)


def read_reduced(path: str | os.PathLike[str], target: Callable[[Size], Size] | None) -> tuple[Array, Size]:
    """Decode a picture that will be resized to `target` of its size, and say its own size. Raises PictureError.

    A JPEG more than 2 * REDUCED_FROM times as large is decoded at a half, a quarter or an eighth: so many times fewer
    pixels to compute, a side rounded up. No target decodes the whole picture.

    Shape: (H, W, C) as `read`, or smaller.
    """
    picture, size = _read(Path(path), MAX_PIXELS, target)
    return picture.pixels, size


def read_picture(path: str | os.PathLike[str], *, max_pixels: int = MAX_PIXELS) -> Picture:
    """Decode a picture with its alpha, colour profile, EXIF and resolution. Raises PictureError."""
    return _read(Path(path), max_pixels, None)[0]


def _read(path: Path, max_pixels: int, target: Callable[[Size], Size] | None) -> tuple[Picture, Size]:
    try:
        _refuse_what_is_no_file(path)
        data = path.read_bytes()
        with Quiet():
            header = _Header(BytesIO(data), path)
            width, height = header.probe.width, header.probe.height
            if width * height > max_pixels:
                size = f"{width} x {height} pixels"
                raise unreadable(path, f"{size} are more than the {max_pixels / 1e6:g} million that are decoded")
            header.refuse_empty_promise(len(data))
            if target is not None:
                header.reduce(target((height, width)))
            return header.decode(data), (height, width)
    except DAMAGED as error:
        raise unreadable(path, error) from error


def _refuse_what_is_no_file(path: Path) -> None:
    mode = path.stat().st_mode
    if not stat.S_ISREG(mode):  # opening a pipe would wait for ever
        raise unreadable(path, "it is a folder" if stat.S_ISDIR(mode) else "it is not a file")


class _Header:
    """A file's header, and how to decode what follows it."""

    def __init__(self, file: BinaryIO, path: Path) -> None:
        self.path = path
        self.start = start = file.read(32)
        if not start:
            raise unreadable(path, "the file is empty")
        self.png = start.startswith(b"\x89PNG\r\n\x1a\n")
        if self.png and len(start) > 15 and start[12:16] != b"IHDR":  # Pillow would look for it further on
            raise unreadable(path, "a damaged PNG: its header is not at its beginning")
        tags = _tiff_tags(file, start) if start[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+") else None
        self.inverted = False
        bits = 16 if self.png and start[24:25] == b"\x10" else 8
        if tags is not None:
            bits = self._tiff_bits(tags)
            self.inverted = bits == 16 and tags.get(TiffImagePlugin.PHOTOMETRIC_INTERPRETATION) == 0
        file.seek(0)
        if start[:4] == b"RIFF" and start[8:16] == b"WEBPVP8X":
            self._refuse_canvas(*(1 + int.from_bytes(start[at : at + 3], "little") for at in (24, 27)))
        try:
            self.image = Image.open(file, formats=_FORMATS)
        except Image.UnidentifiedImageError:
            raise unreadable(path, "not a picture in JPEG, PNG, WebP, BMP or TIFF format, or damaged") from None
        mode = self.image.mode
        if mode in ("I", "F"):
            raise unreadable(path, "32 bits a channel; save it with 8 or 16")
        # Pillow shows a TIFF's size upright already; its PNG would decode the file to look for EXIF behind the pixels.
        self.orientation = 1 if tags is not None else self._orientation()
        width, height = self.image.size if self.orientation < 5 else self.image.size[::-1]
        alpha = self.image.has_transparency_data if bits == 8 else mode in ("LA", "RGBA")
        self.probe = Probe(width, height, 1 if self._gray(start) else 3, alpha, bits)

    def _refuse_canvas(self, width: int, height: int) -> None:
        """Pillow allocates an animation's canvas, twice, when it opens the file."""
        if max(width, height) > _WEBP_SIDE:
            raise unreadable(self.path, f"a WebP canvas of {width} x {height} pixels, and a side ends at {_WEBP_SIDE}")

    def _gray(self, start: bytes) -> bool:
        # Pillow widens 16-bit gray with alpha to RGBA, so the PNG's own colour type counts: 0 and 4 are gray.
        return start[25] in (0, 4) if self.png else self.image.mode in _GRAY

    def _orientation(self) -> int:
        found = Image.Image.getexif(self.image).get(ExifTags.Base.Orientation, 1)
        return found if found in range(1, 9) else 1

    def _tiff_bits(self, tags: TiffImagePlugin.ImageFileDirectory_v2) -> int:
        bits = max(tags.get(TiffImagePlugin.BITSPERSAMPLE, (1,)))
        kinds = set(tags.get(TiffImagePlugin.SAMPLEFORMAT, (1,)))
        channels = tags.get(TiffImagePlugin.SAMPLESPERPIXEL, 1)
        colours = tags.get(TiffImagePlugin.PHOTOMETRIC_INTERPRETATION, 1)
        self._refuse_missing_strips(tags, channels)
        if kinds - {1, 4}:
            raise unreadable(self.path, f"a TIFF of {bits}-bit {_sample(kinds)} numbers; save it as 8 or 16-bit pixels")
        if bits > 16:
            raise unreadable(self.path, f"{bits} bits a channel; save it with 8 or 16")
        if bits > 8 and (channels not in (1, 3, 4) or colours not in (0, 1, 2)):
            raise unreadable(self.path, f"a {bits}-bit TIFF that is neither gray nor RGB; save it as one of these")
        return 16 if bits > 8 else 8

    def _refuse_missing_strips(self, tags: TiffImagePlugin.ImageFileDirectory_v2, channels: int) -> None:
        """Pillow leaves black what no strip fills, and a damaged height makes of it any size."""
        height, rows = tags.get(TiffImagePlugin.IMAGELENGTH, 0), tags.get(TiffImagePlugin.ROWSPERSTRIP, 0)
        offsets = tags.get(TiffImagePlugin.STRIPOFFSETS)
        if not offsets or not rows:  # in tiles, or in one strip
            return
        planes = channels if tags.get(TiffImagePlugin.PLANAR_CONFIGURATION, 1) == 2 else 1
        wanted = math.ceil(height / rows) * planes
        if len(offsets) < wanted:
            raise unreadable(self.path, f"{wanted - len(offsets)} of its {wanted} strips are missing")

    def refuse_empty_promise(self, length: int) -> None:
        """Refuse a PNG that claims more pixels than deflate can pack into its bytes, before they are allocated.

        An animated one would be a small frame in the corner of a black picture of any size.
        """
        if not self.png:
            return
        channels = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}.get(self.start[25], 1)
        width, height = self.image.size
        if width * height * channels * self.start[24] // 8 > _DEFLATE_RATIO * length:
            raise unreadable(self.path, f"it claims {width} x {height} pixels, which its {length} bytes cannot hold")

    def reduce(self, target: Size) -> None:
        """Decode no more of a JPEG than `target` needs."""
        # A side that is no whole number of blocks is rounded up at its end, which turning would bring to its start.
        straight = self.orientation == 1 or not any(side % 8 for side in self.image.size)
        if self.image.format == "JPEG" and straight:
            wanted = [math.ceil(REDUCED_FROM * side) for side in (target if self.orientation >= 5 else target[::-1])]
            self.image.draft(None, (wanted[0], wanted[1]))  # never below the size that is asked for

    def decode(self, data: bytes) -> Picture:
        """The whole picture from the file's bytes."""
        image = self.image
        info = image.info
        icc, dpi, format = info.get("icc_profile"), info.get("dpi"), image.format or ""
        block, xmp = self._exif(), self._xmp()
        if self.probe.bits == 16:
            pixels, alpha = self._decode_16(data)
        else:
            image.load()
            if image.mode == "CMYK":
                image, icc = _from_cmyk(image, icc), None
            pixels, alpha = _split(image)
        if not pixels.size:
            raise unreadable(self.path, "it has no pixels")
        if self.orientation != 1:
            pixels = _upright(pixels, self.orientation)
            alpha = None if alpha is None else _upright(alpha, self.orientation)
        # A profile that is damaged, or of another kind of picture, says nothing of these numbers.
        icc = icc if colour.usable(icc, pixels.shape[2]) else None
        coded = coding(self.image, data, on_its_side=self.orientation >= 5)
        return Picture(colour.to_srgb(pixels, icc), alpha, icc, block, xmp, _two(dpi), coded, format)

    def _decode_16(self, data: bytes) -> tuple[Array, Array | None]:
        if self.png:
            self.image.verify()  # OpenCV may fill the rest of a damaged file with black
            data = _bare_png(data)
        decoded = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
        if decoded is None or decoded.dtype != np.uint16:
            raise unreadable(self.path, "damaged, or a kind of 16-bit picture that is not supported")
        if decoded.ndim == 2:
            gray = decoded[:, :, None]
            return (np.uint16(65535) - gray if self.inverted else gray), None
        alpha = np.ascontiguousarray(decoded[:, :, 3]) if decoded.shape[2] == 4 and self.probe.alpha else None
        colour = decoded[:, :, :1] if self.probe.channels == 1 else decoded[:, :, 2::-1]
        return np.ascontiguousarray(colour), alpha

    def _exif(self) -> bytes | None:
        try:
            if self.image.format == "TIFF":
                return exif.of_tiff(self.image)
            stored = self.image.info.get("exif")
            return exif.upright(stored) if stored else None
        except DAMAGED:  # damaged metadata is no reason to lose the picture
            return None

    def _xmp(self) -> bytes | None:
        stored = self.image.info.get("xmp") or self.image.info.get("XML:com.adobe.xmp")
        return exif.upright_xmp(stored) if isinstance(stored, (bytes, str)) and stored else None


def _bare_png(data: bytes) -> bytes:
    """Only the pixels: of other chunks that it dislikes libpng complains on stderr."""
    kept, at = [data[:8]], 8
    while at + 8 <= len(data):
        end = at + 12 + int.from_bytes(data[at : at + 4], "big")
        if data[at + 4 : at + 8] in (b"IHDR", b"IDAT", b"IEND"):
            kept.append(data[at:end])
        at = end
    return b"".join(kept)


def _split(image: Image.Image) -> tuple[Array, Array | None]:
    """An 8-bit Pillow image as (H, W, 1 or 3) and its alpha."""
    gray = image.mode in _GRAY
    if image.has_transparency_data:
        both = np.asarray(image.convert("LA" if gray else "RGBA"))
        return np.ascontiguousarray(both[:, :, :-1]), np.ascontiguousarray(both[:, :, -1])
    mode = "L" if gray else "RGB"
    return _array(image if image.mode == mode else image.convert(mode)), None


def _array(image: Image.Image) -> Array:
    """Pillow's L or RGB as (H, W, 1 or 3): in bands that stay in the cache, a third of the time of the whole."""
    width, height = image.size
    array = np.empty((height, width, len(image.getbands())), np.uint8)
    rows = max(1, _BAND // max(1, width))
    for top in range(0, height, rows):
        bottom = min(height, top + rows)
        array[top:bottom] = np.atleast_3d(np.asarray(image.crop((0, top, width, bottom))))
    return array


def _from_cmyk(image: Image.Image, icc: bytes | None) -> Image.Image:
    """CMYK as sRGB, by the file's own profile where it has one that works."""
    if icc:
        try:
            return colour.cmyk_to_srgb(image, icc)
        except DAMAGED:
            pass
    return image.convert("RGB")


def _upright(pixels: Array, orientation: int) -> Array:
    """Undo an EXIF orientation: mirrored for 2, 4, 5 and 7, lying on its side from 5 on."""
    turned = pixels.swapaxes(0, 1) if orientation >= 5 else pixels
    if orientation in (3, 4, 7, 8):
        turned = turned[::-1]
    if orientation in (2, 3, 6, 7):
        turned = turned[:, ::-1]
    return np.ascontiguousarray(turned)


def _tiff_tags(file: BinaryIO, start: bytes) -> TiffImagePlugin.ImageFileDirectory_v2:
    tags = TiffImagePlugin.ImageFileDirectory_v2(start[:16] if start[2:4] in (b"+\0", b"\0+") else start[:8])
    file.seek(tags.next)
    tags.load(file)
    return tags


def _sample(kinds: set[int]) -> str:
    return "floating point" if 3 in kinds else "signed" if 2 in kinds else "complex"


def _two(dpi: Any) -> tuple[float, float] | None:
    try:
        x, y = (float(value) for value in dpi)
    except (TypeError, ValueError, ZeroDivisionError):
        return None
    return (x, y) if 0 < x < 1e6 and 0 < y < 1e6 else None
