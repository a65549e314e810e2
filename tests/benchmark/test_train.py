"""Timing training: rounds on random pictures, and runs from a folder."""

from pathlib import Path
from typing import Any

import pytest

from i2i.benchmark.arms import Played
from i2i.benchmark.hardware import Rates
from i2i.benchmark.ours import end_to_end, step_only
from i2i.benchmark.train import measure_training, paired_ratios, summarize
from i2i.errors import SettingsError
from i2i.experiment import Experiment, change


class Parent:
    """The other side of the pipe: asks for these rounds, keeps the answers."""

    def __init__(self, *rounds: int) -> None:
        self.rounds = iter(rounds)
        self.heard: list[tuple[str, Any]] = []

    def next(self) -> int | None:
        return next(self.rounds, None)

    def tell(self, kind: str, content: Any) -> None:
        self.heard.append((kind, content))

    @property
    def played(self) -> list[Played]:
        return [Played(**content) for kind, content in self.heard if kind == "played"]


def test_steps_alone_play_what_they_are_told(small: Experiment) -> None:
    parent = Parent(1, 2)
    step_only(change(small, {"training": {"batch_size": 3}}), "cpu", parent.tell, parent.next)
    assert [kind for kind, _ in parent.heard] == ["ready", "played", "played"]
    assert [(one.rounds, one.images, one.waited, one.replayed) for one in parent.played] == [(1, 3, 0, 0), (2, 6, 0, 0)]
    assert all(one.seconds > 0 for one in parent.played)
    assert all(one.peak_bytes is None or one.peak_bytes >= 0 for one in parent.played)


def test_a_whole_run_is_held_up_between_rounds(small: Experiment, pairs: Path) -> None:
    parent = Parent(2, 6)  # beyond the end of the first epoch
    end_to_end(small, pairs, "cpu", 0, parent.tell, parent.next)
    assert [kind for kind, _ in parent.heard] == ["ready", "played", "played"]
    assert [(one.rounds, one.images) for one in parent.played] == [(2, 2), (6, 6)]
    assert all(0 < one.waited < one.seconds for one in parent.played)


def test_a_run_that_is_over_too_soon_is_said(small: Experiment, pairs: Path) -> None:
    parent = Parent(2, 6)
    end_to_end(change(small, {"training": {"steps": 3}}), pairs, "cpu", 0, parent.tell, parent.next)
    assert parent.heard[-1][0] == "error"
    assert "over before it was measured" in parent.heard[-1][1]


def test_repeats_become_figures() -> None:
    played = [
        Played(rounds=2, images=4, seconds=seconds, waited=0.5, peak_bytes=peak, replayed=replayed, fallback="why")
        for seconds, peak, replayed in ((1.0, 5, 2), (3.0, 7, 2), (2.0, 6, 1))
    ]
    found = summarize("i2i", played, loading=True)
    assert (found.seconds.median, found.seconds.lowest, found.seconds.highest) == (1.0, 0.5, 1.5)
    assert found.images_per_second.median == 2.0
    assert (found.peak_bytes, found.waiting, found.replayed, found.fallback) == (7, 0.25, 5 / 6, "why")
    assert summarize("i2i", played, loading=False).waiting is None


def test_a_ratio_is_of_two_repeats_one_after_the_other() -> None:
    ours = [Played(rounds=4, images=4, seconds=1.0), Played(rounds=4, images=4, seconds=2.0)]
    theirs = [Played(rounds=1, images=1, seconds=1.0), Played(rounds=1, images=1, seconds=1.0)]
    assert paired_ratios(ours, theirs) == (4.0, 2.0)


RATES = Rates(device="cpu", matrix_fp32=1e12, convolution_fp32=5e11, copy=1e9)


@pytest.mark.slow
def test_ours_beside_the_reference(checkout: Path) -> None:
    experiment = change(
        Experiment(),
        {
            "model": {"generator": {"kind": "resnet", "blocks": 6, "width": 4}, "discriminator": {"width": 4}},
            "data": {"size": "32"},
            "training": {"precision": "fp32"},
        },
    )
    said: list[str] = []
    found = measure_training(
        experiment, device="cpu", against=checkout, rounds=2, repeats=2, rates=RATES, tell=said.append
    )
    assert [line.partition(":")[0] for line in said[1:]] == ["1/2 i2i", "1/2 reference", "2/2 i2i", "2/2 reference"]
    assert found.reference is not None
    assert found.ratios is not None
    assert len(found.pairs) == 2
    assert found.achieved == pytest.approx(found.flops / found.ours.seconds.median)
    assert found.of_convolution == pytest.approx(found.achieved / 5e11)
    assert found.of_matrix == pytest.approx(found.achieved / 1e12)
    assert "on CUDA alone" in (found.without_graph() or "")


def test_a_wrong_checkout_is_said_before_anything_is_measured(small: Experiment, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="no checkout"):
        measure_training(small, device="cpu", against=tmp_path, rates=RATES)
