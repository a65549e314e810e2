import re
from pathlib import Path

import numpy as np

from i2i import images
from i2i.app import shown
from i2i.app.drawing import FACADES, Canvas, canvas_for
from i2i.app.intake import Refused
from i2i.app.live import look
from i2i.app.translating import Done
from i2i.networks.settings import ResNet
from i2i.translator import Card

EVIL = '<img src=x onerror="alert(1)">'
PICTURE = np.zeros((8, 12, 3), np.uint8)


def test_names_and_reasons_of_strangers_are_text():
    said = [
        shown.comparison(PICTURE, PICTURE, EVIL),
        shown.outcome(Done([], [Refused(EVIL, EVIL)], note=EVIL)),
        shown.problem(EVIL),
        shown.about(Card(architecture=ResNet(width=2, blocks=1), in_channels=3, out_channels=3, recipe=EVIL)),
    ]
    assert not [one for one in said if "<img src=x" in one]
    assert all("&lt;img src=x" in one for one in said)


def test_a_comparison_holds_both_pictures_and_a_slider_that_keys_move():
    page = shown.comparison(PICTURE, PICTURE, "a.png")
    assert page.count("data:image/webp;base64,") == 2
    assert re.search(r'<input type="range"[^>]*aria-label=', page)
    assert "aspect-ratio: 12 / 8" in page


def test_a_result_that_cannot_be_shown_is_still_offered(tmp_path):
    (tmp_path / "a.png").write_bytes(b"")
    assert "the download has it" in shown.comparison(tmp_path / "a.png", PICTURE, "a.png")
    assert shown.thumbnail(tmp_path / "a.png").shape == (240, 240, 3)


def test_pictures_are_shown_smaller_than_they_are(tmp_path):
    images.write(tmp_path / "a.png", np.zeros((500, 1000, 3), np.uint16))
    assert shown.thumbnail(tmp_path / "a.png").shape == (120, 240, 3)


def test_an_outcome_counts_and_lists_fifty():
    made = [(Path(f"{i}.png"), Path(f"{i}.png")) for i in range(3)]
    page = shown.outcome(Done(made, [Refused(f"{i}.png", "broken") for i in range(60)], seconds=90))
    assert "3 translated in 2 min." in page
    assert page.count("<li>") == 51
    assert "and 10 more" in page


def test_a_legend_names_the_classes_that_are_known():
    known = canvas_for(Card(architecture=ResNet(width=2, blocks=1), in_channels=3, out_channels=3, labels=True))
    assert all(f">{name}</li>" in shown.legend(known) for name in ("wall", "window", "door"))
    assert len(FACADES) == 12
    assert "<li>" not in shown.legend(Canvas("labels", ((0, 0, 0), (9, 9, 9)), 8, 8))


def test_a_run_is_shown_with_its_verdict_and_its_curves(tmp_path):
    lines = [f'{{"step": {step}, "losses": {{"G/{EVIL[:4]}": {step}}}}}\n' for step in (1, 2, 3)]
    (tmp_path / "log.jsonl").write_text("".join(lines))
    page = shown.run(look(tmp_path), None)
    assert "<svg" in page
    assert '<p class="verdict">' in page
    assert EVIL[:4] not in page
