import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from i2i import images
from i2i.data.day2night import draw
from i2i.data.settings import DataSettings
from i2i.engine import checkpoint
from i2i.engine.settings import TrainingSettings
from i2i.experiment import Experiment, change
from i2i.game import View
from i2i.models.settings import CycleGAN
from i2i.networks.settings import PatchGAN, ResNet
from i2i.training import Listener, train
from i2i.training.best import Best, Found
from i2i.training.unpaired import Judge, error_of
from i2i.translator import Translator

TINY = Experiment(
    recipe="tiny",
    model=CycleGAN(
        generator=ResNet(width=2, blocks=1, dropout=True),
        discriminator=PatchGAN(width=2, layers=1, norm="instance"),
        history=2,
    ),
    data=DataSettings(size="16", load=0, resize="short"),
    training=TrainingSettings(precision="fp32", steps=6, sample_every=2, log_every=2),
)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory, draw_domains: Callable[..., Path]) -> Path:
    """Streets by day and others by night, of which 8 and 9 are held out."""
    return draw_domains(tmp_path_factory.mktemp("data"), train=(5, 4), test=(8, 9))


def run(data: Path, out: Path, **options: Any) -> Path:
    return train(TINY, data=data, out=out, device="cpu", workers=0, **options).path


def looks(out: Path) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]
    return [line["validation"] for line in lines if "validation" in line]


# ------------------------------------------------------------------------------------------------------------ the error


def test_a_copy_and_unrelated_reals_are_no_translations_and_a_translation_is():
    assert error_of(kid=0.3, floor=0.3, structure=1.0, unrelated=0.2) == 1
    assert error_of(kid=0.0, floor=0.3, structure=0.2, unrelated=0.2) == 1
    assert error_of(kid=0.0, floor=0.3, structure=1.0, unrelated=0.2) == 0
    good = error_of(kid=0.03, floor=0.3, structure=0.6, unrelated=0.2)
    darker = error_of(kid=0.2, floor=0.3, structure=1.0, unrelated=0.2)
    assert good < darker < 1


def test_farther_off_than_the_inputs_is_worse_than_a_copy_however_much_is_kept():
    assert error_of(kid=0.6, floor=0.3, structure=0.9, unrelated=0.2) > 1
    assert np.isfinite(error_of(kid=0.0, floor=-0.01, structure=1.0, unrelated=1.0))


class Shown:
    """As much of a trainer as a judge looks at: translations that are handed in."""

    class model:  # noqa: N801
        train = eval = staticmethod(lambda: None)
        modules = staticmethod(lambda: [])
        views = staticmethod(lambda batch, _: {"AtoB": View(batch[1], lambda: batch[2], lambda x: x, source=batch[0])})

    translators = staticmethod(dict)


def test_a_judge_prefers_a_translation_to_a_copy_and_to_unrelated_reals():
    count = 16
    streets = [draw(seed, (64, 64)) for seed in range(3 * count)]
    days = images.to_network(np.stack([day for day, _ in streets[:count]]))
    own = images.to_network(np.stack([night for _, night in streets[:count]]))
    real, other = (
        images.to_network(np.stack([night for _, night in streets[first : first + count]]))
        for first in (count, 2 * count)
    )
    noise = torch.rand(days.shape, generator=torch.Generator().manual_seed(0)) * 2 - 1
    judge = Judge((count, count), 10_000)
    errors = {
        name: judge(Shown, [(days, real, made)], "running")["AtoB"]["error"]  # pyright: ignore
        for name, made in {"true": own, "copy": days, "unrelated": other, "noise": noise}.items()
    }
    assert errors["copy"] == pytest.approx(1)
    assert errors["true"] < 0.75
    assert errors["unrelated"] > 0.85
    assert errors["noise"] > 1


def test_the_smaller_domain_counts_once():
    days = images.to_network(np.stack([draw(seed, (32, 32))[0] for seed in range(9)]))
    nights = images.to_network(np.stack([draw(seed, (32, 32))[1] for seed in range(8)]))
    wrapped = torch.cat([nights, nights[:1]])
    judge = Judge((9, 8), 10_000)
    assert judge.pictures == 9
    judge(Shown, [(days[:5], wrapped[:5], days[:5]), (days[5:], wrapped[5:], days[5:])], "running")  # pyright: ignore
    reference = judge._references["AtoB"]  # pyright: ignore[reportPrivateUsage]
    assert (len(reference.lights), len(reference.real)) == (9, 8)


