"""`i2i tune`: flags arrive where they belong, and what was found is said with what it is worth."""

from pathlib import Path
from typing import Any

import pytest

from i2i import cli
from i2i.cli.tune import labels, settings
from i2i.data import day2night
from i2i.experiment import Experiment, change
from i2i.recipes import RECIPES
from i2i.tuning import Row, Tuned
from i2i.tuning.held_out import HeldOut

TINY = "--size 16 --width 2 --model.generator.kind resnet --model.generator.blocks 1 --model.discriminator.layers 1"


def found(**changed: Any) -> Tuned:
    rows = [
        Row(0, "done", 0.3, 40, 2.0, {"training.lr": 2e-4, "model.objective.kind": "vanilla"}, Path("o/trial-000")),
        Row(1, "pruned", 0.5, 12, 1.0, {"training.lr": 9e-4, "model.objective.kind": "hinge"}, Path("o/trial-001")),
        Row(2, "done", 0.2, 40, 2.0, {"training.lr": 1e-4, "model.objective.kind": "hinge"}, Path("o/trial-002")),
    ]
    known: dict[str, Any] = {
        "out": Path("o"),
        "rows": rows,
        "best": rows[2],
        "start": rows[0],
        "experiment": Experiment(),
        "held_out": HeldOut("l1", 8, "val", True),
        "trial_steps": 40,
        "seed": 0,
    }
    return Tuned(**known | changed)


class Called:
    """What the search was asked for."""

    def __init__(self) -> None:
        self.options: dict[str, Any] = {}
        self.experiment = Experiment()
        self.answer = found()

    def tune(self, experiment: Experiment, **options: Any) -> Tuned:
        self.experiment, self.options = experiment, options
        return self.answer


@pytest.fixture
def called(monkeypatch: pytest.MonkeyPatch) -> Called:
    fake = Called()
    monkeypatch.setattr("i2i.tuning.tune", fake.tune)
    return fake


@pytest.mark.parametrize(
    ("flags", "option", "value"),
    [
        ("", "data", Path("d")),
        ("", "out", None),
        ("", "minutes", 60.0),
        ("", "trials", None),
        ("", "trial_steps", 1000),
        ("", "search", ()),
        ("", "fixed", []),
        ("", "only", False),
        ("", "pruner", "median"),
        ("", "keep", "best"),
        ("--out o/x", "out", Path("o/x")),
        ("--minutes 2.5", "minutes", 2.5),
        ("--trials 7", "trials", 7),
        ("--trial-steps 7", "trial_steps", 7),
        ("--search a=1..2 --search b=x,y", "search", ("a=1..2", "b=x,y")),
        ("--search=model.lambda-l1=10..200,log", "search", ("model.lambda-l1=10..200,log",)),
        ("--training.lr 1e-4 --model.objective.kind hinge", "fixed", ["training.lr", "model.objective.kind"]),
        ("--only", "only", True),
        ("--pruner hyperband", "pruner", "hyperband"),
        ("--keep all", "keep", "all"),
        ("--device cuda:1", "device", "cuda:1"),
        ("--workers 3", "workers", 3),
        ("--cache none", "cache", "none"),
    ],
)
def test_what_is_no_setting_goes_beside_the_experiment(called: Called, flags: str, option: str, value: object) -> None:
    assert cli.main(["tune", "cyclegan", "--data", "d", *flags.split()]) == 0
    assert called.options[option] == value
    if "." not in flags:
        assert called.experiment == RECIPES["cyclegan"]


