import dataclasses
import statistics

import pytest

from i2i.errors import SettingsError
from i2i.evaluation import Evaluation, Several, measured_together
from i2i.evaluation.leaving import table
from i2i.evaluation.several import names_of
from i2i.report import Measured


def found(l1: float, floor: float = 40, **extra: float) -> Evaluation:
    return Evaluation(
        metrics={"l1": l1, "psnr": 12.0, "ssim": 0.25, **extra},
        floors={"copy the input": {"l1": floor, "psnr": 5.0, "ssim": 0.1}},
        pictures=3,
        split="test",
        notes=["tiny", "3 pairs", "last: all of it", "a floor's note"],
        intervals={"this model": {"l1": (l1 - 1, l1 + 1)}, "copy the input": {"l1": (floor - 1, floor + 1)}},
        checkpoint="last: all of it",
    )


def test_mean_and_spread_are_over_the_runs():
    runs = Several({"a": found(10), "b": found(14), "c": found(15)})
    assert runs.mean["l1"] == 13
    assert runs.spread["l1"] == pytest.approx(statistics.stdev([10, 14, 15]))
    assert runs.spread["ssim"] == 0


def test_a_row_is_a_run_with_its_own_interval():
    columns, rows = table(Several({"a": found(10), "b": found(14)}))
    assert columns == ["", "L1 (of 255)", "PSNR (dB)", "SSIM"]
    assert [row[0] for row in rows] == ["a", "b", "mean of the runs", "spread of the runs", "copy the input"]
    assert rows[1][1] == Measured(14, 13, 15)
    assert rows[2][1] == 12
    assert rows[4][1] == Measured(40, 39, 41)


def test_every_run_says_how_its_weights_were_chosen_and_common_notes_stand_once():
    notes = Several({"a": found(10), "b": found(14)}).notes
    assert [note for note in notes if "last: all of it" in note] == [
        "a: tiny; last: all of it",
        "b: tiny; last: all of it",
    ]
    assert notes.count("a floor's note") == 1


def test_other_floors_mean_another_scale_and_are_said():
    assert Several({"a": found(10), "b": found(14)}).same_floors
    other = Several({"a": found(10), "b": found(14, floor=41)})
    assert any("different scales" in note for note in other.notes)


def test_what_one_run_lacks_has_no_mean_but_a_cell():
    both = dataclasses.replace(found(10, iou=0.2), titles={"l1": "L1", "iou": "IoU"})
    runs = Several({"a": found(12), "b": both})
    assert "iou" not in runs.mean
    columns, rows = table(runs)
    at = columns.index("IoU")
    assert [row[at] for row in rows[:3]] == ["", 0.2, ""]


def test_names_are_the_shortest_ends_that_differ():
    assert names_of(["runs/one", "runs/two"]) == {"one": "runs/one", "two": "runs/two"}
    assert list(names_of(["one/best.safetensors", "two/best.safetensors"])) == [
        "one/best.safetensors",
        "two/best.safetensors",
    ]


def test_a_model_twice_is_refused():
    with pytest.raises(SettingsError, match="there twice"):
        measured_together(["runs/one", "runs/../runs/one"], lambda name, model: ("AtoB", found(1)))


def test_two_ways_are_no_table():
    ways = {"one": "AtoB", "two": "BtoA"}
    with pytest.raises(SettingsError, match=r"one translates AtoB and two BtoA.*--direction"):
        measured_together(["one", "two"], lambda name, model: (ways[name], found(1)))
