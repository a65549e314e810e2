import math
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from i2i.engine import monitor

EVERY = 10

HEALTHY = {
    "D/accuracy": 0.95,
    "D/separation": 2.0,
    "G/gradient": 30.0,
    "D/gradient": 10.0,
    "AtoB/diversity": 0.9,
    "AtoB/change": 1.0,
    "AtoB/correlation": 0.9,
    "AtoB/expected": 0.9,
    "AtoB/checkerboard": 1.5,
    "AtoB/border": 0.1,
    "AtoB/border made": 0.0,
    "AtoB/border read": 0.9,
    "AtoB/grid": 1.4,
    "AtoB/grid made": 1.3,
    "AtoB/trained-on": 0.95,
    "AtoB/held-out": 0.9,
}
LOSSES = {"D/gan/real": 0.3, "D/gan/fake": 0.3, "G/gan": 1.5, "G/cycle": 12.0}


def log(lines: int, sick: dict[str, Any], losses: Callable[[int], dict[str, float]] | None = None) -> list[dict]:
    """A line each 10 steps, the first 15 of them healthy."""
    return [
        {
            "step": EVERY * line,
            "losses": LOSSES | (losses(line) if losses and line > 15 else {}),
            "health": HEALTHY | (sick if line > 15 else {}),
        }
        for line in range(1, lines + 1)
    ]


def test_a_healthy_game_is_called_healthy_with_its_numbers():
    verdict = monitor.verdict_of(log(60, {}))
    assert (verdict.name, verdict.healthy, verdict.step) == ("healthy", True, 600)
    assert "95%" in " ".join(verdict.evidence)


SICK: list[tuple[str, dict[str, Any], dict[str, float]]] = [
    ("exploding gradients", {"G/gradient": 400.0}, {}),
    ("mode collapse", {"AtoB/diversity": 0.02}, {}),
    ("colour inversion", {"AtoB/correlation": -0.6}, {}),
    ("does nothing", {"AtoB/change": 0.05, "AtoB/correlation": 0.99}, {}),
    ("data leak", {"AtoB/border": 1.0, "AtoB/border made": 0.0}, {}),
    ("data leak", {"AtoB/grid": 40.0, "AtoB/grid made": 1.5}, {}),
    ("D memorises the training set", {"AtoB/trained-on": 0.98, "AtoB/held-out": 0.6}, {}),
    ("D too strong", {}, {"D/gan/real": 0.004, "D/gan/fake": 0.003}),
    ("D useless", {"D/accuracy": 0.5, "D/separation": 0.01}, {}),
]


@pytest.mark.parametrize(("name", "sick", "losses"), SICK)
def test_an_ailment_is_called_by_its_name_with_evidence_advice_and_the_step_it_began(name, sick, losses):
    verdict = monitor.verdict_of(log(40, sick, lambda line: losses))
    assert (verdict.name, verdict.healthy) == (name, False)
    assert verdict.evidence
    assert all(any(character.isdigit() for character in line) for line in verdict.evidence)
    assert verdict.advice
    assert all(line.endswith(".") for line in verdict.advice)
    assert 150 < verdict.step <= 400


@pytest.mark.parametrize(("name", "sick", "losses"), SICK)
def test_one_odd_line_is_no_alarm(name, sick, losses):
    records = log(40, {})
    records[-1]["health"] |= sick
    records[-1]["losses"] |= losses
    assert monitor.verdict_of(records).healthy


@pytest.mark.parametrize(("name", "sick", "losses"), SICK)
def test_a_game_that_recovers_is_healthy_again(name, sick, losses):
    records = log(40, sick, lambda line: losses) + [record | {"step": 400 + record["step"]} for record in log(40, {})]
    assert monitor.verdict_of(records).healthy


def looked_at(every: int, steps: int, sick: Callable[[int], dict[str, float]], line: int = 1) -> list[dict]:
    """A line each `line` steps, a look each `every` steps, as small batches have it and large ones."""
    rounds = {name: value for name, value in HEALTHY.items() if not name.startswith("AtoB/")}
    return [
        {"step": step, "losses": LOSSES, "health": HEALTHY | sick(step) if step % every == 0 else rounds}
        for step in range(line, steps + 1, line)
    ]


LOOKS = [(name, sick) for name, sick, _ in SICK if any("/" in sign and "AtoB" in sign for sign in sick)]


@pytest.mark.parametrize(("name", "sick"), LOOKS)
@pytest.mark.parametrize(("every", "line"), [(12, 3), (48, 3), (192, 1), (192, 16), (200, 100)])
def test_looks_have_to_agree_for_a_while_and_no_longer_than_they_need_to(name, sick, every, line):
    first = max(432, 7 * every)
    memorises = name.startswith("D memorises")
    looks, span = (6, 200) if memorises else (3, 90)
    steps = first + max(every * (looks - 1), math.ceil(span / every) * every)
    records = looked_at(every, steps, lambda step: sick if step >= first else {}, line)
    assert monitor.verdict_of(records).name == name
    if not memorises:  # which is a mean, and alarms before all of its looks are sick
        assert monitor.verdict_of([record for record in records if record["step"] < steps]).healthy


