import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import ExifTags, Image, ImageCms
from torch import Tensor, nn

from i2i import conversion, images
from i2i.conversion import Progress, Summary, translate
from i2i.errors import DatasetError
from i2i.networks.settings import ResNet
from i2i.translator import Card, Translator


class Inverse(nn.Module):
    """The negative: its own inverse, and seen at once."""

    multiple = 8

    def forward(self, x: Tensor) -> Tensor:
        return -x


class Identity(nn.Module):
    multiple = 8

    def forward(self, x: Tensor) -> Tensor:
        return x


CARD = Card(architecture=ResNet(width=2, blocks=1), in_channels=3, out_channels=3)
SAME = Translator(Identity(), CARD, device="cpu", precision="fp32", batch_size=2)
NEGATIVE = Translator(Inverse(), CARD, device="cpu", precision="fp32", batch_size=2)


def noise(size: tuple[int, int] = (12, 10), dtype: Any = np.uint8, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, np.iinfo(dtype).max + 1, (*size, 3), dtype)


def put(path: Path, pixels: np.ndarray | None = None, **options: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    images.write(path, noise() if pixels is None else pixels, **options)
    return path


def files(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def run(inputs: Any, output: Path, translator: Translator = SAME, **options: Any) -> Summary:
    return translate(translator, inputs, output, **{"workers": 2} | options)


# ------------------------------------------------------------------------------------------------- what comes out where


def test_a_tree_keeps_its_folders_names_and_formats(tmp_path):
    names = ["a.jpg", "b.PNG", "deep/er/c.webp", "deep/d.tif", "e.bmp", "f.JPEG", "g.TIFF", "-h.png", "Zürich ☀.png"]
    for name in names:
        put(tmp_path / "in" / name)
    (tmp_path / "in" / "notes.txt").write_text("no picture")
    put(tmp_path / "in" / ".hidden.png")
    summary = run(tmp_path / "in", tmp_path / "out")
    assert (summary.converted, summary.skipped, summary.failed) == (9, 0, 0)
    assert files(tmp_path / "out") == sorted(names)
    for name in names:
        one, two = (images.read_picture(tmp_path / place / name) for place in ("in", "out"))
        assert one.format == two.format
        assert one.pixels.shape == two.pixels.shape


def test_every_result_is_the_translation_of_its_own_input(tmp_path):
    sizes = [(12, 10), (9, 9), (12, 10), (20, 7), (12, 10)]
    for index, size in enumerate(sizes * 5):
        put(tmp_path / "in" / f"{index:02}.png", noise(size, seed=index))
    assert run(tmp_path / "in", tmp_path / "out", NEGATIVE).converted == 25
    for index, size in enumerate(sizes * 5):
        assert np.array_equal(images.read(tmp_path / "out" / f"{index:02}.png"), 255 - noise(size, seed=index))


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_16_bits_stay_16_bits(suffix, tmp_path):
    pixels = noise(dtype=np.uint16)
    run(put(tmp_path / f"a.{suffix}", pixels), tmp_path / "out")
    assert np.array_equal(images.read(tmp_path / "out" / f"a.{suffix}"), pixels)


@pytest.mark.parametrize("suffix", ["png", "webp", "tif"])
def test_alpha_is_carried_and_not_translated(suffix, tmp_path):
    alpha = noise()[:, :, 0]
    run(put(tmp_path / f"a.{suffix}", alpha=alpha, quality=100), tmp_path / "out", NEGATIVE)
    found = images.read_picture(tmp_path / "out" / f"a.{suffix}").alpha
    assert found is not None
    assert np.array_equal(found, alpha)


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "tif"])
def test_exif_profile_and_resolution_are_carried_and_the_orientation_is_applied(suffix, tmp_path):
    exif = Image.Exif()
    exif[ExifTags.Base.Artist] = "somebody"
    exif[ExifTags.Base.Orientation] = 6
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    source = tmp_path / f"a.{suffix}"
    Image.fromarray(noise()).save(source, exif=exif, icc_profile=profile, dpi=(300, 300))
    run(source, tmp_path / "out")
    with Image.open(tmp_path / "out" / f"a.{suffix}") as result:
        assert result.size == (12, 10)  # (10, 12) as stored
        if suffix != "tif":  # whose tags are no EXIF
            assert result.getexif()[ExifTags.Base.Artist] == "somebody"
        assert result.getexif().get(ExifTags.Base.Orientation, 1) == 1
        assert result.info["icc_profile"] == profile
        if suffix != "webp":
            assert round(float(result.info["dpi"][0])) == 300


