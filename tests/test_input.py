"""What becomes of odd and broken pictures: the table of docs/input.md, row by row, against what happens."""

import io
import os
import shutil
import struct
import tempfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import ExifTags, Image, ImageCms
from torch import Tensor, nn

from i2i import images
from i2i.conversion import translate
from i2i.data.checking import check
from i2i.errors import PictureError
from i2i.networks.settings import ResNet
from i2i.translator import Card, Translator

PAGE = Path(__file__).parents[1] / "docs" / "input.md"


class Identity(nn.Module):
    multiple = 8

    def forward(self, x: Tensor) -> Tensor:
        return x


SAME = Translator(Identity(), Card(architecture=ResNet(width=2, blocks=1), in_channels=3, out_channels=3), device="cpu")


def noise(*shape: int, dtype: type = np.uint8) -> np.ndarray:
    return np.random.default_rng(0).integers(0, np.iinfo(dtype).max + 1, shape, dtype)


def pillow(mode: str = "RGB", size: tuple[int, int] = (24, 16)) -> Image.Image:
    image = Image.fromarray(noise(size[1], size[0], 3)).convert(mode)
    if "A" in mode[1:] and mode != "LAB":
        image.putalpha(Image.fromarray(noise(size[1], size[0])))
    return image


def saved(image: Image.Image, format: str, **options: object) -> bytes:
    held = io.BytesIO()
    image.save(held, format, **options)
    return held.getvalue()


