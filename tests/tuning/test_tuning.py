"""A search: trials in a budget, ended early, cut short, killed and gone on with."""

import csv
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from i2i.data import day2night
from i2i.engine import log
from i2i.errors import SettingsError, TrainingError
from i2i.experiment import Experiment, change, from_yaml, set_width
from i2i.recipes import RECIPES
from i2i.training import Listener, Run, train
from i2i.training.lock import alone
from i2i.translator import Translator
from i2i.tuning import Row, Tuned, Watcher, tune
from i2i.tuning.leaves import leaves

BASE = change(
    set_width(RECIPES["pix2pix"], 2),
    {
        "model": {"generator": {"kind": "resnet", "blocks": 1}, "discriminator": {"layers": 1}},
        "data": {"size": "16", "load": 0},
        "training": {"precision": "fp32", "epochs": 3},
    },
)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return day2night.write(tmp_path_factory.mktemp("data") / "streets", train=4, val=2, test=1, size=(16, 16))


class Fake:
    """Trains nothing: the error at a step is what `error` says of an experiment; leaves what a run leaves."""

    def __init__(self, error: Callable[[Experiment, int], float]) -> None:
        self.error = error
        self.trained: list[Experiment] = []
        self.seconds: list[float] = []
        self.stop_at: Mapping[int, BaseException] = {}
        """What happens after so many steps of all trials together."""
        self.steps = 0

    def train(
        self, experiment: Experiment, *, data: Path, out: Path, max_seconds: float, listener: Listener, **_: Any
    ) -> Run:
        self.trained.append(experiment)
        self.seconds.append(max_seconds)
        done = [record["step"] for record in log.read(out / "log.jsonl")]
        listener.note("said before the first step")
        listener.started(done[-1] if done else 0, experiment.training.steps)
        listener.note("said later")
        step = begun = done[-1] if done else 0
        (out / "checkpoint.pt").write_text("state")
        (out / "best.safetensors").write_text("weights")
        (out / "report.html").write_text("page")
        for step in range(begun + 1, experiment.training.steps + 1):
            record = {"step": step, "losses": {}, "validation": {"step": step, "l1": self.error(experiment, step)}}
            with (out / "log.jsonl").open("a") as file:
                file.write(json.dumps(record) + "\n")
            listener.logged(record)
            self.steps += 1
            if self.steps in self.stop_at:
                raise self.stop_at[self.steps]
            if listener.enough():
                break
        return Run(out, step, {})


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Fake:
    """L1 weights of 50 are the best, and errors fall with the steps."""

    def error(experiment: Experiment, step: int) -> float:
        weight = leaves(experiment)["model", "lambda_l1"].value
        assert isinstance(weight, float)
        return abs(weight - 50) / 100 + 1 / step

    found = Fake(error)
    monkeypatch.setattr("i2i.tuning.trial.train", found.train)
    # Half a second a trial where nothing was trained, and a disk that every number is flushed to.
    monkeypatch.setattr("i2i.tuning.tuning._free", lambda: None)
    monkeypatch.setattr("os.fsync", lambda _: None)
    return found


SEARCH: dict[str, Any] = {"search": ["model.lambda-l1=10..200,log"], "only": True}


class Watched(Watcher):
    def __init__(self) -> None:
        self.notes: list[str] = []
        self.rows: list[Row] = []

    def note(self, text: str) -> None:
        self.notes.append(text)

    @contextmanager
    def trial(self, number: int, values: Mapping[str, Any]) -> Iterator[Listener]:
        watched = self

        class Notes(Listener):
            def note(self, text: str) -> None:
                watched.notes.append(text)

        yield Notes()

    def ended(self, row: Row) -> None:
        self.rows.append(row)


def weights(found: Tuned) -> list[Any]:
    return [row.values["model.lambda-l1"] for row in found.rows]


# ---------------------------------------------------------------------------------------------------------- a real one