@pytest.mark.parametrize("format", ["jpg", "png", "webp", "tif", "bmp"])
def test_a_format_that_is_asked_for_is_written_under_its_suffix(format, tmp_path):
    put(tmp_path / "in" / "a.b.png")
    put(tmp_path / "in" / "deep" / "c.JPG")
    run(tmp_path / "in", tmp_path / "out", format=format)
    assert files(tmp_path / "out") == [f"a.b.{format}", f"deep/c.{format}"]
    wanted = {"jpg": "JPEG", "tif": "TIFF"}.get(format, format.upper())
    assert images.read_picture(tmp_path / "out" / f"a.b.{format}").format == wanted


def test_a_lower_quality_is_a_smaller_file(tmp_path):
    put(tmp_path / "a.jpg", noise((64, 64)))
    for quality in (95, 20):
        run(tmp_path / "a.jpg", tmp_path / str(quality), quality=quality)
    assert (tmp_path / "20" / "a.jpg").stat().st_size < (tmp_path / "95" / "a.jpg").stat().st_size / 2


def test_a_file_goes_into_a_file(tmp_path):
    put(tmp_path / "a.png")
    assert run(tmp_path / "a.png", tmp_path / "new" / "b.jpg").converted == 1
    assert files(tmp_path / "new") == ["b.jpg"]


def test_a_file_goes_into_a_folder_that_is_there_and_into_one_that_is_not(tmp_path):
    put(tmp_path / "a.png")
    (tmp_path / "there.png").mkdir()
    run(tmp_path / "a.png", tmp_path / "there.png")
    run(tmp_path / "a.png", tmp_path / "new")
    assert files(tmp_path / "there.png") == files(tmp_path / "new") == ["a.png"]


def test_a_file_with_another_format_gets_its_suffix_and_no_folder(tmp_path):
    put(tmp_path / "a.png")
    run(tmp_path / "a.png", tmp_path / "out" / "b.png", format="jpg")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["b.jpg"]
    assert (tmp_path / "out" / "b.jpg").is_file()


@pytest.mark.parametrize(
    ("pattern", "found"), [("*.png", ["a.png", "b.png"]), ("**/*.png", ["a.png", "b.png", "c.png"])]
)
def test_a_glob_is_every_picture_that_it_matches(pattern, found, tmp_path):
    for name in ("a.png", "b.png", "deep/c.png", "d.jpg"):
        put(tmp_path / "in" / name)
    run(tmp_path / "in" / pattern, tmp_path / "out")
    assert files(tmp_path / "out") == found


def test_several_folders_keep_their_names_so_that_their_trees_do_not_mix(tmp_path):
    for name in ("one/a.png", "two/a.png", "two/deep/b.png"):
        put(tmp_path / name)
    run([tmp_path / "one", tmp_path / "two"], tmp_path / "out")
    assert files(tmp_path / "out") == ["one/a.png", "two/a.png", "two/deep/b.png"]


def test_files_and_a_folder_go_together(tmp_path):
    put(tmp_path / "a.png")
    put(tmp_path / "in" / "b.png")
    run([tmp_path / "a.png", tmp_path / "in"], tmp_path / "out")
    assert files(tmp_path / "out") == ["a.png", "b.png"]


def test_results_of_an_earlier_call_inside_the_input_are_not_translated_again(tmp_path):
    put(tmp_path / "a.png")
    run(tmp_path, tmp_path / "out")
    assert run(tmp_path, tmp_path / "out", existing="overwrite").converted == 1
    assert files(tmp_path) == ["a.png", "out/a.png"]


