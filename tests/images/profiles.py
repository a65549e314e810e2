"""Colour profiles made from their published numbers, as cameras, screens and editors embed them."""

import struct

D50 = (0.9642, 1.0, 0.8249)
SRGB_CURVE = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)

_DISPLAY_P3 = ((0.51512, 0.2412, -0.00105), (0.29198, 0.69225, 0.04189), (0.1571, 0.06657, 0.78407))
_ADOBE_RGB = ((0.60974, 0.31111, 0.01947), (0.20528, 0.62567, 0.06087), (0.14919, 0.06322, 0.74457))
_PROPHOTO = ((0.79767, 0.28804, 0.0), (0.13519, 0.71187, 0.0), (0.03135, 0.00009, 0.82521))


def fixed(*values: float) -> bytes:
    return struct.pack(f">{len(values)}i", *(round(value * 65536) for value in values))


def parametric(*values: float) -> bytes:
    kind = {1: 0, 3: 1, 4: 2, 5: 3, 7: 4}[len(values)]
    return b"para\0\0\0\0" + struct.pack(">HH", kind, 0) + fixed(*values)


def power(gamma: float) -> bytes:
    return b"curv\0\0\0\0" + struct.pack(">IH", 1, round(gamma * 256))


def sampled(points: list[float]) -> bytes:
    values = [round(65535 * point) for point in points]
    return b"curv\0\0\0\0" + struct.pack(f">I{len(values)}H", len(values), *values)


def xyz(values: tuple[float, ...]) -> bytes:
    return b"XYZ \0\0\0\0" + fixed(*values)


def profile(space: bytes, tags: dict[bytes, bytes], *, kind: bytes = b"mntr", pcs: bytes = b"XYZ ") -> bytes:
    """An ICC profile of version 4 with these tags, and those that every profile has."""
    text = b"mluc\0\0\0\0" + struct.pack(">II2s2sII", 1, 12, b"en", b"US", 8, 28) + "test".encode("utf-16-be")
    tags = {b"desc": text, b"cprt": text, b"wtpt": xyz(D50), **tags}
    table, body, start = b"", b"", 128 + 4 + 12 * len(tags)
    for name, data in tags.items():
        body += b"\0" * (-len(body) % 4)
        table += struct.pack(">4sII", name, start + len(body), len(data))
        body += data
    header = struct.pack(">I4sI4s4s4s", start + len(body), b"lcms", 0x04300000, kind, space, pcs)
    header += struct.pack(">6H4s", 2026, 1, 1, 0, 0, 0, b"acsp") + bytes(28) + fixed(*D50)
    return header.ljust(128, b"\0") + struct.pack(">I", len(tags)) + table + body


def matrix(primaries: tuple[tuple[float, ...], ...], curve: bytes) -> bytes:
    names = zip((b"r", b"g", b"b"), primaries, strict=True)
    tags = {name + b"XYZ": xyz(one) for name, one in names}
    return profile(b"RGB ", tags | {name + b"TRC": curve for name in (b"r", b"g", b"b")})


def scanner() -> bytes:
    """From RGB by a table of two steps a side to Lab, and no way back."""
    corners = b"".join(
        struct.pack(">3H", (r + g + b) * 21760, 32896 + 8000 * (r - g), 32896 + 8000 * (g - b))
        for r in (0, 1)
        for g in (0, 1)
        for b in (0, 1)
    )
    ramp = struct.pack(">6H", *(0, 65535) * 3)
    header = b"mft2\0\0\0\0" + bytes([3, 3, 2, 0]) + fixed(1, 0, 0, 0, 1, 0, 0, 0, 1) + struct.pack(">HH", 2, 2)
    return profile(b"RGB ", {b"A2B0": header + ramp + corners + ramp}, kind=b"scnr", pcs=b"Lab ")


DISPLAY_P3 = matrix(_DISPLAY_P3, parametric(*SRGB_CURVE))
ADOBE_RGB = matrix(_ADOBE_RGB, power(2.19921875))
PROPHOTO = matrix(_PROPHOTO, parametric(1.8, 1.0, 0.0, 1 / 16, 1 / 32))
GRAY_22 = profile(b"GRAY", {b"kTRC": power(2.2)})
DOT_GAIN = profile(b"GRAY", {b"kTRC": sampled([(i / 255) ** 1.75 for i in range(256)])})
