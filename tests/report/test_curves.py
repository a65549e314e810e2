"""Curves: scales, smoothing and ticks."""

import numpy as np

from i2i.report.curves import curve, number, panel, smoothed, step_text, ticks


def test_a_smoothed_constant_is_itself():
    assert np.allclose(smoothed(np.full(300, 2.5)), 2.5)
    assert np.allclose(smoothed(np.full(300, 2.5), logarithmic=True), 2.5)


def test_smoothing_has_no_lag():
    line = np.linspace(0, 1, 501)
    assert np.allclose(smoothed(line)[100:-100], line[100:-100])


def test_the_axis_is_logarithmic_only_where_values_are_positive_and_span_much():
    steps = np.arange(1.0, 101.0)
    falling = list(zip(steps, 100 / steps, strict=True))
    assert panel("l1", "loss", {"l1": falling}).unit == "loss, log scale"
    assert panel("l1", "loss", {"l1": [(s, v - 50) for s, v in falling]}).unit == "loss"
    assert panel("l1", "loss", {"l1": [(s, 1 + v / 100) for s, v in falling]}).unit == "loss"


def test_one_spike_does_not_flatten_the_curve():
    points = [(float(i), 1e6 if i == 500 else 1.0 + i / 1000) for i in range(1000)]
    labels = [label for _, label in panel("gan", "loss", {"gan": points}, from_zero=True).y_ticks]
    assert labels
    assert all(float(label.replace(",", "")) < 1e5 for label in labels)


def test_a_single_record_and_constant_values_can_be_drawn():
    assert panel("gan", "loss", {"gan": [(1.0, 0.5)]}).lines[0].smooth
    assert panel("gan", "loss", {"gan": [(1.0, 0.0), (2.0, 0.0)]}).lines[0].smooth
    assert panel("gan", "loss", {"gan": []}).lines == []


def test_a_number_the_log_never_had_has_no_panel():
    assert curve([{"step": 1}, {"step": 2, "speed": float("nan")}], "speed", "speed", "images a second") is None


def test_ticks_are_round_and_within():
    assert ticks(60, 12000, 4) == [5000, 10000]
    assert ticks(0, 1, 4) == [0, 0.25, 0.5, 0.75, 1.0]
    assert ticks(5, 5, 4) == [5]


def test_numbers_are_short():
    assert [number(v) for v in (0.0, 0.69314, 31.25, 1234.5, 2e-4, 1.5e7)] == [
        "0",
        "0.693",
        "31.2",
        "1,234",
        "2e-4",
        "1.5e7",
    ]
    assert [step_text(v) for v in (50, 2500, 1_200_000)] == ["50", "2.5k", "1.2M"]