def test_a_name_that_is_no_text_is_converted_and_written_down(tmp_path):
    name = os.fsdecode(b"caf\xe9.png")
    try:
        put(tmp_path / "in" / "a.png").rename(tmp_path / "in" / name)
    except OSError:
        pytest.skip("this file system wants text")
    manifest, report = tmp_path / "m.jsonl", tmp_path / "r.html"
    assert run(tmp_path / "in", tmp_path / "out", manifest=manifest, report=report).converted == 1
    assert os.listdir(tmp_path / "out") == [name]  # noqa: PTH208
    assert json.loads(manifest.read_text())["output"] == str(tmp_path / "out" / name)


# -------------------------------------------------------------------------------------------------- what is not touched


def test_an_unreadable_file_is_named_and_the_rest_goes_on(tmp_path):
    for name in ("a.png", "c.png"):
        put(tmp_path / "in" / name)
    (tmp_path / "in" / "b.png").write_bytes(b"no picture")
    (tmp_path / "in" / "d.jpg").touch()
    summary = run(tmp_path / "in", tmp_path / "out")
    assert (summary.converted, summary.failed) == (2, 2)
    assert [path.name for path, _ in summary.failures] == ["b.png", "d.jpg"]
    assert all(reason and "in/b.png" not in reason for _, reason in summary.failures)
    assert files(tmp_path / "out") == ["a.png", "c.png"]


def test_a_result_that_cannot_be_written_is_named_and_the_rest_goes_on(tmp_path):
    for name in ("a.png", "deep/b.png"):
        put(tmp_path / "in" / name)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "deep").write_text("a file where a folder should be")
    summary = run(tmp_path / "in", tmp_path / "out")
    assert (summary.converted, summary.failed) == (1, 1)
    assert summary.failures[0][0].name == "b.png"


def test_nothing_is_overwritten_unless_asked(tmp_path):
    put(tmp_path / "in" / "a.png")
    put(tmp_path / "in" / "b.png")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "b.png").write_bytes(b"precious")
    with pytest.raises(DatasetError, match=r"1 of 2 results.*b\.png.*--skip-existing.*--overwrite"):
        run(tmp_path / "in", tmp_path / "out")
    assert files(tmp_path / "out") == ["b.png"]
    assert (tmp_path / "out" / "b.png").read_bytes() == b"precious"


def test_what_is_there_is_skipped_where_asked(tmp_path):
    put(tmp_path / "in" / "a.png")
    put(tmp_path / "in" / "b.png")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "b.png").write_bytes(b"precious")
    summary = run(tmp_path / "in", tmp_path / "out", existing="skip")
    assert (summary.converted, summary.skipped) == (1, 1)
    assert (tmp_path / "out" / "b.png").read_bytes() == b"precious"
    assert run(tmp_path / "in", tmp_path / "out", existing="skip").skipped == 2


def test_a_single_file_that_is_there_is_skipped_where_asked(tmp_path):
    put(tmp_path / "a.png")
    put(tmp_path / "b.png")
    assert run(tmp_path / "a.png", tmp_path / "b.png", existing="skip").skipped == 1


def test_what_is_there_is_replaced_where_asked(tmp_path):
    put(tmp_path / "in" / "a.png")
    put(tmp_path / "out" / "a.png", np.zeros((3, 3, 3), np.uint8))
    assert run(tmp_path / "in", tmp_path / "out", existing="overwrite").converted == 1
    assert np.array_equal(images.read(tmp_path / "out" / "a.png"), noise())


def test_a_dry_run_plans_and_writes_nothing(tmp_path):
    put(tmp_path / "in" / "a.png")
    before = files(tmp_path)
    summary = run(
        tmp_path / "in", tmp_path / "out", dry_run=True, manifest=tmp_path / "m.jsonl", report=tmp_path / "r.html"
    )
    assert list(summary.planned) == [(tmp_path / "in" / "a.png", tmp_path / "out" / "a.png")]
    assert summary.converted == 0
    assert files(tmp_path) == before
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("names", "format"), [(("a.jpg", "a.png"), "png"), (("A.png", "a.png"), "keep"), (("d/B.jpg", "D/b.png"), "tif")]
)
def test_two_inputs_for_one_output_are_found_before_the_first_picture(names, format, tmp_path):
    for name in names:
        put(tmp_path / "in" / name)
    if len(files(tmp_path)) < 2:
        pytest.skip("this file system does not tell upper from lower case")
    with pytest.raises(DatasetError, match="would both become"):
        run(tmp_path / "in", tmp_path / "out", format=format)
    assert not (tmp_path / "out").exists()