def test_trials_are_runs_of_their_length_and_the_best_experiment_has_the_bases_own(data: Path, tmp_path: Path) -> None:
    out = tmp_path / "search"
    found = tune(BASE, data=data, out=out, trials=2, trial_steps=4, device="cpu", workers=0, cache="none")
    assert [(row.outcome, row.steps) for row in found.rows] == [("done", 4)] * 2
    assert found.start == found.rows[0]
    for row in found.rows:
        lines = log.read(row.run / "log.jsonl")
        assert [line["step"] for line in lines if "validation" in line] == [1, 2, 3, 4]
        assert row.score == min(line["validation"]["l1"] for line in lines)
        assert (row.run / "report.html").exists()
        of_trial = from_yaml(row.run / "experiment.yaml")
        assert of_trial.training.steps == 4
        assert all(leaves(of_trial)[tuple(n.replace("-", "_").split("."))].value == v for n, v in row.values.items())
    assert found.best is not None
    assert found.best.score == min(row.score or 9 for row in found.rows)
    best = from_yaml(out / "experiment.yaml")
    assert best == found.experiment
    assert (best.training.steps, best.training.epochs, best.training.sample_every) == (0, 3, 0)
    own = {n: leaves(best)[tuple(n.replace("-", "_").split("."))].value for n in found.best.values}
    assert own == dict(found.best.values)
    assert leaves(best).keys() == leaves(BASE).keys()
    Translator.load(found.best.run, device="cpu")


def test_a_run_ends_where_its_listener_has_enough_and_is_saved(data: Path, tmp_path: Path) -> None:
    class Enough(Listener):
        def __init__(self) -> None:
            self.step, self.notes = 0, []

        def note(self, text: str) -> None:
            self.notes.append(text)

        def stepped(self, step: int) -> None:
            self.step = step

        def enough(self) -> bool:
            return self.step == 3

    listener = Enough()
    experiment = change(BASE, {"training": {"steps": 6}})
    run = train(experiment, data=data, out=tmp_path / "run", device="cpu", workers=0, cache="none", listener=listener)
    assert run.steps == 3
    assert (tmp_path / "run" / "checkpoint.pt").exists()
    assert listener.notes[-1].startswith("Ended at step 3; saved.")


# ------------------------------------------------------------------------------------------------ what is found, pruned


def test_the_first_trial_is_the_base_and_the_search_finds_better(fake: Fake, data: Path, tmp_path: Path) -> None:
    found = tune(BASE, data=data, out=tmp_path / "s", trials=12, trial_steps=10, **SEARCH)
    assert weights(found)[0] == 100.0
    assert found.start is not None
    assert found.best is not None
    assert found.start.score == pytest.approx(0.6)
    assert (found.best.score or 9) < 0.3
    assert found.ordered[0] == found.best
    assert len(set(weights(found))) == 12, "each trial draws its own"
    table = list(csv.DictReader((tmp_path / "s" / "trials.csv").read_text().splitlines()))
    assert [float(row["model.lambda-l1"]) for row in table] == weights(found)
    assert [row["outcome"] for row in table] == [row.outcome for row in found.rows]


def test_what_the_search_began_with_is_not_claimed_where_it_is_not_in_the_space(
    fake: Fake, data: Path, tmp_path: Path
) -> None:
    search: dict[str, Any] = {"search": ["model.lambda-l1=10..50"], "only": True}
    assert tune(BASE, data=data, out=tmp_path / "s", trials=1, trial_steps=10, **search).start is None


def test_bad_trials_are_ended_early_after_four_whole_ones(fake: Fake, data: Path, tmp_path: Path) -> None:
    found = tune(BASE, data=data, out=tmp_path / "s", trials=12, trial_steps=20, **SEARCH)
    pruned = [row for row in found.rows if row.outcome == "pruned"]
    assert pruned
    assert {row.outcome for row in found.rows[:4]} == {"done"}
    assert all(5 <= row.steps < 20 for row in pruned)
    assert found.best not in pruned
    whole = tune(BASE, data=data, out=tmp_path / "none", trials=12, trial_steps=20, pruner="none", **SEARCH)
    assert {row.outcome for row in whole.rows} == {"done"}
    bands = tune(BASE, data=data, out=tmp_path / "band", trials=12, trial_steps=20, pruner="hyperband", **SEARCH)
    assert "pruned" in {row.outcome for row in bands.rows}


