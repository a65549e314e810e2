"""`i2i train`: every flag arrives where it belongs, and what cannot be is said in one line."""

from pathlib import Path
from typing import Any

import pytest

from i2i import cli
from i2i.cli.train import parse_time
from i2i.errors import SettingsError
from i2i.experiment import Experiment, change, set_width, to_yaml
from i2i.models.settings.sight import Sight
from i2i.recipes import RECIPES
from i2i.training import Run


class Called:
    """What training was asked for."""

    experiment: Experiment
    options: dict[str, Any]

    def train(self, experiment: Experiment | None = None, **options: Any) -> Run:
        assert not hasattr(self, "options"), "trained twice"
        if experiment is not None:
            self.experiment = experiment
        self.options = options
        return Run(Path("run"), 1, {})


@pytest.fixture
def called(monkeypatch: pytest.MonkeyPatch) -> Called:
    fake = Called()
    monkeypatch.setattr("i2i.training.train", fake.train)
    return fake


def _setting(experiment: Experiment, path: str) -> Any:
    value: Any = experiment
    for name in path.split("."):
        value = getattr(value, name)
    return value


@pytest.mark.parametrize(
    ("flags", "setting", "value"),
    [
        ("--steps 7", "training.steps", 7),
        ("--epochs 7", "training.epochs", 7),
        ("--batch-size 7", "training.batch_size", 7),
        ("--seed 7", "training.seed", 7),
        ("--precision bf16", "training.precision", "bf16"),
        ("--deterministic", "training.deterministic", True),
        ("--checkpoint-every 7", "training.checkpoint_every", 7),
        ("--size 128", "data.size", "128"),
        ("--size 128x256", "data.size", "128x256"),
        ("--direction BtoA", "data.direction", "BtoA"),
        ("--resize none", "data.resize", "none"),
        ("--holdout 0", "data.holdout", 0),
        ("--holdout auto", "data.holdout", "auto"),
        ("--width 8", "model.generator.width", 8),
        ("--width 8", "model.discriminator.width", 8),
        ("--width=8 --model.generator.width 16", "model.generator.width", 16),
        ("--model.generator.width 16 --width 8", "model.generator.width", 16),
        ("--model.generator.width 16 --width 8", "model.discriminator.width", 8),
        ("--width 8 --model.generator.kind resnet", "model.generator.width", 8),
        ("--model.generator.kind resnet --model.generator.blocks 6", "model.generator.blocks", 6),
        ("--model.generator.blocks 6 --model.generator.kind=resnet", "model.generator.kind", "resnet"),
        ("--model.lambda-l1 10", "model.lambda_l1", 10.0),
        ("--model.lambda_l1 10", "model.lambda_l1", 10.0),
        ("--data.no-flip", "data.flip", False),
        ("--data.load 300", "data.load", 300),
        ("--training.steps 7", "training.steps", 7),
        ("--training.lr 2e-4", "training.lr", 2e-4),
    ],
)
def test_a_flag_changes_its_setting_and_nothing_else(called: Called, flags: str, setting: str, value: object) -> None:
    assert cli.main(["train", "pix2pix", "--data", "d", *flags.split()]) == 0
    assert _setting(called.experiment, setting) == value
    if " " in flags and flags.count("--") == 1 and "width" not in flags:
        tree: Any = value
        for name in reversed(setting.split(".")):
            tree = {name: tree}
        assert called.experiment == change(RECIPES["pix2pix"], tree)


@pytest.mark.parametrize(
    ("flags", "option", "value"),
    [
        ("", "data", Path("d")),
        ("", "out", None),
        ("", "existing", "refuse"),
        ("", "max_seconds", None),
        ("--out runs/x", "out", Path("runs/x")),
        ("--device cuda:1", "device", "cuda:1"),
        ("--workers 3", "workers", 3),
        ("--workers auto", "workers", "auto"),
        ("", "cache", "auto"),
        ("--cache memory", "cache", "memory"),
        ("--cache-dir d/c", "cache_dir", Path("d/c")),
        ("--max-time 3h50m", "max_seconds", 13800.0),
        ("--continue", "existing", "continue"),
        ("--overwrite", "existing", "overwrite"),
    ],
)
def test_what_is_no_setting_goes_beside_the_experiment(called: Called, flags: str, option: str, value: object) -> None:
    assert cli.main(["train", "cyclegan", "--data", "d", *flags.split()]) == 0
    assert called.options[option] == value
    assert called.experiment == RECIPES["cyclegan"]


