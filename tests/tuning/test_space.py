"""What is searched: defaults read off a recipe, and what a person asks for."""

from collections.abc import Sequence
from typing import Any

import pytest

from i2i.errors import SettingsError
from i2i.experiment import change
from i2i.recipes import RECIPES
from i2i.tuning.leaves import leaves
from i2i.tuning.space import REFUSED, Choice, Range, drawn, space_of, start_of, values_in

PIX2PIX = RECIPES["pix2pix"]


class Drawn:
    """Draws what it is told, the low end or the first choice otherwise."""

    def __init__(self, **values: Any) -> None:
        self.values = {name.replace("__", ".").replace("_", "-"): value for name, value in values.items()}
        self.names: list[str] = []

    def _draw(self, name: str, otherwise: Any) -> Any:
        self.names.append(name)
        return self.values.get(name, otherwise)

    def suggest_float(self, name: str, low: float, high: float, *, log: bool = False) -> float:
        return self._draw(name, low)

    def suggest_int(self, name: str, low: int, high: int, *, log: bool = False) -> int:
        assert type(low) is type(high) is int
        return self._draw(name, low)

    def suggest_categorical(self, name: str, choices: Sequence[Any]) -> Any:
        return self._draw(name, choices[0])


def test_the_defaults_of_pix2pix() -> None:
    assert values_in(space_of(PIX2PIX)) == {
        "model.objective.kind": "vanilla,least-squares,hinge",
        "model.lambda-l1": "10..300,log",
        "training.lr": "5e-05..0.001,log",
        "training.ema": "0,0.99,0.999",
        "model.discriminator.spectral-norm": "false,true",
    }


@pytest.mark.parametrize(
    ("name", "weights"),
    [
        ("cyclegan", {"model.lambda-cycle", "model.lambda-identity"}),
        ("cut", {"model.lambda-nce"}),
        ("distill", {"model.lambda-teacher", "model.lambda-gan"}),
    ],
)
def test_weights_in_use_are_searched_and_those_left_out_are_not(name: str, weights: set[str]) -> None:
    assert {one for one in values_in(space_of(RECIPES[name])) if "lambda" in one} == weights


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_lies_in_its_own_space_and_every_default_can_be_drawn(name: str) -> None:
    base = RECIPES[name]
    space = space_of(base)
    assert start_of(base, space).keys() == {one.name for one in space}
    low, _ = drawn(base, space, Drawn())
    assert leaves(low).keys() >= {one.path for one in space}


def test_what_a_flag_says_is_not_searched_unless_search_names_it() -> None:
    assert "training.lr" not in values_in(space_of(PIX2PIX, fixed=["training.lr"]))
    assert "model.lambda-l1" not in values_in(space_of(PIX2PIX, fixed=["model.lambda_l1"]))
    found = values_in(space_of(PIX2PIX, ["training.lr=1e-4..2e-4"], fixed=["training.lr"]))
    assert found["training.lr"] == "0.0001..0.0002"


