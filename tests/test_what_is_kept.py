"""What a result keeps of its picture, folder to folder through a network that changes nothing, and the page on it."""

import io
import json
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageCms
from torch import Tensor, nn

from i2i import images
from i2i.conversion import translate
from i2i.networks.settings import ResNet
from i2i.translator import Card, Translator

sys.path.insert(0, str(Path(__file__).parent / "images"))
import profiles
from camera import block

PAGE = Path(__file__).parents[1] / "docs" / "input.md"
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><tiff:Orientation>1</tiff:Orientation></x:xmpmeta>'


class Identity(nn.Module):
    multiple = 8

    def forward(self, x: Tensor) -> Tensor:
        return x


class Watched(Identity):
    """Notes whether it is asked for bf16."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[bool] = []

    def forward(self, x: Tensor) -> Tensor:
        self.seen.append(torch.is_autocast_enabled("cpu"))
        return x


def same(channels: int, network: nn.Module | None = None, precision: str = "fp32") -> Translator:
    card = Card(architecture=ResNet(width=2, blocks=1), in_channels=channels, out_channels=channels)
    return Translator(network or Identity(), card, device="cpu", precision=precision)


def levels(dtype: type, channels: int) -> np.ndarray:
    """Every level in every channel, at different places."""
    count = np.iinfo(dtype).max + 1
    ramp = np.arange(count, dtype=dtype).reshape(-1, 16 if count == 256 else 256)
    return np.stack([np.roll(ramp, 7 * channel) for channel in range(channels)], axis=2)


def convert(folder: Path, translator: Translator, **options) -> Path:
    summary = translate(translator, folder / "in", folder / "out", workers=1, **options)
    assert (summary.failed, summary.failures) == (0, [])
    return folder / "out"


@pytest.mark.parametrize(
    ("suffix", "dtype"),
    [
        ("png", np.uint8),
        ("tif", np.uint8),
        ("bmp", np.uint8),
        ("webp", np.uint8),
        ("png", np.uint16),
        ("tif", np.uint16),
    ],
)
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("with_alpha", [False, True])
def test_every_level_of_a_lossless_format_comes_back(tmp_path, suffix, dtype, channels, with_alpha):
    if with_alpha and suffix == "bmp":
        pytest.skip("BMP has no alpha")
    pixels, alpha = levels(dtype, channels), levels(dtype, 1)[::-1, :, 0] if with_alpha else None
    source = tmp_path / "in" / f"a.{suffix}"
    source.parent.mkdir()
    kept = {} if suffix == "bmp" else {"exif": block(orientation=1), "icc": SRGB if channels == 3 else None}
    images.write(source, pixels, alpha=alpha, quality=100, **kept)
    before = images.read_picture(source)
    assert np.array_equal(before.pixels[:, :, :channels], pixels)
    after = images.read_picture(convert(tmp_path, same(channels)) / source.name)
    assert np.array_equal(after.pixels, before.pixels)
    assert after.pixels.dtype == dtype
    assert (after.alpha is None) == (alpha is None)
    assert alpha is None or np.array_equal(after.alpha, alpha)
    assert after.icc == before.icc
    assert after.exif == before.exif
    if suffix in ("png", "webp"):
        assert after.exif == block(orientation=1)


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_a_deep_gray_picture_stays_gray_through_a_model_of_one_channel(tmp_path, suffix):
    (tmp_path / "in").mkdir()
    images.write(tmp_path / "in" / f"a.{suffix}", levels(np.uint16, 1), icc=profiles.GRAY_22, dpi=(300, 300))
    after = images.read_picture(convert(tmp_path, same(1)) / f"a.{suffix}")
    before = images.read_picture(tmp_path / "in" / f"a.{suffix}")
    assert after.pixels.shape[2] == 1
    assert np.abs(after.pixels.astype(int) - before.pixels).max() <= 1
    assert after.icc == profiles.GRAY_22


@pytest.mark.parametrize(("dtype", "half"), [(np.uint8, True), (np.uint16, False)])
def test_16_bits_are_translated_in_fp32_whatever_the_precision(tmp_path, dtype, half):
    (tmp_path / "in").mkdir()
    images.write(tmp_path / "in" / "a.png", levels(dtype, 3))
    network = Watched()
    convert(tmp_path, same(3, network, "bf16"))
    assert set(network.seen) == {half}


@pytest.mark.parametrize("icc", [profiles.DISPLAY_P3, profiles.ADOBE_RGB, profiles.PROPHOTO])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_a_picture_of_another_profile_comes_back_in_it(tmp_path, icc, dtype):
    top = np.iinfo(dtype).max
    within = np.random.default_rng(0).integers(top // 16, top, (32, 32, 3), dtype)
    (tmp_path / "in").mkdir()
    images.write(tmp_path / "in" / "a.png", within, icc=icc)
    out = convert(tmp_path, same(3)) / "a.png"
    stored = []
    for path in (tmp_path / "in" / "a.png", out):
        data = path.read_bytes()
        chunk = data[data.index(b"iCCP") - 4 :]
        plain = data.replace(chunk[: 12 + int.from_bytes(chunk[:4], "big")], b"")  # read as if it were sRGB
        path.with_name("plain.png").write_bytes(plain)
        stored.append(images.read(path.with_name("plain.png")).astype(int))
    assert np.abs(stored[0] - within).max() > top // 50
    assert np.abs(stored[1] - stored[0]).max() <= 1
    assert images.read_picture(out).icc == icc


def jpeg(**options: object) -> bytes:
    held = io.BytesIO()
    image = Image.fromarray(np.random.default_rng(0).integers(0, 256, (16, 24, 3), np.uint8))
    image.save(held, "JPEG", **options)
    return held.getvalue()


@pytest.mark.parametrize("format", ["keep", "png", "webp"])
def test_exif_and_profile_survive_byte_for_byte(tmp_path, format):
    (tmp_path / "in").mkdir()
    extra = b"\xff\xe1" + (31 + len(XMP)).to_bytes(2, "big") + b"http://ns.adobe.com/xap/1.0/\0" + XMP
    data = jpeg(exif=b"Exif\0\0" + block(orientation=6), icc_profile=SRGB, dpi=(240, 240), extra=extra)
    (tmp_path / "in" / "a.jpg").write_bytes(data)
    (result,) = convert(tmp_path, same(3), format=format).iterdir()
    assert block(orientation=1) in result.read_bytes()
    with Image.open(result) as image:
        assert image.size == (16, 24)
        assert image.info["icc_profile"] == SRGB
        assert image.getexif()[0x0112] == 1
    after = images.read_picture(result)
    assert after.exif == block(orientation=1)
    assert after.xmp == XMP
    assert after.dpi is None or after.dpi == pytest.approx((240, 240), rel=1e-3)


def test_cmyk_becomes_rgb_without_its_profile(tmp_path):
    (tmp_path / "in").mkdir()
    held = io.BytesIO()
    Image.new("CMYK", (24, 16), (0, 255, 255, 0)).save(held, "JPEG", icc_profile=profiles.profile(b"CMYK", {}))
    (tmp_path / "in" / "a.jpg").write_bytes(held.getvalue())
    with Image.open(convert(tmp_path, same(3)) / "a.jpg") as image:
        assert image.mode == "RGB"
        assert "icc_profile" not in image.info


COLUMNS = ("16 bits", "alpha", "colour profile", "EXIF", "XMP", "resolution")


def kept_row(suffix: str, folder: Path) -> str:
    """A line of the table, by what comes back from a file of that suffix that was given everything."""
    pixels, alpha = levels(np.uint16, 3)[:8, :8], levels(np.uint16, 1)[:8, :8, 0]
    path = folder / f"a.{suffix}"
    lost = images.write(path, pixels, alpha=alpha, icc=SRGB, exif=block(orientation=1), xmp=XMP, dpi=(300, 300))
    found = images.read_picture(path)
    kept = {
        "16 bits": found.pixels.dtype == np.uint16,
        "alpha": found.alpha is not None,
        "colour profile": found.icc == SRGB,
        "EXIF": found.exif is not None,
        "XMP": found.xmp == XMP,
        "resolution": found.dpi is not None,
    }
    assert {what for what in COLUMNS if not kept[what]} == set(lost)
    cells = ["kept" if kept[what] else "-" for what in COLUMNS]
    if kept["EXIF"] and found.exif != block(orientation=1):
        cells[3] = "tag by tag"
    return f"| {suffix} | {' | '.join(cells)} |"


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "tif", "bmp"])
def test_the_table_of_the_page_says_what_is_kept(tmp_path, suffix):
    assert kept_row(suffix, tmp_path) in PAGE.read_text(encoding="utf-8").splitlines()


def test_the_manifest_tells_what_is_lost(tmp_path):
    (tmp_path / "in").mkdir()
    pixels = levels(np.uint16, 3)
    images.write(tmp_path / "in" / "a.png", pixels, alpha=pixels[:, :, 0], exif=block(orientation=1))
    convert(tmp_path, same(3), format="jpg", manifest=tmp_path / "m.jsonl")
    assert json.loads((tmp_path / "m.jsonl").read_text())["lost"] == ["16 bits", "alpha"]


def test_a_quality_reaches_the_file(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.jpg").write_bytes(jpeg(quality=80))
    sizes = []
    for quality, subsampling in (("keep", "keep"), (40, "keep"), ("keep", "444")):
        convert(tmp_path, same(3), quality=quality, subsampling=subsampling, existing="overwrite")
        sizes.append((tmp_path / "out" / "a.jpg").stat().st_size)
    assert sizes[1] < sizes[0] < sizes[2]


def test_a_jpegs_segment_is_not_exceeded(tmp_path):
    long = block(orientation=1) + bytes(65_536)
    lost = images.write(tmp_path / "a.jpg", levels(np.uint8, 3), exif=long, xmp=XMP + bytes(65_536), dpi=(1e5, 1e5))
    assert lost == ("EXIF", "XMP", "resolution")
    assert images.write(tmp_path / "a.png", levels(np.uint8, 3), exif=long) == ()
    assert images.read_picture(tmp_path / "a.png").exif == long