_KINDS = [
    (name, kinds)
    for name, generators in (("pix2pix", ("unet", "resnet")), ("cyclegan", ("unet", "resnet")))
    for kinds in [
        {"generator": generator, "discriminator": discriminator, "objective": objective}
        for generator in generators
        for discriminator in ("patchgan", "pixelgan")
        for objective in ("vanilla", "wgan-gp")
    ]
] + [("dcgan", {"objective": objective}) for objective in ("vanilla", "wgan", "relativistic", "wgan-gp")]


@pytest.mark.parametrize(("name", "kinds"), _KINDS)
def test_every_recipe_takes_every_kind_of_network(called: Called, name: str, kinds: dict[str, str]) -> None:
    flags = [word for what, kind in kinds.items() for word in (f"--model.{what}.kind", kind)]
    assert cli.main(["train", name, "--data", "d", "--width", "8", *flags]) == 0
    assert {what: getattr(called.experiment.model, what).kind for what in kinds} == kinds


@pytest.mark.parametrize("name", ["pix2pix", "cyclegan", "cut", "wgan"])
def test_every_game_takes_flags_of_what_d_sees_and_pays_for(called: Called, name: str) -> None:
    flags = (
        "--model.sight.augment always --model.sight.operations flip cutout --model.sight.noise 0.1 "
        "--model.sight.noise-until 500 --model.lambda-r1 1 --model.lambda-r2 2 --model.r1-every 3 "
        "--training.lr-discriminator 4e-4"
    )
    assert cli.main(["train", name, "--data", "d", *flags.split()]) == 0
    model = called.experiment.model
    assert model.sight == Sight(augment="always", operations=("flip", "cutout"), noise=0.1, noise_until=500)
    assert (model.lambda_r1, model.lambda_r2, model.r1_every) == (1, 2, 3)
    assert called.experiment.training.lr_discriminator == 4e-4


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_without_flags_is_the_recipe(called: Called, name: str) -> None:
    assert cli.main(["train", name, "--data", "d"]) == 0
    assert called.experiment == RECIPES[name]