def test_weights_are_kept_of_the_best_alone_and_pages_of_all(fake: Fake, data: Path, tmp_path: Path) -> None:
    found = tune(BASE, data=data, out=tmp_path / "best", trials=5, trial_steps=10, **SEARCH)
    for row in found.rows:
        there = {path.name for path in row.run.iterdir()}
        assert there >= {"report.html", "log.jsonl", "experiment.yaml"}
        assert ({"checkpoint.pt", "best.safetensors"} <= there) == (row == found.best)
    kept = tune(BASE, data=data, out=tmp_path / "all", trials=5, trial_steps=10, keep="all", **SEARCH)
    assert all((row.run / "checkpoint.pt").exists() for row in kept.rows)


def test_a_trial_that_breaks_counts_as_bad_and_the_search_goes_on(fake: Fake, data: Path, tmp_path: Path) -> None:
    fake.stop_at = {12: TrainingError("out of memory. What helps: a smaller size")}
    found = tune(BASE, data=data, out=tmp_path / "s", trials=3, trial_steps=10, **SEARCH)
    assert [row.outcome for row in found.rows] == ["done", "broke", "done"]
    assert found.rows[1].note == "out of memory"


def test_losses_that_are_no_numbers_break_a_trial(fake: Fake, data: Path, tmp_path: Path) -> None:
    inner = fake.train

    def broken(experiment: Experiment, *, out: Path, **rest: Any) -> Run:
        run = inner(experiment, out=out, **rest)
        if len(fake.trained) == 2:
            with (out / "log.jsonl").open("a") as file:
                file.write(json.dumps({"step": 10, "losses": {}, "health": {"not a number": ["loss"]}}) + "\n")
            raise TrainingError("step 10: G/l1 is not a number any more. Go on from there")
        return run

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("i2i.tuning.trial.train", broken)
        found = tune(BASE, data=data, out=tmp_path / "s", trials=3, trial_steps=10, **SEARCH)
    assert [row.outcome for row in found.rows] == ["done", "broke", "done"]


def test_scores_that_are_no_numbers_break_a_trial(fake: Fake, data: Path, tmp_path: Path) -> None:
    good = fake.error
    fake.error = lambda experiment, step: float("nan") if len(fake.trained) == 2 else good(experiment, step)
    found = tune(BASE, data=data, out=tmp_path / "s", trials=3, trial_steps=10, **SEARCH)
    assert [row.outcome for row in found.rows] == ["done", "broke", "done"]


def test_a_full_disk_is_no_fault_of_a_trial(fake: Fake, data: Path, tmp_path: Path) -> None:
    fake.stop_at = {12: TrainingError("log.jsonl: could not be written (no space)")}
    with pytest.raises(TrainingError, match="no space"):
        tune(BASE, data=data, out=tmp_path / "s", trials=3, trial_steps=10, **SEARCH)
    fake.stop_at = {}
    found = tune(BASE, data=data, out=tmp_path / "s", trials=3, trial_steps=10, **SEARCH)
    assert [row.outcome for row in found.rows] == ["done"] * 3


def test_settings_that_cannot_stand_together_are_left_behind(fake: Fake, data: Path, tmp_path: Path) -> None:
    search = {"search": ["model.discriminator.layers=1..5"], "only": True}
    found = tune(BASE, data=data, out=tmp_path / "s", trials=8, trial_steps=10, **search)
    outcomes = {row.values["model.discriminator.layers"]: row.outcome for row in found.rows}
    assert outcomes[1] == "done"
    assert {outcome for layers, outcome in outcomes.items() if layers in (3, 4, 5)} == {"impossible"}
    note = next(row.note for row in found.rows if row.outcome == "impossible")
    assert "PatchGAN" in note


def test_a_search_of_nothing_but_impossible_settings_is_given_up(fake: Fake, data: Path, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="8 trials in a row could not begin"):
        tune(BASE, data=data, out=tmp_path / "s", search=["model.discriminator.layers=5..6"], only=True)
    assert not fake.trained


# ------------------------------------------------------------------------------------------------ budget, and going on