def test_a_d_that_happens_to_know_what_it_just_saw_does_not_memorise():
    known = {"AtoB/trained-on": 0.98, "AtoB/held-out": 0.6}
    records = looked_at(12, 480, lambda step: known if step > 408 else {}, 3)
    assert monitor.verdict_of(records).healthy  # 6 looks of the last 20
    records = looked_at(12, 204, lambda step: known if step > 102 else {}, 3)
    assert monitor.verdict_of(records).healthy  # all looks since it has settled, but in 96 steps


def test_a_game_that_has_not_settled_may_be_anything():
    for _, sick, losses in SICK:
        records = [{"step": step, "losses": LOSSES | losses, "health": HEALTHY | sick} for step in range(2, 101, 2)]
        assert monitor.verdict_of(records).healthy


def test_a_negative_correlation_is_no_inversion_where_the_real_pictures_have_it_too():
    assert monitor.verdict_of(log(40, {"AtoB/correlation": -0.6, "AtoB/expected": -0.5})).healthy


def test_borders_that_the_outputs_have_too_or_that_do_not_help_d_are_no_leak():
    assert monitor.verdict_of(log(40, {"AtoB/border": 1.0, "AtoB/border made": 0.9})).healthy
    sick = {"AtoB/border": 1.0, "AtoB/border made": 0.0, "D/accuracy": 0.7}
    assert monitor.verdict_of(log(40, sick)).healthy


def test_a_d_that_has_won_is_no_ailment_where_the_truth_teaches_g():
    won = {"D/gan/real": 0.004, "D/gan/fake": 0.003, "G/gan": 5.0}
    assert monitor.verdict_of(log(40, {}, lambda line: won | {"G/l1": 20.0})).healthy
    assert monitor.verdict_of(log(40, {}, lambda line: won | {"G/l1": 2.0})).name == "D too strong"


def test_one_bad_direction_of_two_is_enough():
    both = {name.replace("AtoB", "BtoA"): value for name, value in HEALTHY.items()} | {"BtoA/diversity": 0.0}
    verdict = monitor.verdict_of(log(40, both))
    assert verdict.name == "mode collapse"
    assert "BtoA" in verdict.evidence[0]


def test_losses_that_swing_in_a_cycle_oscillate_and_noise_does_not():
    import random

    def swings(line: int) -> dict[str, float]:
        return {"D/gan/real": 0.3 * math.exp(math.sin(2 * math.pi * line / 8))}

    verdict = monitor.verdict_of(log(80, {}, swings))
    assert verdict.name == "oscillation"
    assert "every 80 steps" in verdict.evidence[0]
    for seed in range(20):
        noise = random.Random(seed)
        records = log(80, {}, lambda line, noise=noise: {"D/gan/real": 0.3 * math.exp(noise.gauss(0, 1))})
        assert monitor.verdict_of(records).healthy


def test_numbers_that_ended_are_an_explosion_at_the_step_where_they_did():
    records = log(30, {})
    records.append({"step": 310, "losses": {}, "health": {"not a number": ["G/gan"], "broken step": 304}})
    verdict = monitor.verdict_of(records)
    assert (verdict.name, verdict.step) == ("exploding gradients", 304)


def test_what_explains_more_is_said_first():
    sick = {"AtoB/diversity": 0.0, "D/accuracy": 0.5, "D/separation": 0.0}
    assert monitor.verdict_of(log(40, sick)).name == "mode collapse"


def test_a_log_without_signs_says_so():
    records = [{"step": step, "losses": LOSSES} for step in range(10, 500, 10)]
    verdict = monitor.verdict_of(records)
    assert verdict.healthy
    assert "losses alone" in verdict.evidence[0]
    assert monitor.verdict_of([]).healthy


def test_what_a_stranger_wrote_into_a_log_is_passed_over():
    for health in ("healthy", ["x"], {"D/accuracy": "high", "AtoB/diversity": None, "G/gradient": float("nan")}, None):
        assert monitor.verdict_of([{"step": step, "health": health, "losses": None} for step in range(500)]).healthy


def test_the_history_names_each_change():
    names = ["healthy", "healthy", "mode collapse", "mode collapse", "healthy"]
    records = [{"step": 10 * i, "health": {"verdict": name}} for i, name in enumerate(names)]
    assert monitor.history(records) == [(0, "healthy"), (20, "mode collapse"), (40, "healthy")]


def test_the_monitor_needs_no_torch():
    code = "import sys; from i2i.engine import monitor, log; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
