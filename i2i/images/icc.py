"""ICC profiles of working spaces: a curve a channel and a matrix, read in full precision (ICC.1:2022).

littlecms converts 8 bits by any profile, but through Pillow not 16. Nearly every profile in a picture of 16 bits is of
this simple kind: Display P3, Adobe RGB, ProPhoto, eciRGB, gray gamma, dot gain.
"""

import struct
from dataclasses import dataclass

import numpy as np

from i2i.images.pixels import Array

LEVELS = 1 << 16
"""Entries of a curve: one a level of 16 bits."""

_D50 = np.array([0.9642, 1.0, 0.8249])
"""The white of the profile connection space."""


@dataclass(frozen=True, slots=True)
class Shaper:
    """What the numbers of a matrix profile mean."""

    curves: Array
    """(1 or 3, LEVELS) float32: the linear light, 0 to 1, of every level; never falling."""
    matrix: Array
    """Columns are the XYZ (D50) of the primaries, (3, 3); of gray the white alone, (3, 1)."""


def shaper(icc: bytes) -> Shaper | None:
    """Curves and matrix of an RGB or gray profile; None where it works by tables of colours, or is damaged."""
    try:
        tags = _tags(icc)
        if icc[20:24] != b"XYZ " or any(name[:3] in (b"A2B", b"D2B") for name in tags):
            return None
        if icc[16:20] == b"GRAY":
            return Shaper(_curve(tags[b"kTRC"])[None], _D50[:, None])
        if icc[16:20] != b"RGB ":
            return None
        curves = np.stack([_curve(tags[channel + b"TRC"]) for channel in (b"r", b"g", b"b")])
        primaries = [struct.unpack_from(">3i", tags[channel + b"XYZ"], 8) for channel in (b"r", b"g", b"b")]
    except (KeyError, ValueError, struct.error):
        return None
    matrix = np.array(primaries, np.float64).T / 65536
    # A profile's white is D50 but for the rounding of its nine numbers, which would tint every gray of 16 bits.
    sums = matrix.sum(axis=1)
    if np.abs(sums - _D50).max() > 0.002 or abs(np.linalg.det(matrix)) < 1e-6:
        return None
    return Shaper(curves, matrix * (_D50 / sums)[:, None])


def _tags(icc: bytes) -> dict[bytes, bytes]:
    (count,) = struct.unpack_from(">I", icc, 128)
    if count > 200:
        raise ValueError("more tags than any profile has")
    found: dict[bytes, bytes] = {}
    for at in range(132, 132 + 12 * count, 12):
        name, start, length = struct.unpack_from(">4sII", icc, at)
        found[name] = icc[start : start + length]
    return found


def _curve(tag: bytes) -> Array:
    """The linear light of each of the LEVELS (Sec. 10.6 and 10.18)."""
    levels = np.arange(LEVELS) / (LEVELS - 1)
    with np.errstate(all="ignore"):  # of a damaged one the numbers may be any
        light = _light(tag, levels)
    if not np.isfinite(light).all() or light[-1] - light[0] < 0.1:
        raise ValueError("a curve that cannot be undone")
    return np.maximum.accumulate(np.clip(light, 0, 1)).astype(np.float32)


def _light(tag: bytes, levels: Array) -> Array:
    if tag[:4] == b"curv":
        (count,) = struct.unpack_from(">I", tag, 8)
        if count == 0:
            return levels
        if count == 1:
            return levels ** (struct.unpack_from(">H", tag, 12)[0] / 256)
        points = np.frombuffer(tag, ">u2", count, 12) / 65535
        return np.interp(levels, np.linspace(0, 1, count), points)
    if tag[:4] == b"para":
        return _parametric(levels, tag)
    raise ValueError("not a curve")


def _parametric(x: Array, tag: bytes) -> Array:
    """Y = (aX + b)^g + e from d on, cX + f below."""
    kind = struct.unpack_from(">H", tag, 8)[0]
    if kind > 4:
        raise ValueError("no such function")
    values = [value / 65536 for value in struct.unpack_from(f">{(1, 3, 4, 5, 7)[kind]}i", tag, 12)]
    g, a, b, c, d, e, f = values[0], 1.0, 0.0, 0.0, 0.0, 0.0, 0.0
    if kind:
        a, b = values[1:3]
    if kind in (1, 2):
        d = -b / a if a else 0.0
    if kind == 2:
        e = f = values[3]
    if kind >= 3:
        c, d = values[3:5]
    if kind == 4:
        e, f = values[5:7]
    return np.where(x >= d, np.maximum(a * x + b, 0) ** g + e, c * x + f)
