"""Pages in a browser without a network: on a phone, by day and by night, and pictures that open large."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from i2i.report import Example, Measured, Table, conversion_report, evaluation_report, run_report, samples_report

playwright = pytest.importorskip("playwright.sync_api", reason="the extra dev brings playwright")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium in the path")
MINUTE = 60_000
LONG = "a/very/long/name/of/a/folder/below/another/folder/that/never/ends/IMG_0001.jpg"


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """One of each kind, with what is long in it."""
    folder = tmp_path_factory.mktemp("pages")
    noise = np.random.default_rng(0)
    pictures = {name: noise.integers(0, 256, (160, 200, 3), np.uint8) for name in ("source", "translated")}
    examples = [Example(LONG, pictures, "worst: L1 59.3, PSNR 11.2 dB, SSIM 0.106"), Example("two.png", pictures)]
    wide = Table("Scores", ["", *(f"a long name {i}" for i in range(8))], [["ours", *[Measured(0.1, 0.01, 1)] * 8]])
    run = folder / "run"
    run.mkdir()
    lines = [f'{{"step": {i}, "losses": {{"G/gan": {i}, "G/l1": 1, "D/gan/real": 2}}}}' for i in range(1, 20)]
    (run / "log.jsonl").write_text("\n".join(lines) + "\n")
    (run / "experiment.yaml").write_text(f"recipe: pix2pix\nlong: {'x' * 300}\n")
    return {
        "run": run_report(run),
        "evaluation": evaluation_report(
            folder / "e.html", title="scores", tables=[wide], examples=examples, notes=[LONG]
        ),
        "conversion": conversion_report(
            folder / "c.html", title=LONG, summary={"seconds": "1"}, examples=examples, failures=[(LONG, "empty")]
        ),
        "samples": samples_report(folder / "s.html", title="cats", summary={}, pictures=[Example("seed 0", pictures)]),
    }


@pytest.fixture(scope="module")
def browser():
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, timeout=MINUTE)
        yield browser
        browser.close()


def opened(browser, path: Path, **options):
    context = browser.new_context(offline=True, **options)
    context.set_default_timeout(MINUTE)
    page = context.new_page()
    page.said = []
    page.on("console", lambda message: page.said.append(message.text))
    page.on("request", lambda request: request.url.startswith(("file:", "data:")) or page.said.append(request.url[:60]))
    page.goto(path.as_uri())
    return page


@pytest.mark.parametrize("kind", ["run", "evaluation", "conversion", "samples"])
def test_a_page_fits_a_phone_by_day_and_by_night_and_asks_for_nothing(browser, pages: dict[str, Path], kind: str):
    papers = set()
    for scheme in ("light", "dark"):
        page = opened(browser, pages[kind], viewport={"width": 390, "height": 844}, color_scheme=scheme)
        for details in page.locator("summary").all():
            details.click()
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        papers.add(page.evaluate("getComputedStyle(document.body).backgroundColor"))
        assert page.said == []  # nothing that the page's own policy refused, either
        page.context.close()
    assert len(papers) == 2


def test_charts_take_the_whole_width_of_a_phone(browser, pages: dict[str, Path]):
    page = opened(browser, pages["run"], viewport={"width": 390, "height": 844})
    widths = page.evaluate("[...document.querySelectorAll('.plot')].map(plot => plot.clientWidth)")
    assert len(widths) == 3
    assert min(widths) > 300
    page.context.close()


def test_a_picture_opens_large_and_is_left_by_keys_alone(browser, pages: dict[str, Path]):
    page = opened(browser, pages["conversion"], viewport={"width": 1280, "height": 900})
    viewer = page.locator("#viewer")
    small = page.locator(".picture img").nth(2).bounding_box()
    page.locator(".picture").nth(2).focus()
    page.keyboard.press("Enter")
    viewer.wait_for(state="visible")
    assert viewer.locator("img").bounding_box()["height"] > small["height"]
    assert viewer.locator("strong").inner_text() == "source"
    page.keyboard.press("ArrowRight")
    assert viewer.locator("strong").inner_text() == "translated"
    page.keyboard.press("ArrowUp")
    assert viewer.locator("span").inner_text() == LONG
    page.keyboard.press("Escape")
    viewer.wait_for(state="hidden")
    # Where one goes on from. The browser hides the dialog first, returns to where it was opened, and then tells of it.
    page.wait_for_function("name => document.activeElement.dataset.name === name", arg=LONG)
    page.keyboard.press("Enter")
    viewer.locator(".close").click()
    viewer.wait_for(state="hidden")
    page.context.close()