def test_files_of_one_name_from_two_folders_are_found_before_the_first_picture(tmp_path):
    with pytest.raises(DatasetError, match="would both become"):
        run([put(tmp_path / "one" / "a.png"), put(tmp_path / "two" / "a.png")], tmp_path / "out")


@pytest.mark.parametrize("existing", ["refuse", "overwrite", "skip"])
def test_no_input_is_replaced_by_its_translation(existing, tmp_path):
    source = put(tmp_path / "in" / "a.png")
    before = source.read_bytes()
    for inputs, output in [
        (tmp_path / "in", tmp_path / "in"),
        (tmp_path / "in", tmp_path / "out" / ".." / "in"),
        (source, tmp_path / "in"),
        (source, source),
        (tmp_path / "in" / "*.png", tmp_path / "in"),
    ]:
        (tmp_path / "out").mkdir(exist_ok=True)
        with pytest.raises(DatasetError, match=r"output|input too"):
            run(inputs, output, NEGATIVE, existing=existing)
    assert source.read_bytes() == before


def test_no_input_is_replaced_through_a_link(tmp_path):
    source = put(tmp_path / "in" / "a.png")
    (tmp_path / "out").symlink_to(tmp_path / "in")
    with pytest.raises(DatasetError):
        run(tmp_path / "in", tmp_path / "out", existing="overwrite")
    assert np.array_equal(images.read(source), noise())


# -------------------------------------------------------------------------------------------------- what cannot be done


def test_an_input_that_is_not_there_is_said(tmp_path):
    with pytest.raises(DatasetError, match="does not exist"):
        run(tmp_path / "nothing", tmp_path / "out")


