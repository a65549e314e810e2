"""Pages: complete, self-contained, light, and safe whatever a file is named."""

import base64
import dataclasses
import hashlib
import html
import io
import json
import os
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from i2i.engine import monitor
from i2i.report import (
    Example,
    Measured,
    Table,
    conversion_report,
    evaluation_report,
    run_report,
    samples_report,
    sheet,
)
from i2i.report.pages import duration, evenly

HOSTILE = "\"><script>alert(1)</script><img src=x onerror='alert(2)'>&\udce9.png"
LOSSES = ("D/gan/x/fake", "D/gan/x/real", "G/gan/x", "G/gan/y", "G/l1")


def photo(seed: int = 0, side: int = 64) -> np.ndarray:
    """Something that compresses about as badly as a photograph does."""
    rng = np.random.default_rng(seed)
    coarse = Image.fromarray(rng.integers(0, 256, (side // 8, side // 8, 3), np.uint8))
    picture = np.asarray(coarse.resize((side, side), Image.Resampling.BICUBIC), np.int16)
    return np.clip(picture + rng.integers(-12, 13, picture.shape), 0, 255).astype(np.uint8)


def make_run(run: Path, records: int = 60, samples: int = 3) -> Path:
    (run / "samples").mkdir(parents=True)
    (run / "experiment.yaml").write_text("recipe: pix2pix\nmodel:\n  lambda_l1: 100.0\n")
    (run / "notes.txt").write_text("4 pictures were held out\n\n<b>bold</b>\n")
    lines = [
        {
            "step": 100 * i,
            "images": 400 * i,
            "epoch": i / 2,
            "seconds": 12.5 * i,
            "images_per_second": 32.0,
            "data_wait": 0.02,
            "learning_rate": 2e-4,
            "losses": dict.fromkeys(LOSSES, 1 + 50 * 0.9**i),
        }
        for i in range(1, records + 1)
    ]
    (run / "log.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    for i in range(1, samples + 1):
        grid = sheet({"source": [photo(i)], "translated": [photo(i + 1)]}, side=64)
        Image.fromarray(grid).save(run / "samples" / f"{100 * i:08d}.png")
    return run


def every_page(folder: Path) -> list[str]:
    pictures = {"source": photo(), "target": photo(1)}
    paths = [
        run_report(make_run(folder / "pix2pix-streets")),
        evaluation_report(
            folder / "evaluation.html",
            title="scores",
            tables=[Table("Scores", ["metric", "value"], [["PSNR", 23.4]], "a note")],
            examples=[Example("one.png", pictures, "22 dB")],
            notes=["a note"],
        ),
        conversion_report(
            folder / "conversion.html",
            title="photos",
            summary={"converted": "3"},
            examples=[Example("one.png", pictures)],
            failures=[("bad.png", "the file is empty")],
        ),
        samples_report(
            folder / "samples.html",
            title="cats",
            summary={"pictures": "2"},
            pictures=[Example("seed 0", {"made": photo()}), Example("seed 1", {"made": photo(1)})],
            nearest=[Example("seed 0", pictures, "12.3 of 255")],
        ),
    ]
    return [path.read_text(encoding="utf-8") for path in paths]


def test_a_page_loads_nothing(tmp_path: Path):
    for page in every_page(tmp_path):
        assert not re.search(r"https?://|//[a-z]+\.|@import|url\(", page)
        assert "<link" not in page
        sources = re.findall(r"src=\"([^\"]*)\"", page)
        assert sources
        assert all(source.startswith("data:image/webp;base64,") for source in sources)


def test_the_policy_allows_our_style_and_script_and_nothing_else(tmp_path: Path):
    for page in every_page(tmp_path):
        found = re.search(r"Content-Security-Policy\" content=\"([^\"]*)\"", page)
        assert found
        policy = html.unescape(found[1])
        assert policy.startswith("default-src 'none'; img-src data:;")
        assert "unsafe" not in policy
        for tag in ("style", "script"):
            (text,) = re.findall(f"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
            digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
            assert f"{tag}-src 'sha256-{digest}'" in policy
        # The policy would refuse these, in silence.
        assert " style=" not in page
        assert not re.search(r"\son[a-z]+=", page)


def test_all_pages_have_one_look_by_day_and_by_night_and_fit_a_phone(tmp_path: Path):
    pages = every_page(tmp_path)
    looks = {tuple(re.findall(r"<(?:style|script)>(.*?)</", page, re.DOTALL)) for page in pages}
    assert len(looks) == 1
    ((style, _),) = looks
    assert "prefers-color-scheme: dark" in style
    assert "max-width: 760px" in style
    for page in pages:
        assert '<meta name="viewport" content="width=device-width, initial-scale=1">' in page
        assert '<meta name="color-scheme" content="light dark">' in page
        assert re.search(r"<p class=\"eyebrow\">[^<]+</p>\s*<h1>", page)


def test_every_picture_opens_large_and_closes_by_key_and_by_button(tmp_path: Path):
    for page in every_page(tmp_path):
        shown = re.findall(r'<button class="picture[^>]*>', page)
        assert shown
        for button in shown:
            assert re.search(r'aria-label="Enlarge [^"]+" data-name="[^"]+" data-label="[^"]+"', button)
        # A dialog shown as a modal is closed by Escape, and keeps the focus, without a line of ours.
        (viewer,) = re.findall(r'<dialog id="viewer".*?</dialog>', page, re.DOTALL)
        assert '<button class="close" type="button" aria-label="Close">' in viewer
        assert "showModal()" in page
        assert "data-set" in page  # what the arrows step through
        assert len(re.findall("<article data-example|<figure data-example", page)) > 0


def test_a_page_of_samples_has_them_all_and_what_they_are_nearest_to(tmp_path: Path):
    page = every_page(tmp_path)[3]
    assert re.findall(r"<h3>(seed \d)</h3>", page) == ["seed 0", "seed 1", "seed 0"]
    assert page.index("Nearest to training pictures") < page.index("12.3 of 255")
    assert "examples n1" in page
    assert "The usual distance" not in page  # that is of evaluations, which know it


def test_an_ill_run_is_seen_at_a_glance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    run = make_run(tmp_path / "run")
    with (run / "log.jsonl").open("a") as file:
        health = {"verdict": "healthy", "D/accuracy": 0.7}
        file.write(json.dumps({"step": 7000, "losses": {}, "health": health}) + "\n")
    ill = monitor.Verdict("D too strong", False, ("seen",), ("try this",), 7000)
    for verdict, class_ in ((ill, "verdict ill"), (dataclasses.replace(ill, healthy=True), "verdict")):
        monkeypatch.setattr(monitor, "verdict_of", lambda records, found=verdict: found)
        assert f'<p class="{class_}">' in run_report(run).read_text(encoding="utf-8")


def test_a_hostile_name_stays_text(tmp_path: Path):
    pictures = {HOSTILE: photo()}
    run = make_run(tmp_path / "run")
    (run / "notes.txt").write_text(HOSTILE, encoding="utf-8", errors="replace")
    (run / "experiment.yaml").write_text(f"recipe: {json.dumps(HOSTILE)}\n")
    line = {"step": 1, "losses": {HOSTILE: 1.0}, "health": {"verdict": HOSTILE, HOSTILE: HOSTILE}}
    (run / "log.jsonl").write_text(json.dumps(line) + "\n")
    paths = [
        run_report(run),
        evaluation_report(
            tmp_path / "e.html",
            title=HOSTILE,
            tables=[Table(HOSTILE, [HOSTILE], [[HOSTILE]], HOSTILE)],
            examples=[Example(HOSTILE, pictures, HOSTILE)],
            notes=[HOSTILE],
        ),
        conversion_report(
            tmp_path / "c.html",
            title=HOSTILE,
            summary={HOSTILE: HOSTILE},
            examples=[Example(HOSTILE, pictures, HOSTILE)],
            failures=[(HOSTILE, HOSTILE)],
        ),
        samples_report(
            tmp_path / "s.html",
            title=HOSTILE,
            summary={HOSTILE: HOSTILE},
            pictures=[Example(HOSTILE, pictures, HOSTILE)],
            nearest=[Example(HOSTILE, pictures, HOSTILE)],
        ),
    ]
    for path in paths:
        page = path.read_text(encoding="utf-8")
        assert page.count("<script") == 1
        assert "<img src=x" not in page
        assert "&lt;script&gt;alert(1)" in page


def test_the_page_of_a_run_shows_all_that_the_folder_holds(tmp_path: Path):
    page = run_report(make_run(tmp_path / "pix2pix-streets")).read_text(encoding="utf-8")
    assert "<h1>pix2pix on streets</h1>" in page
    for text in ("6,000", "24,000", "32 <small>images / s", "12 min", "lambda_l1: 100.0", "4 pictures were held out"):
        assert text in page
    assert "step 300" in page
    assert "&lt;b&gt;bold" in page
    assert "Health" not in page


def test_every_loss_has_its_curve_in_its_players_group(tmp_path: Path):
    page = run_report(make_run(tmp_path / "run")).read_text(encoding="utf-8")
    panels = re.findall(r"<h4>(.*?)</h4>", page)
    assert panels == ["gan x", "gan", "l1", "speed", "waiting for data", "learning rate"]
    assert len(re.findall(r'<path class="line', page)) == len(LOSSES) + 3
    assert re.search(r"<title>step [\d,]+\nfake [\d.]+\nreal [\d.]+</title>", page)
    assert "loss, log scale" in page  # 46 down to 1.1


def test_a_curve_and_its_faint_points_have_one_colour(tmp_path: Path):
    run = tmp_path / "run"
    run.mkdir()
    few = {"D/gan/fake": 1.0}  # points, beside whose curve there are no faint ones
    lines = [{"step": step, "losses": (few if step < 4 else {}) | {"D/gan/real": 1 / step}} for step in range(1, 31)]
    (run / "log.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    page = run_report(run).read_text(encoding="utf-8")
    colours = dict(re.findall(r'<li class="(c\d)"><i></i>(\w+) ', page))
    assert colours == {"c0": "fake", "c1": "real"}
    assert re.findall(r'<path class="raw (c\d)"', page) == ["c1"]


def test_the_health_of_the_game_is_told_where_the_log_has_it(tmp_path: Path):
    run = make_run(tmp_path / "run")
    with (run / "log.jsonl").open("a") as file:
        file.write(json.dumps({"step": 7000, "losses": {}, "health": {"verdict": "healthy", "spread": 0.5}}) + "\n")
    page = run_report(run).read_text(encoding="utf-8")
    assert "healthy" in page
    # Forty numbers are for who asks for them.
    assert re.search(r'<details class="all">.*<dt>spread</dt><dd>0.5000</dd>.*</details>', page, re.DOTALL)


@pytest.mark.parametrize("missing", ["experiment.yaml", "log.jsonl", "samples", "notes.txt"])
def test_a_missing_or_damaged_piece_is_left_out(tmp_path: Path, missing: str):
    run = make_run(tmp_path / "run")
    piece = run / missing
    if piece.is_dir():
        for path in piece.iterdir():
            path.write_bytes(b"no picture")
        (piece / "last.png").write_bytes(b"")
    else:
        piece.write_bytes(b'\xff{[: "step": NaN\n{"step": 3}\n{"step": 4, "losses": {"G/l1": NaN}, "seconds": "x"}')
    assert run_report(run).exists()
    if piece.is_dir():
        for path in piece.iterdir():
            path.unlink()
        piece.rmdir()
    else:
        piece.unlink()
    assert "</html>" in run_report(run).read_text(encoding="utf-8")


def test_an_empty_folder_has_a_page_too(tmp_path: Path):
    assert "Nothing has been logged yet" in run_report(tmp_path).read_text(encoding="utf-8")


def test_a_long_run_shows_twelve_samples_with_first_and_last(tmp_path: Path):
    page = run_report(make_run(tmp_path / "run", records=20, samples=30)).read_text(encoding="utf-8")
    steps = re.findall(r'aria-label="Step ([\d,]+)"', page)
    assert len(steps) == 12
    assert (steps[0], steps[-1]) == ("100", "3,000")


def test_a_long_log_stays_light(tmp_path: Path):
    assert run_report(make_run(tmp_path / "run", records=5000, samples=0)).stat().st_size < 400_000


@pytest.mark.parametrize("noise", [False, True])
def test_fifty_pictures_weigh_less_than_three_megabytes(tmp_path: Path, noise: bool):
    rng = np.random.default_rng(0)
    pictures = [rng.integers(0, 256, (256, 256, 3), np.uint8) if noise else photo(i, 256) for i in range(50)]
    examples = [Example(f"{i}.png", {"source": pictures[2 * i], "target": pictures[2 * i + 1]}) for i in range(25)]
    path = conversion_report(tmp_path / "page.html", title="t", summary={}, examples=examples, failures=[])
    assert path.stat().st_size < 3_000_000
    assert path.read_text(encoding="utf-8").count("data:image/webp") == 50


def test_pictures_may_be_files_and_an_unreadable_one_says_so(tmp_path: Path):
    Image.fromarray(photo()).save(tmp_path / "good.png")
    (tmp_path / "bad.png").write_bytes(b"")
    pictures = {"good": tmp_path / "good.png", "bad": tmp_path / "bad.png", "gone": tmp_path / "gone.png"}
    path = conversion_report(
        tmp_path / "page.html", title="t", summary={}, examples=[Example("x", pictures)], failures=[]
    )
    page = path.read_text(encoding="utf-8")
    assert page.count("data:image/webp") == 1
    assert page.count("cannot be shown") == 2


def test_a_label_map_keeps_its_colours(tmp_path: Path):
    labels = np.random.default_rng(0).integers(0, 2, (16, 16, 3), np.uint8).repeat(12, 0).repeat(12, 1) * 255
    path = conversion_report(
        tmp_path / "page.html", title="t", summary={}, examples=[Example("x", {"labels": labels})], failures=[]
    )
    found = re.search(r"base64,([^\"]*)", path.read_text(encoding="utf-8"))
    assert found
    with Image.open(io.BytesIO(base64.b64decode(found[1]))) as image:
        assert np.array_equal(np.asarray(image.convert("RGB")), labels)


def test_a_page_is_replaced_as_a_whole(tmp_path: Path):
    path = tmp_path / "below" / "page.html"
    for title in ("one", "two"):
        evaluation_report(path, title=title, tables=[], examples=[], notes=[])
    assert "two" in path.read_text(encoding="utf-8")
    assert os.listdir(path.parent) == ["page.html"]  # noqa: PTH208


def test_a_hundred_thousand_failures_stay_a_page(tmp_path: Path):
    failures = [(f"{i}.png", "the file is empty") for i in range(100_000)]
    path = conversion_report(tmp_path / "page.html", title="t", summary={}, examples=[], failures=failures)
    assert path.stat().st_size < 200_000
    assert "and 99500 more" in path.read_text(encoding="utf-8")


def test_evenly_keeps_the_ends():
    assert evenly(range(100), 4) == [0, 33, 66, 99]
    assert evenly([1, 2], 4) == [1, 2]


def test_durations_are_told_as_people_do():
    assert [duration(s) for s in (12.4, 600, 3725, 200_000)] == ["12 s", "10 min", "1 h 2 min", "2 d 7 h"]


def test_a_number_may_stand_with_its_interval_or_be_missing_and_its_column_is_still_one_of_numbers(tmp_path: Path):
    rows = [["ours", Measured(46.318, 44.63, 48.07), 0.0], ["real", "", 0.25]]
    path = evaluation_report(
        tmp_path / "page.html",
        title="scores",
        tables=[Table("Scores", ["", "L1", "IoU"], rows)],
        examples=[],
        notes=[],
    )
    page = path.read_text(encoding="utf-8")
    assert '<td class="number">46.32 <span class="interval">[44.6, 48.1]</span></td>' in page
    assert '<td class="number"></td>' in page
    assert page.count('<th scope="col" class="number">') == 2
