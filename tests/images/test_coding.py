import io

import numpy as np
import pytest
from PIL import Image

from i2i import images


def photo(height=64, width=96):
    """Smooth, with some noise: what a JPEG is for."""
    y, x = np.mgrid[:height, :width] / 40
    smooth = np.stack([np.sin(3 * x) + np.cos(2 * y), np.sin(x * y), np.cos(x - y)], axis=2)
    noise = np.random.default_rng(0).normal(0, 0.05, smooth.shape)
    return (127 + 60 * (smooth + noise)).clip(0, 255).astype(np.uint8)


def tables(path):
    with Image.open(path) as image:
        return image.quantization, [layer[1:3] for layer in image.layer]


@pytest.mark.parametrize("quality", [30, 80, 98])
@pytest.mark.parametrize("subsampling", [0, 1, 2])
def test_a_jpeg_keeps_its_tables_and_subsampling(tmp_path, quality, subsampling):
    Image.fromarray(photo()).save(tmp_path / "a.jpg", quality=quality, subsampling=subsampling)
    picture = images.read_picture(tmp_path / "a.jpg")
    images.write(tmp_path / "b.jpg", picture.pixels, like=picture.coding)
    assert tables(tmp_path / "b.jpg") == tables(tmp_path / "a.jpg")
    assert abs((tmp_path / "b.jpg").stat().st_size / (tmp_path / "a.jpg").stat().st_size - 1) < 0.05


def test_a_quality_or_a_subsampling_that_is_asked_for_wins(tmp_path):
    Image.fromarray(photo()).save(tmp_path / "a.jpg", quality=80, subsampling=2)
    picture = images.read_picture(tmp_path / "a.jpg")
    images.write(tmp_path / "b.jpg", picture.pixels, like=picture.coding, quality=50)
    images.write(tmp_path / "c.jpg", picture.pixels, like=picture.coding, subsampling="444")
    Image.fromarray(photo()).save(tmp_path / "d.jpg", quality=50, subsampling=2)
    assert tables(tmp_path / "b.jpg") == tables(tmp_path / "d.jpg")
    assert tables(tmp_path / "c.jpg")[0] == tables(tmp_path / "a.jpg")[0]
    assert tables(tmp_path / "c.jpg")[1] == [(1, 1)] * 3


@pytest.mark.parametrize(("quality", "halved"), [("keep", False), (95, False), (80, True)])
def test_what_was_no_jpeg_becomes_a_fine_one(tmp_path, quality, halved):
    Image.fromarray(photo()).save(tmp_path / "a.png")
    picture = images.read_picture(tmp_path / "a.png")
    images.write(tmp_path / "b.jpg", picture.pixels, like=picture.coding, quality=quality)
    Image.fromarray(photo()).save(tmp_path / "c.jpg", quality=95 if quality == "keep" else quality)
    assert tables(tmp_path / "b.jpg")[0] == tables(tmp_path / "c.jpg")[0]
    assert (tables(tmp_path / "b.jpg")[1][0] == (2, 2)) == halved


def test_a_jpeg_on_its_side_turns_its_frequencies_too(tmp_path):
    table = list(range(1, 65))
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(photo()).save(tmp_path / "a.jpg", qtables=[table], subsampling=1, exif=exif)
    picture = images.read_picture(tmp_path / "a.jpg")
    images.write(tmp_path / "b.jpg", picture.pixels, like=picture.coding)
    kept, sampling = tables(tmp_path / "b.jpg")
    assert kept[0] == np.reshape(table, (8, 8)).T.flatten().tolist()
    assert sampling == [(1, 1)] * 3


def test_a_gray_jpegs_table_serves_the_colours_of_its_result(tmp_path):
    Image.fromarray(photo()[:, :, 0]).save(tmp_path / "a.jpg", quality=70)
    picture = images.read_picture(tmp_path / "a.jpg")
    images.write(tmp_path / "b.jpg", images.with_channels(picture.pixels, 3), like=picture.coding)
    images.write(tmp_path / "c.jpg", picture.pixels, like=picture.coding)
    assert tables(tmp_path / "b.jpg")[0][0] == tables(tmp_path / "a.jpg")[0][0]
    assert tables(tmp_path / "c.jpg") == tables(tmp_path / "a.jpg")


def test_a_cmyk_jpeg_becomes_an_rgb_one_of_its_tables(tmp_path):
    Image.fromarray(photo()).convert("CMYK").save(tmp_path / "a.jpg", quality=85)
    picture = images.read_picture(tmp_path / "a.jpg")
    images.write(tmp_path / "b.jpg", picture.pixels, like=picture.coding)
    assert tables(tmp_path / "b.jpg")[0][0] == tables(tmp_path / "a.jpg")[0][0]
    assert len(tables(tmp_path / "b.jpg")[1]) == 3


def webp(image, **options):
    held = io.BytesIO()
    image.save(held, "WEBP", **options)
    return held.getvalue()


@pytest.mark.parametrize("animated", [False, True])
@pytest.mark.parametrize("lossless", [False, True])
@pytest.mark.parametrize("icc", [False, True])
def test_a_webp_stays_lossless_where_it_is(tmp_path, animated, lossless, icc):
    from PIL import ImageCms

    options = {"lossless": lossless, "quality": 90}
    if animated:
        options |= {"save_all": True, "append_images": [Image.new("RGB", (96, 64))]}
    if icc:
        options["icc_profile"] = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    (tmp_path / "a.webp").write_bytes(webp(Image.fromarray(photo()), **options))
    picture = images.read_picture(tmp_path / "a.webp")
    assert picture.coding is not None
    assert picture.coding.lossless == lossless
    images.write(tmp_path / "b.webp", picture.pixels, like=picture.coding)
    assert np.array_equal(images.read(tmp_path / "b.webp"), picture.pixels) == lossless


def test_a_webp_of_quality_100_is_lossless_with_the_colours_below_full_transparency(tmp_path):
    alpha = np.zeros((64, 96), np.uint8)
    images.write(tmp_path / "a.webp", photo(), alpha=alpha, quality=100)
    picture = images.read_picture(tmp_path / "a.webp")
    assert np.array_equal(picture.pixels, photo())
    assert picture.alpha is not None
    assert np.array_equal(picture.alpha, alpha)
