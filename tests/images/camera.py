"""EXIF as a camera writes it."""

import struct

NOTE = b"Nikon\0\2\x10" + bytes(range(256)) * 3


def block(order: str = "<", orientation: int | None = 6) -> bytes:
    """A camera's EXIF: maker, orientation, a directory with a maker's note, one of GPS, and a thumbnail."""

    def directory(entries: list[tuple[int, int, int, bytes]], following: int = 0) -> bytes:
        packed = b"".join(struct.pack(f"{order}HHI", tag, kind, n) + value for tag, kind, n, value in entries)
        return struct.pack(f"{order}H", len(entries)) + packed + struct.pack(f"{order}I", following)

    def long(value: int) -> bytes:
        return struct.pack(f"{order}I", value)

    turned = [] if orientation is None else [(0x0112, 3, 1, struct.pack(f"{order}HH", orientation, 0))]
    places = [8, 120, 200, 300, 400, 1400]  # of the directories, the note and the thumbnail
    first = directory(
        [(0x010F, 2, 4, b"cam\0"), *turned, (0x8769, 4, 1, long(places[1])), (0x8825, 4, 1, long(places[2]))], places[3]
    )
    inner = directory([(0x829A, 5, 1, long(180)), (0x927C, 7, len(NOTE), long(places[4]))])
    gps = directory([(1, 2, 2, b"N\0\0\0"), (2, 5, 3, long(240))])
    thumbnail = directory([(0x0112, 3, 1, struct.pack(f"{order}HH", 6, 0)), (0x0201, 4, 1, long(places[5]))])
    data = bytearray(1500)
    data[:8] = (b"II*\0" if order == "<" else b"MM\0*") + long(8)
    for at, part in zip(places, (first, inner, gps, thumbnail, NOTE, b"\xff\xd8thumbnail\xff\xd9"), strict=True):
        data[at : at + len(part)] = part
    struct.pack_into(f"{order}2I", data, 180, 1, 50)
    struct.pack_into(f"{order}6I", data, 240, 51, 1, 3, 1, 7, 1)
    return bytes(data)