def test_a_search_that_stops_and_goes_on_draws_what_one_that_never_stopped_does(
    fake: Fake, data: Path, tmp_path: Path
) -> None:
    whole = tune(BASE, data=data, out=tmp_path / "whole", trials=9, trial_steps=10, **SEARCH)
    watched = Watched()
    fake.steps, fake.stop_at = 0, {25: KeyboardInterrupt(), 47: SystemExit(143)}
    for stopped in (KeyboardInterrupt, SystemExit):
        with pytest.raises(stopped):
            tune(BASE, data=data, out=tmp_path / "s", trials=9, trial_steps=10, watcher=watched, **SEARCH)
    found = tune(BASE, data=data, out=tmp_path / "s", trials=9, trial_steps=10, **SEARCH)
    assert weights(found) == weights(whole)
    assert [(row.outcome, row.steps, row.score) for row in found.rows] == [
        (row.outcome, row.steps, row.score) for row in whole.rows
    ]
    assert "Stopped in trial 2 and saved. The same command goes on with it." in watched.notes


def test_half_a_line_and_a_lock_of_a_killed_process_are_mended(fake: Fake, data: Path, tmp_path: Path) -> None:
    first = tune(BASE, data=data, out=tmp_path / "s", trials=2, trial_steps=10, **SEARCH)
    journal = tmp_path / "s" / "study.journal"
    with journal.open("a") as file:
        file.write('{"op_code":4,"stu')
    journal.with_name("study.journal.lock").touch()
    found = tune(BASE, data=data, out=tmp_path / "s", trials=3, trial_steps=10, **SEARCH)
    assert found.rows[:2] == first.rows
    assert len(found.rows) == 3


def test_done_is_done_and_more_trials_go_on(fake: Fake, data: Path, tmp_path: Path) -> None:
    once = tune(BASE, data=data, out=tmp_path / "s", trials=2, trial_steps=10, **SEARCH)
    again = tune(BASE, data=data, out=tmp_path / "s", trials=2, trial_steps=10, **SEARCH)
    assert again == once
    assert len(fake.trained) == 2
    assert len(tune(BASE, data=data, out=tmp_path / "s", trials=3, trial_steps=10, **SEARCH).rows) == 3


