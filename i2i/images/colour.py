"""Between a picture's own colour profile and sRGB, which is all that networks see.

Relative colorimetric with black point compensation: white stays white and black stays black. What lies outside of sRGB
is clipped on its way in. 8 bits go through littlecms by any profile that works both ways, 16 bits through curves and a
matrix in float32, which only profiles of that kind have; a picture of 16 bits with another is taken as it is stored.
"""

import functools
import io
from dataclasses import dataclass

import cv2
import numpy as np
from PIL import Image, ImageCms

from i2i.images.files import DAMAGED
from i2i.images.icc import LEVELS, Shaper, shaper
from i2i.images.pixels import Array, to_depth, with_channels

_ROOTS = 1 << 18
"""Entries of a curve undone, evenly over the square root of the light, which is near to how levels lie: the nearest
entry is within 0.2 levels of 16 bits."""

_STRIP = 1 << 20
"""Pixels of 16 bits that are converted at once, so that their floats stay small."""


@dataclass(frozen=True, slots=True)
class _Way:
    """One direction between a profile and sRGB."""

    eight: ImageCms.ImageCmsTransform | Array
    """littlecms, or of a gray profile the level of each of the 256 levels."""
    deep: "_Deep | None"


@dataclass(frozen=True, slots=True)
class _Deep:
    to_light: Array
    """(C, LEVELS) float32."""
    matrix: Array
    """(C, C) float32, between two linear lights."""
    from_light: Array
    """(C, _ROOTS + 1) uint16."""


@dataclass(frozen=True, slots=True)
class _Profile:
    channels: int
    to_srgb: _Way | None
    """None for sRGB itself, and for what cannot be converted both ways."""
    from_srgb: _Way | None


def usable(icc: bytes | None, channels: int) -> bool:
    """Whether a profile can say what the numbers of a picture mean: sound, and not one of gray for a colour picture."""
    profile = _profile(icc) if icc else None
    return profile is not None and (profile.channels == 3 or channels == 1)


def is_of(icc: bytes | None, channels: int) -> bool:
    """Whether a picture of that many channels can be written in a profile."""
    profile = _profile(icc) if icc else None
    return profile is not None and profile.channels == channels


def to_srgb(pixels: Array, icc: bytes | None) -> Array:
    """A picture in its own profile as sRGB; the same array where that is sRGB already, or unknown.

    Shape: (H, W, 1 or 3) uint8 or uint16 -> the same.
    """
    profile = _profile(icc) if icc else None
    if profile is None or profile.to_srgb is None:
        return pixels
    if profile.channels == 3 and pixels.shape[2] == 1:  # a gray picture with a profile of colour: its gray axis
        return np.ascontiguousarray(_through(with_channels(pixels, 3), profile.to_srgb)[:, :, 1:2])
    return pixels if profile.channels != pixels.shape[2] else _through(pixels, profile.to_srgb)


def from_srgb(pixels: Array, icc: bytes | None) -> Array:
    """The inverse of `to_srgb`, for a profile with the picture's number of channels."""
    profile = _profile(icc) if icc else None
    if profile is None or profile.from_srgb is None or profile.channels != pixels.shape[2]:
        return pixels
    return _through(pixels, profile.from_srgb)


def cmyk_to_srgb(image: Image.Image, icc: bytes) -> Image.Image:
    """CMYK by its own profile. Raises one of DAMAGED where that does not work."""
    srgb = ImageCms.createProfile("sRGB")
    transform = _lcms(ImageCms.ImageCmsProfile(io.BytesIO(icc)), ImageCms.ImageCmsProfile(srgb), "CMYK")
    converted = ImageCms.applyTransform(image, transform)
    assert converted is not None
    return converted


