"""The page in a real browser: Debian's Chromium, or whichever is in the path.

One server and one browser for all of it. The main path is in the ordinary run, the rest is slow. Nothing sleeps: what
is waited for is said.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest
from PIL import Image

from i2i import images
from i2i.translator import Translator

playwright = pytest.importorskip("playwright.sync_api", reason="the extra dev brings playwright")
pytest.importorskip("gradio", reason="the extra app brings gradio")
expect = playwright.expect

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium in the path")
WAIT = 180_000
"""Milliseconds: what takes one here may take a hundred on a machine with much else to do."""
expect.set_options(timeout=WAIT)


def log_line(step: int, diversity: float = 0.9) -> str:
    losses = {"G/l1": 20 / step, "D/gan/real": 0.5, "D/gan/fake": 0.4}
    return json.dumps({"step": step, "losses": losses, "health": {"AtoB/diversity": diversity}}) + "\n"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, tiny) -> Path:
    """Models, runs and pictures of the whole module."""
    place = tmp_path_factory.mktemp("app")
    tiny(place / "tiny.safetensors")
    tiny(place / "labels.safetensors", labels=True, size="64")
    for way in ("AtoB", "BtoA"):
        tiny(place / f"runs/both/translator_{way}.safetensors", direction=way, recipe="cyclegan")
    (place / "runs/both/samples").mkdir()
    (place / "runs/both/log.jsonl").write_text("".join(log_line(step) for step in (50, 100, 150)))
    images.write(place / "runs/both/samples/000150.png", np.full((16, 16, 3), 90, np.uint8))
    random = np.random.default_rng(0)
    for index in range(3):
        images.write(place / f"picture{index}.png", random.integers(0, 256, (40 + index, 60, 3), np.uint8))
    (place / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nnothing of a picture")
    images.write(place / "large.png", np.zeros((2001, 2000, 3), np.uint8))
    with zipfile.ZipFile(place / "lot.zip", "w") as zipped:
        for index in range(3):
            zipped.write(place / f"picture{index}.png", f"lot/picture{index}.png")
        zipped.write(place / "broken.png", "lot/broken.png")
    with zipfile.ZipFile(place / "evil.zip", "w") as zipped:
        zipped.writestr("../../out.png", b"")
    return place


@dataclass
class Served:
    url: str
    folder: Path
    """Where the page has its own folders."""


@pytest.fixture(scope="module")
def server(place: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """`i2i app` as people start it, in a process of its own, until Ctrl-C."""
    folder = tmp_path_factory.mktemp("tmp")
    limits = ["--max-upload", "2", "--max-megapixels", "4", "--max-pictures", "5"]
    models = [str(place / "tiny.safetensors"), str(place / "labels.safetensors"), "--runs", str(place / "runs")]
    command = [sys.executable, "-m", "i2i", "app", *models, "--port", "0", "--device", "cpu", "--precision", "fp32"]
    environment = os.environ | {"TMPDIR": str(folder)}
    with subprocess.Popen([*command, *limits], stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        found = re.match(r"Open (http://127\.0\.0\.1:\d+/) on this machine", process.stdout.readline())
        try:
            assert found
            yield Served(found[1], folder)
        finally:
            process.send_signal(signal.SIGINT)
            try:
                process.communicate(timeout=300)
            finally:
                process.kill()  # one that does not end would be waited for
    assert process.returncode == 0
    assert not list(folder.glob("i2i-app-*"))


@pytest.fixture(scope="module")
def context(server: Served):
    """One context, so that what the page loads is loaded once; every request is written down."""
    fake = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=fake, timeout=WAIT)
        context = browser.new_context(accept_downloads=True, viewport={"width": 1200, "height": 900})
        context.set_default_timeout(WAIT)
        asked: list[str] = []
        context.on("request", lambda request: asked.append(request.url))
        context.asked = asked
        yield context
        browser.close()


@pytest.fixture
def page(context, server: Served):
    page = context.new_page()
    yield opened(page, server)
    page.close()


def opened(page, server: Served):
    page.goto(server.url)
    expect(page.locator("#about")).to_contain_text("channels")  # the model is loaded
    return page


def give(page, *files: Path) -> None:
    page.locator("#files input[type=file]").first.set_input_files([str(file) for file in files])
    for file in files:
        expect(page.locator("#files")).to_contain_text(file.stem)


def translate(page, *files: Path) -> None:
    give(page, *files)
    page.locator("#go").click()
    expect(page.locator(".i2i-outcome")).to_be_visible()


def download(page, button: str, into: Path) -> Path:
    expect(page.locator(button)).to_be_visible()
    with page.expect_download() as found:
        page.locator(button).click()
    path = into / found.value.suggested_filename
    found.value.save_as(path)
    return path


# ----------------------------------------------------------------------------------------------------- the ordinary run


def test_a_picture_is_uploaded_translated_compared_and_downloaded(page, place, tmp_path, context):
    translate(page, place / "picture0.png")
    expect(page.locator(".i2i-outcome")).to_contain_text("1 translated")
    expect(page.locator(".i2i-compare img")).to_have_count(2)
    slider = page.get_by_label("Slide between before and after")
    compared = page.locator(".i2i-compare")
    slider.focus()
    page.keyboard.press("ArrowLeft")
    expect(compared).to_have_attribute("style", re.compile(r"--at: 49%"))
    page.keyboard.press("Home")
    expect(compared).to_have_attribute("style", re.compile(r"--at: 0%"))
    found = download(page, "#download-one", tmp_path)
    assert found.name == "picture0.png"
    wanted = Translator.load(place / "tiny.safetensors", device="cpu", precision="fp32")(
        images.read(place / "picture0.png")
    )
    assert np.array_equal(images.read(found), wanted)
    outside = {url for url in context.asked if not url.startswith("blob:") and urlsplit(url).hostname != "127.0.0.1"}
    assert {url for url in outside if not url.startswith("data:")} == set()
    assert len(context.asked) > 10


def test_a_broken_picture_is_named_and_the_others_are_translated(page, place, tmp_path):
    translate(page, place / "broken.png", place / "picture1.png", place / "picture2.png")
    said = page.locator(".i2i-outcome")
    expect(said).to_contain_text("2 translated")
    expect(said).to_contain_text("broken.png cannot be read as a picture")
    with zipfile.ZipFile(download(page, "#download-all", tmp_path)) as zipped:
        assert zipped.namelist() == ["picture1.png", "picture2.png"]


# -------------------------------------------------------------------------------------------------------- the long tail


@pytest.mark.slow
def test_a_zip_brings_its_pictures_and_the_strip_chooses_among_them(page, place, tmp_path):
    translate(page, place / "lot.zip")
    expect(page.locator(".i2i-outcome")).to_contain_text("3 translated")
    expect(page.locator(".i2i-compare figcaption")).to_contain_text("picture0.png")
    page.locator("#strip button").nth(1).click()
    expect(page.locator(".i2i-compare figcaption")).to_contain_text("picture1.png")
    assert download(page, "#download-one", tmp_path).name == "picture1.png"
    assert images.read(tmp_path / "picture1.png").shape == (41, 60, 3)


@pytest.mark.slow
def test_a_zip_that_reaches_out_is_refused(page, place):
    translate(page, place / "evil.zip")
    expect(page.locator(".i2i-outcome")).to_contain_text("a path out of its folder")


@pytest.mark.slow
def test_a_picture_of_too_many_pixels_is_refused(page, place):
    translate(page, place / "large.png")
    expect(page.locator(".i2i-outcome")).to_contain_text("2000 x 2001 pixels are more than the 4 megapixels")


@pytest.mark.slow
def test_a_file_that_is_too_large_is_refused_before_it_is_kept(page, place, server, tmp_path):
    (tmp_path / "huge.bmp").write_bytes(bytes(3_500_000))
    page.locator("#files input[type=file]").first.set_input_files(str(tmp_path / "huge.bmp"))
    expect(page.get_by_test_id("toast-body").first).to_be_visible()
    assert not list(server.folder.rglob("huge.bmp"))


@pytest.mark.slow
def test_nothing_to_translate_is_said(page):
    page.locator("#go").click()
    expect(page.locator(".i2i-outcome")).to_contain_text("no pictures yet")


@pytest.mark.slow
def test_keys_alone_do_it_all(page, place):
    """Choosing a file opens the system's dialogue, which no browser test can type in; all else is keys."""
    give(page, place / "picture0.png")
    page.locator("#model input").focus()
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == "go":
            break
    assert page.evaluate("document.activeElement.id") == "go"
    page.keyboard.press("Enter")
    expect(page.locator(".i2i-outcome")).to_contain_text("1 translated")
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.type") == "range":
            break
    page.keyboard.press("End")
    expect(page.locator(".i2i-compare")).to_have_attribute("style", re.compile(r"--at: 100%"))
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == "download-one":
            break
    with page.expect_download() as found:
        page.keyboard.press("Enter")
    assert found.value.suggested_filename == "picture0.png"