class Clock:
    """Seconds that pass where they are told to."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 0.0
        monkeypatch.setattr("time.monotonic", lambda: self.now)


def test_time_is_shared_out_and_kept_within_a_trial(
    fake: Fake, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock(monkeypatch)
    good, inner = fake.error, fake.train

    def error(experiment: Experiment, step: int) -> float:
        clock.now += 3
        return good(experiment, step)

    class Late(Listener):
        """As a run does that looks at the time."""

        def __init__(self, inner: Listener, deadline: float) -> None:
            self.inner, self.deadline = inner, deadline
            self.logged, self.started, self.note = inner.logged, inner.started, inner.note

        def enough(self) -> bool:
            return self.inner.enough() or clock.now >= self.deadline

    def timed(experiment: Experiment, *, max_seconds: float, listener: Listener, **rest: Any) -> Run:
        return inner(experiment, max_seconds=max_seconds, listener=Late(listener, clock.now + max_seconds), **rest)

    fake.error = error
    monkeypatch.setattr("i2i.tuning.trial.train", timed)
    found = tune(BASE, data=data, out=tmp_path / "s", minutes=0.75, trial_steps=10, **SEARCH)
    assert fake.seconds == [45.0, 15.0]
    assert [(row.outcome, row.steps, row.seconds) for row in found.rows] == [("done", 10, 30.0), ("cut short", 5, 15.0)]
    assert found.best == found.rows[0]
    assert (found.rows[1].run / "checkpoint.pt").exists(), "it goes on"
    more = tune(BASE, data=data, out=tmp_path / "s", minutes=1.0, trial_steps=10, **SEARCH)
    assert fake.seconds[2:] == [15.0]
    assert [(row.outcome, row.steps, row.seconds) for row in more.rows] == [("done", 10, 30.0), ("done", 10, 30.0)]
    spent = tune(BASE, data=data, out=tmp_path / "s", minutes=1.0, trial_steps=10, **SEARCH)
    assert spent.rows == more.rows


def test_no_trial_that_went_all_its_steps_is_no_best(
    fake: Fake, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake.stop_at = {3: KeyboardInterrupt()}
    with pytest.raises(KeyboardInterrupt):
        tune(BASE, data=data, out=tmp_path / "s", trials=1, trial_steps=10, **SEARCH)
    clock = Clock(monkeypatch)
    clock.now = 1e6
    found = tune(BASE, data=data, out=tmp_path / "s", minutes=1e-9, trials=1, trial_steps=10, **SEARCH)
    assert (found.best, found.experiment) == (None, None)
    assert [row.outcome for row in found.rows] == ["cut short"]
    assert not (tmp_path / "s" / "experiment.yaml").exists()


def test_another_search_in_the_same_folder_is_refused_by_what_it_would_change(
    fake: Fake, data: Path, tmp_path: Path
) -> None:
    tune(BASE, data=data, out=tmp_path / "s", trials=1, trial_steps=10, **SEARCH)
    for other, named in [
        ({"trial_steps": 20}, "--trial-steps from 10 to 20"),
        ({"pruner": "none"}, "--pruner from median to none"),
        ({"search": ["model.lambda-l1=10..100"]}, r"--search model.lambda-l1 from 10..200,log to 10..100"),
        ({"search": ["training.lr=1e-4..1e-3"]}, r"--search training.lr from none to 0.0001..0.001"),
        ({"recipe_or_experiment": change(BASE, {"training": {"seed": 1}})}, "training.seed from 0 to 1"),
    ]:
        asked: dict[str, Any] = {"recipe_or_experiment": BASE, "trial_steps": 10, **SEARCH, **other}
        with pytest.raises(SettingsError, match=named):
            tune(data=data, out=tmp_path / "s", trials=1, **asked)


def test_notes_before_the_first_step_are_told_once(fake: Fake, data: Path, tmp_path: Path) -> None:
    watched = Watched()
    tune(BASE, data=data, out=tmp_path / "s", trials=3, trial_steps=10, watcher=watched, **SEARCH)
    assert watched.notes == ["said before the first step"]
    assert [row.number for row in watched.rows] == [0, 1, 2]


# --------------------------------------------------------------------------------------------------- what is refused


def test_a_folder_of_something_else_and_one_that_is_searched_in_are_left_alone(
    fake: Fake, data: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "letter.txt").write_text("dear")
    with pytest.raises(TrainingError, match="holds something that is no search"):
        tune(BASE, data=data, out=other, trials=1)
    with pytest.raises(TrainingError, match="is a file"):
        tune(BASE, data=data, out=other / "letter.txt", trials=1)
    busy = tmp_path / "busy"
    busy.mkdir()
    with alone(busy), pytest.raises(TrainingError, match="another process"):
        tune(BASE, data=data, out=busy, trials=1)
    assert not fake.trained


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"minutes": 0.0}, "--minutes 0"),
        ({"minutes": float("nan")}, "--minutes nan"),
        ({"trials": 0}, "--trials 0"),
        ({"trial_steps": 0}, "--trial-steps 0"),
    ],
)
def test_a_budget_of_nothing_is_refused(data: Path, options: dict[str, Any], said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        tune(BASE, data=data, **options)


def test_a_batch_size_by_the_clock_and_several_processes_are_refused(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(SettingsError, match="batch size auto"):
        tune(change(BASE, {"training": {"batch_size": "auto"}}), data=data)
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(SettingsError, match="without torchrun"):
        tune(BASE, data=data)


def test_a_base_that_cannot_be_built_says_so_itself(fake: Fake, data: Path, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"^size 15x15: a ResNet"):
        tune(change(BASE, {"data": {"size": "15"}}), data=data, out=tmp_path / "s")
    assert not (tmp_path / "s").exists()


def test_without_optuna_it_is_said_how_to_install_it(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "optuna", None)
    with pytest.raises(SettingsError, match=r"pip install 'i2i-toolkit\[tune\]'"):
        tune(BASE, data=data)
