"""Between a picture's own colour profile and sRGB, which is all that networks see.

Relative colorimetric with black point compensation: white stays white and black stays black. What lies outside of sRGB
is clipped on its way in. A profile of curves and a matrix, which nearly all are, is applied by `shaping`; by one of
tables littlecms converts 8 bits, and a picture of 16 bits with such a one is taken as it is stored.
"""

import functools
import io
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageCms

from i2i.images.files import DAMAGED
from i2i.images.icc import Shaper, shaper
from i2i.images.pixels import Array, with_channels
from i2i.images.shaping import Convert, between


@dataclass(frozen=True, slots=True)
class _Profile:
    channels: int
    to_srgb: Convert | None = None
    """None for sRGB itself, and for what cannot be converted both ways."""
    from_srgb: Convert | None = None


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
        return np.ascontiguousarray(profile.to_srgb(with_channels(pixels, 3))[:, :, 1:2])
    return pixels if profile.channels != pixels.shape[2] else profile.to_srgb(pixels)


def from_srgb(pixels: Array, icc: bytes | None) -> Array:
    """The inverse of `to_srgb`, for a profile with the picture's number of channels."""
    profile = _profile(icc) if icc else None
    if profile is None or profile.from_srgb is None or profile.channels != pixels.shape[2]:
        return pixels
    return profile.from_srgb(pixels)


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
        return _Profile(channels)
    shape = shaper(icc)
    if shape is not None:
        plain = _srgb(channels)
        return _Profile(channels, between(shape, plain), between(plain, shape))
    if channels == 1:
        return _Profile(channels)
    try:
        return _Profile(channels, _by_lcms(there), _by_lcms(_lcms(srgb, own, "RGB")))
    except DAMAGED:  # of a scanner: it can be read by it, and nothing can be written
        return _Profile(channels)


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
    image = Image.fromarray(lattice if channels == 3 else lattice[:, :, 0])
    moved = np.asarray(ImageCms.applyTransform(image, transform)).astype(int)
    return bool(np.abs(moved - lattice).max() <= 1)


def _by_lcms(transform: ImageCms.ImageCmsTransform) -> Convert:
    def convert(pixels: Array) -> Array:
        if pixels.dtype != np.uint8:
            return pixels
        return np.asarray(ImageCms.applyTransform(Image.fromarray(pixels), transform))

    return convert


@functools.cache
def _srgb(channels: int) -> Shaper:
    found = shaper(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    assert found is not None
    return found if channels == 3 else Shaper(found.curves[:1], found.matrix.sum(axis=1, keepdims=True))