@pytest.mark.slow
def test_another_model_and_direction_are_chosen(page, place):
    page.locator("#model input").click()
    page.get_by_role("option", name="both").click()
    expect(page.locator("#about")).to_contain_text("cyclegan AtoB")
    page.locator("#direction").get_by_text("B to A").click()
    translate(page, place / "picture0.png")
    expect(page.locator(".i2i-outcome")).to_contain_text("1 translated")


@pytest.mark.slow
def test_a_stroke_on_the_canvas_is_translated(page, place):
    page.locator("#model input").click()
    page.get_by_role("option", name="labels.safetensors").click()
    page.get_by_role("tab", name="Draw").click()
    expect(page.locator("#legend")).to_contain_text("window")
    canvas = page.locator("#canvas canvas").first
    expect(canvas).to_be_visible()
    result = page.locator("#drawn img")
    expect(result).to_have_count(0)
    box = canvas.bounding_box()
    for across in (0.4, 0.5, 0.6):  # the first may come while the canvas is still being laid out
        page.mouse.move(box["x"] + box["width"] * across, box["y"] + box["height"] * 0.4)
        page.mouse.down()
        page.mouse.move(box["x"] + box["width"] * across, box["y"] + box["height"] * 0.6, steps=6)
        page.mouse.up()
    page.locator("#paint").click()
    expect(result.first).to_be_visible()