def test_a_look_costs_no_more_than_a_part_of_what_was_trained():
    assert Judge((500, 500), 10_000).pictures == 64
    assert Judge((500, 500), 100).pictures == 25
    assert Judge((500, 500), 4).pictures == 16
    assert Judge((12, 9), 10_000).pictures == 12


# -------------------------------------------------------------------------------------------------------------- a run


def test_each_direction_keeps_its_own_best(data: Path, tmp_path: Path):
    out = run(data, tmp_path / "run")
    seen = looks(out)
    assert [look["step"] for look in seen] == [2, 4, 6]
    for direction in ("AtoB", "BtoA"):
        best = min(seen, key=lambda look: look[f"{direction}/error"])
        assert seen[-1][f"{direction}/best_step"] == best["step"]
        translator = Translator.load(out / f"best_{direction}.safetensors", device="cpu")
        assert (translator.card.steps, translator.card.direction) == (best["step"], direction)
        state = checkpoint.load(out / "checkpoint.pt")["best"]
        assert state[f"{direction}/step"] == best["step"]
        assert state[f"{direction}/error"] == best[f"{direction}/error"]


def test_looking_changes_nothing_in_training(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    looked = checkpoint.load(run(data, tmp_path / "looked") / "checkpoint.pt")
    monkeypatch.setattr("i2i.training.best.LEAST", 100)
    blind = checkpoint.load(run(data, tmp_path / "blind") / "checkpoint.pt")
    assert not list((tmp_path / "blind").glob("best*"))
    assert looked["model"].keys() == blind["model"].keys()
    assert all(torch.equal(value, blind["model"][name]) for name, value in looked["model"].items())


def test_going_on_is_judged_as_if_it_had_never_stopped(data: Path, tmp_path: Path):
    class Stops(Listener):
        def stepped(self, step: int) -> None:
            if step == 4:
                raise KeyboardInterrupt

    whole = run(data, tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        train(change(TINY, {"training": {"checkpoint_every": 3}}), data=data, out=tmp_path / "parts", device="cpu",
              workers=0, listener=Stops())  # fmt: skip
    train(resume=tmp_path / "parts", device="cpu", workers=0)
    assert looks(tmp_path / "parts") == looks(whole)
    states = [checkpoint.load(out / "checkpoint.pt")["best"] for out in (whole, tmp_path / "parts")]
    assert states[0] == states[1]


def test_too_few_held_out_pictures_are_said(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    told: list[str] = []

    class Notes(Listener):
        def note(self, text: str) -> None:
            told.append(text)

    monkeypatch.setattr("i2i.training.best.LEAST", 9)
    out = run(data, tmp_path / "run", listener=Notes())
    assert any("8 and 9 held-out pictures are too few" in text and "--holdout 9" in text for text in told)
    assert not looks(out)


# -------------------------------------------------------------------------------------------------------- what is kept


def found(error: float) -> Found:
    return Found(error, "running", {"error": error})


def test_the_first_of_equals_stays_and_states_go_on():
    best = Best({})
    assert best.state() == {}
    assert best.look(2, {"AtoB": found(0.5), "BtoA": found(0.9)}) == ["AtoB", "BtoA"]
    assert best.look(4, {"AtoB": found(0.5), "BtoA": found(0.8)}) == ["BtoA"]
    again = Best(best.state())
    assert again.look(6, {"AtoB": found(0.6), "BtoA": found(0.8)}) == []
    line = again.since_last_line()
    assert line == {"step": 6, "AtoB/error": 0.6, "BtoA/error": 0.8, "AtoB/best_step": 2, "BtoA/best_step": 4}
    assert again.since_last_line() == {}


def test_states_of_pairs_are_as_they_were():
    best = Best({"step": 4, "error": 0.2, "new": {"step": 4, "l1": 0.2}})
    assert best.since_last_line() == {"step": 4, "l1": 0.2, "best_step": 4}
    assert best.look(6, {"": found(0.1)}) == [""]
    assert best.state() == {"step": 6, "error": 0.1, "new": {"step": 6, "error": 0.1}}