@functools.lru_cache(maxsize=16)
def _profile(icc: bytes) -> _Profile | None:
    """What a folder of pictures asks for again and again; None for a profile that is damaged, or of neither."""
    channels = {b"RGB ": 3, b"GRAY": 1}.get(icc[16:20], 0)
    if not channels:
        return None
    try:
        own = ImageCms.ImageCmsProfile(io.BytesIO(icc))
        srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
        there = _lcms(own, srgb, "RGB" if channels == 3 else "L")
    except DAMAGED:
        return None
    if _is_identity(there, channels):
        return _Profile(channels, None, None)
    light = shaper(icc)
    deep = _deep(light) if light is not None else None
    if channels == 1:
        if deep is None:
            return _Profile(1, None, None)
        ways = [_Way(_eight_of(one), one) for one in deep]
        return _Profile(1, ways[0], ways[1])
    try:
        back = _lcms(srgb, own, "RGB")
    except DAMAGED:  # of a scanner: it can be read by it, and nothing can be written
        return _Profile(3, None, None)
    return _Profile(3, _Way(there, deep and deep[0]), _Way(back, deep and deep[1]))


def _lcms(source: ImageCms.ImageCmsProfile, target: ImageCms.ImageCmsProfile, mode: str) -> ImageCms.ImageCmsTransform:
    return ImageCms.buildTransform(
        source,
        target,
        mode,
        "RGB",
        renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
        flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
    )


def _is_identity(transform: ImageCms.ImageCmsTransform, channels: int) -> bool:
    """Whether no colour moves by more than a level: so sRGB is told, under whatever name and of whatever maker."""
    levels = np.linspace(0, 255, 17 if channels == 3 else 256).astype(np.uint8)
    lattice = np.stack(np.meshgrid(*[levels] * channels), axis=-1).reshape(1, -1, channels)
    moved = _through(lattice, _Way(transform, None))
    return bool(np.abs(moved.astype(int) - lattice).max() <= 1)


def _deep(light: Shaper) -> tuple[_Deep, _Deep]:
    """To sRGB and back."""
    srgb = _srgb()
    if len(light.curves) == 1:
        curve, one = srgb.curves[:1], np.ones((1, 1), np.float32)
        return _Deep(light.curves, one, _undone(curve)), _Deep(curve, one, _undone(light.curves))
    matrix = np.linalg.inv(srgb.matrix) @ light.matrix
    back = np.linalg.inv(matrix)
    return (
        _Deep(light.curves, matrix.astype(np.float32), _undone(srgb.curves)),
        _Deep(srgb.curves, back.astype(np.float32), _undone(light.curves)),
    )


@functools.cache
def _srgb() -> Shaper:
    light = shaper(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    assert light is not None
    return light


def _undone(curves: Array) -> Array:
    light = np.linspace(0, 1, _ROOTS + 1) ** 2
    levels = np.arange(LEVELS)
    return np.stack([np.rint(np.interp(light, curve, levels)).astype(np.uint16) for curve in curves])


def _eight_of(deep: _Deep) -> Array:
    levels = to_depth(np.arange(256, dtype=np.uint8).reshape(1, 256, 1), np.uint16)
    return to_depth(_in_floats(levels, deep), np.uint8).reshape(256)


def _through(pixels: Array, way: _Way) -> Array:
    if pixels.dtype == np.uint16:
        return pixels if way.deep is None else _in_floats(pixels, way.deep)
    if isinstance(way.eight, np.ndarray):
        return way.eight[pixels]
    image = Image.fromarray(pixels if pixels.shape[2] == 3 else pixels[:, :, 0])
    converted = np.asarray(ImageCms.applyTransform(image, way.eight))
    return converted if pixels.shape[2] == 3 else np.ascontiguousarray(converted[:, :, 1:2])


def _in_floats(pixels: Array, deep: _Deep) -> Array:
    height, width, channels = pixels.shape
    result = np.empty_like(pixels)
    rows = max(1, _STRIP // width)
    for start in range(0, height, rows):
        strip = pixels[start : start + rows]
        light = np.stack([deep.to_light[one][strip[:, :, one]] for one in range(channels)], axis=2)
        if channels == 3:
            light = cv2.transform(light, deep.matrix)
        roots = np.sqrt(np.clip(light, 0, 1, out=light), out=light)
        places = (roots * np.float32(_ROOTS) + np.float32(0.5)).astype(np.int32)
        for one in range(channels):
            result[start : start + rows, :, one] = deep.from_light[one][places[:, :, one]]
    return result