def test_epochs_win_over_the_steps_of_a_file(called: Called, tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_text("training: {steps: 500, batch_size: 2}\n")
    config = ["--config", str(tmp_path / "x.yaml")]
    assert cli.main(["train", "pix2pix", "--data", "d", *config, "--epochs", "3"]) == 0
    training = called.experiment.training
    assert (training.steps, training.epochs, training.batch_size) == (0, 3, 2)


def test_a_saved_experiment_comes_back_without_naming_its_recipe(called: Called, tmp_path: Path) -> None:
    saved = set_width(RECIPES["cyclegan"], 8)
    (tmp_path / "x.yaml").write_text(to_yaml(saved))
    assert cli.main(["train", "--config", str(tmp_path / "x.yaml"), "--data", "d"]) == 0
    assert called.experiment == saved


def _error(capsys: pytest.CaptureFixture[str], *args: str | Path) -> str:
    assert cli.main(["train", *map(str, args)]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("i2i: error: ")
    assert said.err.count("\n") <= 2
    assert "Traceback" not in said.err
    return said.err


@pytest.mark.parametrize(
    ("flags", "part"),
    [
        ("--model.lamda-l1 3", "did you mean --model.lambda-l1?"),
        ("--epoch 3", "did you mean --epochs?"),
        ("--lambda-l1 3", "did you mean --model.lambda-l1?"),
        ("--no-flip", "did you mean --data.no-flip?"),
        ("--model.generator.kind foo", "--model.generator.kind: 'foo' is none of 'unet', 'resnet'"),
        ("--model.kind cyclegan", "--model.kind: no such flag"),
        ("--steps abc", "--steps: 'abc' cannot be used, wanted INT"),
        ("--resize foo", "--resize: 'foo' cannot be used, wanted 'square', 'short', 'none'"),
        ("--holdout x", "--holdout: 'x' cannot be used, wanted {auto}|INT"),
        ("--steps -3", "--training.steps: -3 cannot be used"),
        ("--model.lambda-l1 -3", "--model.lambda-l1: -3.0 cannot be used"),
        ("--size 12y", "a size is '256' or '256x512'"),
        ("--seed", "--seed: its value is missing"),
        ("--width 0", "--width: '0' cannot be used"),
        ("--workers -1", "--workers -1: wanted 0 or more"),
        ("--max-time soon", "--max-time: 'soon' cannot be used, wanted a time such as 3h50m"),
        ("--steps 3 --epochs 3", "--steps and --epochs"),
        ("--continue --overwrite", "--continue keeps"),
        ("photos", "'photos': a word too many"),
    ],
)
def test_what_cannot_be_is_said_in_a_line(
    called: Called, capsys: pytest.CaptureFixture[str], flags: str, part: str
) -> None:
    assert part in _error(capsys, "pix2pix", "--data", "d", *flags.split())
    assert not hasattr(called, "options")


def test_recipe_and_data_are_asked_for(called: Called, capsys: pytest.CaptureFixture[str]) -> None:
    assert "did you mean cyclegan?" in _error(capsys, "cycelgan", "--data", "d")
    assert "the recipe comes first" in _error(capsys, "--data", "d")
    assert "--data DIR" in _error(capsys, "pix2pix")


def test_a_typo_in_a_file_is_told_with_its_line(
    called: Called, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "x.yaml"
    file.write_text("recipe: pix2pix\nmodel:\n  lamda_l1: 3\n")
    said = _error(capsys, "pix2pix", "--data", "d", "--config", file)
    assert f"{file}:3: model.lamda_l1: no such setting; did you mean lambda_l1?" in said
    file.write_text("model: [\n")
    assert f"{file}:2: not YAML" in _error(capsys, "pix2pix", "--data", "d", "--config", file)
    assert "cannot be read" in _error(capsys, "pix2pix", "--data", "d", "--config", tmp_path / "none.yaml")
    file.write_text("recipe: cyclegan\n")
    assert "is an experiment of the recipe 'cyclegan'" in _error(capsys, "pix2pix", "--data", "d", "--config", file)


@pytest.fixture
def run(tmp_path: Path) -> Path:
    folder = tmp_path / "run"
    folder.mkdir()
    saved = change(set_width(RECIPES["pix2pix"], 8), {"training": {"steps": 100}})
    (folder / "experiment.yaml").write_text(to_yaml(saved))
    (folder / "checkpoint.pt").touch()
    return folder


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ("", {"steps": None, "epochs": None, "data": None}),
        ("--steps 200", {"steps": 200, "epochs": None}),
        ("--keep 3 --checkpoint-every 7", {"keep": 3, "checkpoint_every": 7, "steps": None, "rollback": False}),
        ("--rollback", {"rollback": True, "keep": None}),
        ("--epochs 4", {"steps": None, "epochs": 4}),
        ("--data d --device cpu --workers 0", {"data": Path("d"), "device": "cpu", "workers": 0}),
        ("--cache disk --cache-dir c", {"cache": "disk", "cache_dir": Path("c")}),
        ("--max-time 1m", {"max_seconds": 60.0}),
        ("--width 8 --model.generator.width 8", {"steps": None}),
    ],
)
def test_a_resumed_run_may_change_its_length(called: Called, run: Path, flags: str, expected: dict[str, Any]) -> None:
    assert cli.main(["train", "--resume", str(run), *flags.split()]) == 0
    assert called.options["resume"] == run
    assert expected.items() <= called.options.items()


@pytest.mark.parametrize(
    ("flags", "part"),
    [
        ("--model.generator.width 16", "a resumed run keeps its model.generator.width ("),
        ("--batch-size 2", "a resumed run keeps its training.batch_size ("),
        ("--precision bf16", "a resumed run keeps its training.precision ("),
        ("--out elsewhere", "--out: a resumed run stays"),
        ("--overwrite", "--overwrite: a resumed run stays"),
    ],
)
def test_a_resumed_run_keeps_all_else(
    called: Called, run: Path, capsys: pytest.CaptureFixture[str], flags: str, part: str
) -> None:
    assert part in _error(capsys, "--resume", run, *flags.split())
    assert not hasattr(called, "options")


def test_a_resumed_run_keeps_its_recipe(called: Called, run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "a resumed run keeps its recipe, pix2pix" in _error(capsys, "cyclegan", "--resume", run)
    assert "no such run folder" in _error(capsys, "--resume", run / "none")


def test_times() -> None:
    assert [parse_time(text) for text in ("45s", "90m", "3h50m", "1d", "1.5h")] == [45, 5400, 13800, 86400, 5400]
    for wrong in ("", "3", "h", "3h50", "-3h"):
        with pytest.raises(SettingsError, match="--max-time"):
            parse_time(wrong)