def test_settings_are_flags_as_in_train_and_a_file_is_read(called: Called, tmp_path: Path) -> None:
    cli.main(
        ["tune", "pix2pix", "--data", "d", "--size", "128", "--width", "8", "--epochs", "7", "--training.keep", "2"]
    )
    assert called.experiment.data.size == "128"
    assert called.experiment.model.generator.width == called.experiment.model.discriminator.width == 8
    assert (called.experiment.training.epochs, called.experiment.training.keep) == (7, 2)
    (tmp_path / "x.yaml").write_text("recipe: pix2pix\nmodel:\n  lambda_l1: 33\n")
    cli.main(["tune", "--config", str(tmp_path / "x.yaml"), "--data", "d"])
    assert called.experiment == change(RECIPES["pix2pix"], {"model": {"lambda_l1": 33.0}})


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ("pix2pix", "no data: give the folder of pictures, as in: i2i tune pix2pix --data DIR"),
        ("pix3pix --data d", "did you mean pix2pix?"),
        ("pix2pix --data d --mintues 3", "did you mean --minutes?"),
        ("pix2pix --data d --keep some", "--keep"),
        ("pix2pix --data d --workers -1", "--workers -1"),
        ("pix2pix --data d word", "a word too many"),
        ("pix2pix --data d --search model.lamda-l1=1..2", "did you mean lambda_l1?"),
        ("pix2pix --data nowhere", "nowhere"),
        ("dcgan --data d", "dcgan: cannot be tuned"),
    ],
)
def test_what_cannot_be_is_one_line(args: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["tune", *args.split()]) == 2
    error = capsys.readouterr().err
    assert error.startswith("i2i: error: ")
    assert error.count("\n") == 1
    assert said in error


def test_the_table_has_the_best_first_and_what_it_is_worth_below(
    called: Called, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    assert cli.main(["tune", "pix2pix", "--data", "d"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].strip() == "l1 on 8 pairs of the val split, lower is better; seed 0"
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in lines if line.startswith("│")]
    assert rows == [
        ["2", "0.2000", "done", "40", "2", "0.0001", "hinge"],
        ["0", "0.3000", "done", "40", "2", "0.0002", "vanilla"],
        ["1", "0.5000", "pruned", "12", "1", "0.0009", "hinge"],
    ]
    said = "\n".join(lines)
    assert "Best: trial 2, l1 0.2000; as it began (trial 0): 0.3000." in said
    assert "i2i train --config o/experiment.yaml --data d --out RUN" in said
    assert "flatters itself. Measure on pictures that chose nothing: i2i evaluate RUN d --split test" in said


def test_without_an_untouched_test_split_none_is_recommended(
    called: Called, capsys: pytest.CaptureFixture[str]
) -> None:
    called.answer = found(held_out=HeldOut("error", 8, "test", False), start=None)
    assert cli.main(["tune", "cyclegan", "--data", "d"]) == 0
    said = capsys.readouterr().out
    assert "--split test" not in said
    assert "Put pictures aside that neither trained nor chose" in said
    assert "as it began" not in said


def test_no_whole_trial_ends_with_1_and_the_way_out(called: Called, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [Row(0, "cut short", 0.3, 17, 2.0, {"training.lr": 2e-4}, Path("o/trial-000"))]
    called.answer = found(rows=rows, best=None, start=None, experiment=None)
    assert cli.main(["tune", "pix2pix", "--data", "d"]) == 1
    said = capsys.readouterr().out
    assert "No trial went all of its 40 steps; the furthest came to 17." in said
    assert "--minutes" in said


def test_names_are_as_short_as_they_can_be_told_apart() -> None:
    assert labels(["training.lr", "model.objective.kind"]) == {"training.lr": "lr", "model.objective.kind": "objective"}
    both = ["model.generator.width", "model.discriminator.width"]
    assert labels(both) == {name: name for name in both}
    assert settings({"training.lr": 2e-4, "data.flip": True}) == "lr 0.0002, flip true"


def test_from_the_command_to_the_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = day2night.write(tmp_path / "data", train=4, val=2, test=1, size=(16, 16))
    command = ["tune", "pix2pix", "--data", str(data), "--out", str(tmp_path / "s"), *TINY.split()]
    flags = ["--training.precision", "fp32", "--device", "cpu", "--workers", "0", "--cache", "none"]
    assert cli.main([*command, *flags, "--trials", "2", "--trial-steps", "3"]) == 0
    said = capsys.readouterr()
    assert "trial 0: objective vanilla, lambda-l1 100, lr 0.0002" in said.err
    assert "trial 1: done at step 3 of 3, best 0." in said.err
    assert "i2i evaluate RUN" in said.out
    assert (tmp_path / "s" / "experiment.yaml").exists()