def deep(suffix: str, channels: int) -> bytes:
    done, data = cv2.imencode(suffix, noise(16, 24, channels, dtype=np.uint16))
    assert done
    return data.tobytes()


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def bomb(side: int, pixel: int) -> bytes:
    """A PNG of side x side zeros; the same full block of deflate, again and again."""
    packer = zlib.compressobj(9, wbits=-15)
    row = bytes(1 + side * pixel)
    block = packer.compress(100 * row) + packer.flush(zlib.Z_FULL_FLUSH)
    stream = b"\x78\xda" + block * (side // 100) + packer.flush() + struct.pack(">I", 1)
    header = struct.pack(">IIBBBBB", side, side, 8, {1: 0, 3: 2}[pixel], 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", stream) + chunk(b"IEND", b"")


def ycck() -> bytes:
    """A CMYK JPEG whose Adobe marker says that its first three planes are Y, Cb and Cr."""
    data = saved(pillow("CMYK"), "JPEG")
    at = data.index(b"Adobe") + 11
    return data[:at] + b"\2" + data[at + 1 :]


def turned(orientation: int, format: str = "JPEG") -> bytes:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    return saved(pillow(), format, exif=exif)


def several(format: str) -> bytes:
    return saved(pillow(), format, save_all=True, append_images=[pillow(), pillow()])


def float_tiff() -> bytes:
    return saved(Image.fromarray(np.ones((16, 24), np.float32)), "TIFF")


def palette(**options: object) -> bytes:
    return saved(pillow("P"), "PNG", **options)


def icc(profile: bytes, mode: str = "RGB", format: str = "JPEG") -> bytes:
    return saved(pillow(mode), format, icc_profile=profile)


SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
PNG, JPEG = saved(pillow(), "PNG"), saved(pillow(size=(240, 160)), "JPEG")
Make = bytes | Callable[[Path], None]


def loop(path: Path) -> None:
    path.symlink_to(path.name)


def folder_loop(path: Path) -> None:
    path.mkdir()
    (path / "back").symlink_to(path.parent, target_is_directory=True)


def outside(path: Path) -> None:
    other = path.parent.parent / "elsewhere.png"
    other.write_bytes(PNG)
    path.symlink_to(other)


def forbidden(path: Path) -> None:
    path.write_bytes(PNG)
    path.chmod(0)


CASES: dict[str, tuple[str, Make]] = {
    # broken
    "zero bytes": ("a.jpg", b""),
    "text named .jpg": ("a.jpg", b"This is a letter and no picture at all.\n"),
    "a JPEG cut short": ("a.jpg", JPEG[: len(JPEG) // 2]),
    "a PNG cut short": ("a.png", PNG[: len(PNG) // 2]),
    "a WebP cut short": ("a.webp", saved(pillow(), "WEBP")[:200]),
    "a TIFF cut short": ("a.tif", saved(pillow(), "TIFF")[:300]),
    "a BMP cut short": ("a.bmp", saved(pillow(), "BMP")[:300]),
    "a 16-bit PNG cut short": ("a.png", deep(".png", 3)[:900]),
    "a header and nothing behind it": ("a.png", PNG[:33]),
    "a flipped bit in a PNG": ("a.png", PNG[:400] + bytes([PNG[400] ^ 4]) + PNG[401:]),
    "more bytes behind the end": ("a.png", PNG + b"and more" * 99),
    # names that lie
    "a PNG named .jpg": ("a.jpg", PNG),
    "a JPEG named .png": ("a.png", JPEG),
    "a GIF named .png": ("a.png", several("GIF")),
    "a GIF": ("a.gif", several("GIF")),
    "an HTML page named .png": ("a.png", b"<!doctype html><title>404</title>" * 9),
    # sizes
    "1 x 1": ("a.png", saved(pillow(size=(1, 1)), "PNG")),
    "1 x 60,000": ("a.png", saved(pillow(size=(1, 60_000)), "PNG")),
    "60,000 x 1": ("a.png", saved(pillow(size=(60_000, 1)), "PNG")),
    "0 x 0": ("a.bmp", b"BM" + struct.pack("<IIIIiiHHIIiiII", 54, 0, 54, 40, 0, 0, 1, 24, 0, 0, 0, 0, 0, 0)),
    "30,000 x 30,000 in 1 MB (a bomb)": ("a.png", bomb(30_000, 1)),
    "30,000 x 30,000 of RGB in 3 MB (a bomb)": ("a.png", bomb(30_000, 3)),
    # colour models
    "1 bit": ("a.png", saved(pillow("1"), "PNG")),
    "1 bit, a fax": ("a.tif", saved(pillow("1"), "TIFF", compression="group4")),
    "gray with alpha": ("a.png", saved(pillow("LA"), "PNG")),
    "RGB with alpha": ("a.webp", saved(pillow("RGBA"), "WEBP")),
    "palette": ("a.png", palette()),
    "palette with one transparent colour": ("a.png", palette(transparency=3)),
    "palette with an alpha for each colour": ("a.png", palette(transparency=bytes(range(256)))),
    "CMYK JPEG": ("a.jpg", saved(pillow("CMYK"), "JPEG")),
    "YCCK JPEG": ("a.jpg", ycck()),
    "CMYK TIFF": ("a.tif", saved(pillow("CMYK"), "TIFF")),
    "CIELab TIFF": ("a.tif", saved(pillow("LAB"), "TIFF")),
    "16-bit gray PNG": ("a.png", deep(".png", 1)),
    "16-bit RGB PNG": ("a.png", deep(".png", 3)),
    "16-bit RGB PNG with alpha": ("a.png", deep(".png", 4)),
    "16-bit gray TIFF": ("a.tif", deep(".tif", 1)),
    "16-bit RGB TIFF": ("a.tif", deep(".tif", 3)),
    "32-bit integer TIFF": ("a.tif", saved(pillow("I"), "TIFF")),
    "float TIFF": ("a.tif", float_tiff()),
    "multi-page TIFF": ("a.tif", several("TIFF")),
    "animated WebP": ("a.webp", several("WEBP")),
    "animated PNG": ("a.png", several("PNG")),
    "MPO (two JPEGs of a stereo camera)": ("a.jpg", several("MPO")),
    "progressive JPEG": ("a.jpg", saved(pillow(), "JPEG", progressive=True)),
    # metadata
    **{f"EXIF orientation {one}": ("a.jpg", turned(one)) for one in range(1, 9)},
    "EXIF orientation 99": ("a.jpg", turned(99)),
    "broken EXIF": ("a.jpg", saved(pillow(), "JPEG", exif=b"Exif\0\0II*\0" + b"\xff" * 60)),
    "ICC profile": ("a.jpg", icc(SRGB)),
    "a broken ICC profile": ("a.jpg", icc(b"\xff" * 400)),
    "a broken ICC profile in a CMYK JPEG": ("a.jpg", icc(b"\xff" * 400, "CMYK")),
    "an RGB profile in a gray picture": ("a.png", icc(SRGB, "L", "PNG")),
    # files that are none, and files out of reach
    "no permission to read": ("a.png", forbidden),
    "a link": ("a.png", outside),
    "a link to nothing": ("a.png", lambda path: path.symlink_to("nothing.png")),
    "a link to itself": ("a.png", loop),
    "a folder that holds a link back up": ("a", folder_loop),
    "a folder named .png": ("a.png", Path.mkdir),
    "a pipe": ("a.png", os.mkfifo),
    # names
    "a name in Arabic, Chinese and emoji": ("صورة 図 🦊.png", PNG),
    "a name with an accent in two letters": ("e\u0301.png", PNG),
    "a name with spaces and quotes": (' a b\'s "c" .png', PNG),
    "a name with a line break": ("a\nb.png", PNG),
    "a name with a leading dash": ("-rf.png", PNG),
    "a name of 255 bytes": ("x" * 251 + ".png", PNG),
    "a name that is no UTF-8": (os.fsdecode(b"\xff\xfe.png"), PNG),
    "a name with wildcards": ("[a]*?.png", PNG),
    "a hidden file": (".a.png", PNG),
    "a suffix in capitals": ("A.PNG", PNG),
}


@pytest.fixture
def room() -> Iterator[Path]:
    """A folder that a user without rights can enter; pytest's own cannot."""
    folder = Path(tempfile.mkdtemp(prefix="input-"))
    folder.chmod(0o777)
    yield folder
    shutil.rmtree(folder)


@contextmanager
def no_superuser() -> Iterator[None]:
    """Root may read everything."""
    if os.geteuid():
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def row(label: str, room: Path) -> str:
    """A line of the table, by what happens."""
    name, make = CASES[label]
    source = room / "in"
    source.mkdir()
    path = source / name
    if isinstance(make, bytes):
        path.write_bytes(make)
    else:
        make(path)
    sound = source / "sound.png"
    sound.write_bytes(PNG)
    sound.chmod(0o644)
    with no_superuser():
        summary = translate(SAME, source, room / "out", workers=1)
        report = check(source)
        read = _read(path)
    assert (room / "out" / "sound.png").is_file()
    assert summary.converted + summary.failed == len(summary.planned)
    outputs = [target for found, target in summary.planned if found.name != "sound.png"]
    if not outputs:
        converted = "not taken for a picture"
    elif summary.failures:
        ((failed, reason),) = summary.failures
        assert failed == path
        assert isinstance(read, PictureError)
        assert str(read).isprintable()
        # Words of libraries differ by version.
        ours = read.__cause__ is None or getattr(read.__cause__, "errno", None)
        converted = f"reported: {reason.removeprefix('cannot be read as a picture: ') if ours else 'damaged'}"
    else:
        assert outputs == [room / "out" / name]
        assert isinstance(read, images.Picture)
        converted = f"converted: {_told(images.read_picture(outputs[0]))}"
    assert len(report.problems) == summary.failed
    found = "named" if report.problems else "sound" if outputs else "not counted" if report.splits[0].ignored else "-"
    return f"| {label} | {converted} | {found} |".replace(str(path), "FILE")


def _read(path: Path) -> images.Picture | PictureError | None:
    try:
        images.probe(path)
        return images.read_picture(path)
    except PictureError as error:
        return error


def _told(picture: images.Picture) -> str:
    height, width, channels = picture.pixels.shape
    parts = [f"{width:,} x {height:,}", "gray" if channels == 1 else "RGB"]
    parts += ["16 bits"] if picture.pixels.dtype == np.uint16 else []
    parts += ["alpha"] if picture.alpha is not None else []
    parts += ["ICC"] if picture.icc else []
    return ", ".join(parts)


@pytest.mark.parametrize("label", CASES)
def test_the_table_of_the_page_says_what_happens(label, room):
    assert row(label, room) in PAGE.read_text(encoding="utf-8").splitlines()


def test_the_table_has_no_other_rows():
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    rows = lines[lines.index("| input | `i2i translate` | `i2i check` |") + 2 :]
    assert [line.split(" | ")[0].removeprefix("| ") for line in rows[: rows.index("")]] == list(CASES)