@pytest.mark.parametrize("inputs", ["empty", "empty/*.png"])
def test_an_input_without_pictures_is_said(inputs, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(DatasetError, match="no pictures"):
        run(tmp_path / inputs, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("output", ["file", "file/out"])
def test_an_output_that_cannot_be_written_is_said(output, tmp_path):
    put(tmp_path / "in" / "a.png")
    (tmp_path / "file").write_text("a file")
    with pytest.raises(DatasetError, match="file"):
        run(tmp_path / "in", tmp_path / output)


@pytest.mark.parametrize("option", ["manifest", "report"])
def test_a_record_that_cannot_be_written_is_said_before_the_first_picture(option, tmp_path):
    put(tmp_path / "in" / "a.png")
    (tmp_path / "file").write_text("a file")
    with pytest.raises(DatasetError, match="cannot be written"):
        run(tmp_path / "in", tmp_path / "out", **{option: tmp_path / "file" / "record"})
    assert not files(tmp_path / "out")


def test_an_unknown_format_is_said(tmp_path):
    format: Any = "jpeg2000"
    with pytest.raises(DatasetError, match="jpeg2000"):
        run(put(tmp_path / "a.png"), tmp_path / "out", format=format)


# --------------------------------------------------------------------------------------------------- pairs side by side


def glued(root: Path, split: str = "test", count: int = 2) -> np.ndarray:
    pixels = noise((10, 20))
    for index in range(count):
        put(root / split / f"{index}.png", pixels)
    return pixels


@pytest.mark.parametrize(("half", "where"), [("A", slice(0, 10)), ("B", slice(10, 20)), ("whole", slice(0, 20))])
def test_a_half_of_pairs_side_by_side_is_translated(half, where, tmp_path):
    pixels = glued(tmp_path)
    run(tmp_path / "test", tmp_path / "out", half=half)
    assert np.array_equal(images.read(tmp_path / "out" / "0.png"), pixels[:, where])


def test_a_half_takes_its_part_of_the_alpha(tmp_path):
    alpha = noise((10, 20))[:, :, 0]
    run(put(tmp_path / "a.png", noise((10, 20)), alpha=alpha), tmp_path / "out", half="B")
    found = images.read_picture(tmp_path / "out" / "a.png").alpha
    assert found is not None
    assert np.array_equal(found, alpha[:, 10:])


@pytest.mark.parametrize("inputs", ["data/test", "data", "data/test/*.png", "data/test/0.png"])
def test_pairs_side_by_side_are_asked_about(inputs, tmp_path):
    glued(tmp_path / "data")
    with pytest.raises(DatasetError, match="--half A"):
        run(tmp_path / inputs, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_wide_pictures_that_are_no_pairs_are_not_asked_about(tmp_path):
    glued(tmp_path / "data", "panoramas")
    assert run(tmp_path / "data", tmp_path / "out").converted == 2
    glued(tmp_path / "mixed", "test", 1)
    put(tmp_path / "mixed" / "test" / "photo.png", noise((10, 15)))
    assert run(tmp_path / "mixed" / "test", tmp_path / "more").converted == 2


def test_a_pair_of_odd_width_is_named_and_the_rest_goes_on(tmp_path):
    put(tmp_path / "in" / "a.png", noise((10, 20)))
    put(tmp_path / "in" / "b.png", noise((10, 21)))
    summary = run(tmp_path / "in", tmp_path / "out", half="A")
    assert (summary.converted, summary.failed) == (1, 1)
    assert "21 pixels wide" in summary.failures[0][1]


# -------------------------------------------------------------------------------------------------------------- records


def test_the_manifest_has_a_line_an_input(tmp_path):
    put(tmp_path / "in" / "ä.png")
    (tmp_path / "in" / "b.png").write_bytes(b"broken")
    run(tmp_path / "in", tmp_path / "out", manifest=tmp_path / "new" / "m.jsonl")
    lines = [json.loads(line) for line in (tmp_path / "new" / "m.jsonl").read_text(encoding="utf-8").splitlines()]
    found = {Path(line["input"]).name: line for line in lines}
    assert found["ä.png"]["output"] == str(tmp_path / "out" / "ä.png")
    assert (found["ä.png"]["size"], found["ä.png"]["error"]) == ([10, 12], None)
    assert found["ä.png"]["seconds"] >= 0
    assert (found["b.png"]["output"], found["b.png"]["size"]) == (None, None)
    assert found["b.png"]["error"]


def test_the_report_shows_examples_and_names_failures(tmp_path):
    for index in range(30):
        put(tmp_path / "in" / f"picture{index:02}.png")
    (tmp_path / "in" / "broken.png").write_bytes(b"broken")
    run(tmp_path / "in", tmp_path / "out", report=tmp_path / "r.html")
    page = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert "broken.png" in page
    assert "picture01.png" in page
    assert page.count("data:image") <= 2 * conversion.EXAMPLES + 2


def test_progress_counts_up_to_the_whole(tmp_path):
    for index in range(20):
        put(tmp_path / "in" / f"{index}.png")
    (tmp_path / "in" / "broken.png").write_bytes(b"broken")
    seen: list[Progress] = []
    run(tmp_path / "in", tmp_path / "out", on_progress=seen.append)
    assert [progress.done for progress in seen] == list(range(1, 22))
    assert (seen[-1].total, seen[-1].failed, seen[-1].pixels) == (21, 1, 20 * 120)


# --------------------------------------------------------------------------------------------------------------- memory


def test_a_picture_too_large_for_the_memory_is_named_and_the_rest_goes_on(tmp_path, monkeypatch):
    for name, size in (("a.png", (12, 10)), ("b.png", (300, 300)), ("c.png", (12, 10))):
        put(tmp_path / "in" / name, noise(size))
    monkeypatch.setattr("i2i.translator.room.UNHEEDED_BYTES", 0)
    monkeypatch.setattr("i2i.translator.room.free_bytes", lambda: 1_000_000)
    summary = run(tmp_path / "in", tmp_path / "out")
    assert [(path.name, "300 x 300 pixels" in reason) for path, reason in summary.failures] == [("b.png", True)]
    assert files(tmp_path / "out") == ["a.png", "c.png"]


# ----------------------------------------------------------------------------------- nothing is written anywhere else


def everything(folder: Path) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in files(folder)}


@pytest.mark.parametrize("existing", ["refuse", "overwrite", "skip"])
def test_a_link_out_of_the_output_is_refused_before_the_first_picture(existing, tmp_path):
    put(tmp_path / "in" / "a.png")
    put(tmp_path / "in" / "sub" / "deep" / "b.png")
    put(tmp_path / "elsewhere" / "b.png", noise(seed=1))
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "sub").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    before = everything(tmp_path / "elsewhere")
    with pytest.raises(DatasetError, match=r"sub/deep: is a link out of the output folder"):
        run(tmp_path / "in", tmp_path / "out", existing=existing)
    assert everything(tmp_path / "elsewhere") == before
    assert files(tmp_path / "out") == []


def test_an_output_that_is_a_link_and_links_within_it_are_used(tmp_path):
    put(tmp_path / "in" / "sub" / "b.png")
    (tmp_path / "disk" / "kept").mkdir(parents=True)
    (tmp_path / "out").symlink_to(tmp_path / "disk", target_is_directory=True)
    (tmp_path / "disk" / "sub").symlink_to("kept", target_is_directory=True)
    assert run(tmp_path / "in", tmp_path / "out").converted == 1
    assert files(tmp_path / "disk" / "kept") == ["b.png"]


@pytest.mark.parametrize("leads_to", ["elsewhere.png", "nothing.png"])
def test_a_link_in_the_place_of_a_result_is_replaced_and_not_followed(leads_to, tmp_path):
    put(tmp_path / "in" / "a.png")
    put(tmp_path / "elsewhere.png", noise(seed=1))
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "a.png").symlink_to(tmp_path / leads_to)
    with pytest.raises(DatasetError, match="1 of 1 results are there already"):
        run(tmp_path / "in", tmp_path / "out")
    assert run(tmp_path / "in", tmp_path / "out", existing="overwrite").converted == 1
    assert not (tmp_path / "out" / "a.png").is_symlink()
    assert np.array_equal(images.read(tmp_path / "elsewhere.png"), noise(seed=1))
    assert not (tmp_path / "nothing.png").exists()