def test_only_what_is_asked_for() -> None:
    assert values_in(space_of(PIX2PIX, ["model.lambda_l1=10..200,log"], only=True)) == {
        "model.lambda-l1": "10..200,log"
    }
    with pytest.raises(SettingsError, match="nothing to search is left"):
        space_of(PIX2PIX, only=True)


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("model.lambda-l1=10..200,log", Range(10, 200, log=True)),
        ("--model.lambda-l1 = 1e1 .. 2e2 , log", Range(10, 200, log=True)),
        ("model.lambda-l1=0..200", Range(0, 200)),
        ("model.lambda-l1=10,100", Choice((10.0, 100.0))),
        ("training.batch-size=1..8", Range(1, 8, whole=True)),
        ("training.batch-size=1,4", Choice((1, 4))),
        ("data.flip=true,false", Choice((True, False))),
        ("data.rotate=0..30", Range(0, 30)),
        ("model.generator.upsample=transpose,resize", Choice(("transpose", "resize"))),
        ("model.generator.kind=unet,resnet", Choice(("unet", "resnet"))),
        ("training.lr=2e-4", Choice((2e-4,))),
    ],
)
def test_values_are_read_as_their_setting_takes_them(text: str, values: Range | Choice) -> None:
    (found,) = space_of(PIX2PIX, [text], only=True)
    assert found.values == values
    if isinstance(values, Choice):
        assert isinstance(found.values, Choice)
        assert [type(one) for one in found.values.values] == [type(one) for one in values.values]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("model.lambda-l11=1..2", "did you mean lambda_l1?"),
        ("lambda-l1=1..2", "did you mean model.lambda-l1?"),
        ("objective.kind=vanilla,hinge", "did you mean model.objective.kind?"),
        ("model.objective.lambda-penalty=1..20", "only wgan-gp has it"),
        ("model.objective=vanilla", "model.objective"),
        ("model.lambda-l1=5..1", "from a lower to a higher"),
        ("model.lambda-l1=1..1e999", "from a lower to a higher"),
        ("model.lambda-l1=-5..1", "greater than or equal to 0"),
        ("model.lambda-l1=0..1,log", "begins above 0"),
        ("model.lambda-l1=1...2", "from a lower to a higher"),
        ("model.lambda-l1=1..2,lg", "wanted SETTING=LOW..HIGH"),
        ("model.lambda-l1", "wanted SETTING=LOW..HIGH"),
        ("=1..2", "wanted SETTING=LOW..HIGH"),
        ("model.lambda-l1=", "wanted SETTING=LOW..HIGH"),
        ("model.lambda-l1=ten", "cannot be used"),
        ("model.objective.kind=vanila", "'vanila' is none of"),
        ("model.objective.kind=1..3", "wanted values to choose from, vanilla|"),
        ("training.batch-size=1..2.5", "whole numbers"),
        ("data.flip=0..1", "true,false"),
        ("data.flip=yes", "valid boolean"),
        ("model.generator.width=0..8", "greater than 0"),
    ],
)
def test_what_cannot_be_searched_is_said_in_one_line_that_names_it(text: str, said: str) -> None:
    with pytest.raises(SettingsError) as error:
        space_of(PIX2PIX, [text])
    assert str(error.value).startswith(f"--search {text}: ")
    assert said in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("name", [*REFUSED, "model.teacher.file", "data.task.kind"])
def test_what_would_make_trials_unlike_each_other_is_refused(name: str) -> None:
    base = RECIPES["distill"]
    value = leaves(base)[tuple(name.replace("-", "_").split("."))].value
    with pytest.raises(SettingsError, match="cannot be searched"):
        space_of(base, [f"{name}={value or 'x'}"])


def test_the_same_setting_twice() -> None:
    with pytest.raises(SettingsError, match="searched twice"):
        space_of(PIX2PIX, ["training.lr=1e-4..1e-3", "training.lr=1e-4,1e-3"])


def test_what_only_one_kind_has_is_drawn_where_that_kind_is() -> None:
    search = ["model.objective.lambda-penalty=1..20", "model.objective.kind=vanilla,wgan-gp"]
    space = space_of(PIX2PIX, search, only=True)
    experiment, values = drawn(PIX2PIX, space, Drawn(model__objective__kind="vanilla"))
    assert values == {"model.objective.kind": "vanilla"}
    drew = Drawn(model__objective__kind="wgan-gp", model__objective__lambda_penalty=7.0)
    experiment, values = drawn(PIX2PIX, space, drew)
    assert values["model.objective.lambda-penalty"] == 7.0
    assert leaves(experiment)["model", "objective", "lambda_penalty"].value == 7.0
    assert start_of(PIX2PIX, space) == {"model.objective.kind": "vanilla"}


def test_numbers_are_rounded_to_be_read_and_stay_in_their_range() -> None:
    space = space_of(PIX2PIX, ["training.lr=0.00012345..0.00098765"], only=True)
    for value, rounded in [(0.000456789, 0.000457), (0.00012345, 0.00012345), (0.00098765, 0.00098765)]:
        _, values = drawn(PIX2PIX, space, Drawn(training__lr=value))
        assert values == {"training.lr": rounded}


def test_the_base_keeps_what_is_not_drawn() -> None:
    base = change(PIX2PIX, {"data": {"size": "32"}, "training": {"steps": 7}})
    experiment, _ = drawn(base, space_of(base), Drawn(model__lambda_l1=33.0))
    assert experiment.data == base.data
    assert experiment.training.steps == 7
    assert leaves(experiment)["model", "lambda_l1"].value == 33.0