@pytest.mark.slow
def test_a_photo_from_the_camera_is_translated(page):
    page.get_by_role("button", name="Camera").click()
    page.locator("#camera").get_by_text("Click to Access Webcam").click()
    # A button that takes a photo is there before the camera has one to take.
    page.wait_for_function("document.querySelector('#camera video')?.readyState >= 2")
    page.locator("#camera").get_by_role("button", name="capture").click()
    expect(page.locator("#camera img:not(.hide)").first).to_be_visible()
    page.locator("#go").click()
    expect(page.locator(".i2i-outcome")).to_contain_text("1 translated")


@pytest.mark.slow
def test_a_run_is_watched_while_it_goes_on(page, place):
    page.get_by_role("tab", name="Training").click()
    view = page.locator("#view")
    expect(view).to_contain_text("Healthy")
    expect(view.locator(".plot").first).to_be_visible()
    expect(view.locator(".sample img")).to_be_visible()
    with (place / "runs/both/log.jsonl").open("a") as log:
        for step in range(200, 600, 50):
            log.write(log_line(step, diversity=0.01))
    expect(view).to_contain_text("Mode collapse")
    expect(view).to_contain_text("550")
    images.write(place / "runs/both/samples/000550.png", np.full((16, 16, 3), 90, np.uint8))
    expect(view).to_contain_text("at step 550")


@pytest.mark.slow
def test_two_people_at_once_get_their_own(page, context, place, server, tmp_path):
    other = opened(context.new_page(), server)
    for who, file in ((page, "picture1.png"), (other, "picture2.png")):
        give(who, place / file)
    page.locator("#go").click()
    other.locator("#go").click()
    for who, file in ((page, "picture1.png"), (other, "picture2.png")):
        expect(who.locator(".i2i-outcome")).to_contain_text("1 translated")
        expect(who.locator(".i2i-compare figcaption")).to_have_text(file)
        assert download(who, "#download-one", tmp_path).name == file
    assert images.read(tmp_path / "picture2.png").shape == (42, 60, 3)
    other.close()


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_sticks_out_of_a_phone(scheme, page, place, tmp_path):
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": 390, "height": 844})
    translate(page, place / "lot.zip")
    for tab in ("Translate", "Draw", "Training"):
        page.get_by_role("tab", name=tab).click()
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.screenshot(path=tmp_path / "phone.png")
    paper = np.asarray(Image.open(tmp_path / "phone.png").convert("L"))[4, 4]
    assert (paper < 60) == (scheme == "dark")