def test_a_link_laid_for_the_look_whether_one_may_write_is_not_followed(tmp_path):
    put(tmp_path / "in" / "a.png")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / ".i2i-writable").symlink_to(tmp_path / "planted")
    run(tmp_path / "in", tmp_path / "out")
    assert not (tmp_path / "planted").exists()


def test_a_hard_link_to_an_input_is_replaced_without_touching_the_input(tmp_path):
    put(tmp_path / "in" / "a.png")
    before = everything(tmp_path / "in")
    (tmp_path / "out").mkdir()
    os.link(tmp_path / "in" / "a.png", tmp_path / "out" / "a.png")
    run(tmp_path / "in", tmp_path / "out", NEGATIVE, existing="overwrite")
    assert everything(tmp_path / "in") == before


def test_names_that_differ_by_the_spelling_of_an_accent_are_found_before_the_first_picture(tmp_path):
    for name in ("\u00e9.png", "e\u0301.png"):
        put(tmp_path / "in" / name)
    if len(files(tmp_path / "in")) == 2:  # a Mac keeps one
        with pytest.raises(DatasetError, match="would both become"):
            run(tmp_path / "in", tmp_path / "out")
        assert not (tmp_path / "out").exists()


def test_an_input_that_is_a_link_to_itself_is_named_and_the_rest_goes_on(tmp_path):
    put(tmp_path / "in" / "a.png")
    (tmp_path / "in" / "b.png").symlink_to("b.png")
    (tmp_path / "in" / "c").symlink_to("c")
    summary = run(tmp_path / "in", tmp_path / "out")
    assert [path.name for path, _ in summary.failures] == ["b.png"]
    assert files(tmp_path / "out") == ["a.png"]
