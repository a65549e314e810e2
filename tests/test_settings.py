import dataclasses
from typing import Annotated, Literal

import pytest
from pydantic import Field, ValidationError

from i2i.data.settings import DataSettings
from i2i.engine.settings import TrainingSettings
from i2i.settings import Size, Weight, as_dict, did_you_mean, parse_size, settings


@settings
class Inner:
    kind: Literal["inner"] = "inner"
    """A kind."""

    weight: Weight = 1.0
    """A weight."""


@settings
class Outer:
    size: Size = "256"
    """A size."""

    count: Annotated[int, Field(gt=0)] = 3
    """How many."""

    inner: Inner = Inner()
    """What is inside."""


@pytest.mark.parametrize(
    ("text", "size"), [("256", (256, 256)), ("256x512", (256, 512)), ("1x1", (1, 1)), ("99999", (99999, 99999))]
)
def test_a_size_is_height_by_width(text, size):
    assert parse_size(text) == size


@pytest.mark.parametrize(
    "text", ["", "0", "0x5", "5x0", "-1", "256X512", "256 x 512", "1x2x3", "x5", "5x", "1.5", "123456", "a", "٣"]
)
def test_what_is_no_size_is_refused(text):
    with pytest.raises(ValueError, match="a size is '256' or '256x512'"):
        parse_size(text)


def test_a_size_may_be_written_as_a_number_and_stays_text():
    assert Outer(size=256).size == "256"  # pyright: ignore[reportArgumentType]
    assert DataSettings(size="128x256").crop == (128, 256)


@pytest.mark.parametrize("size", [True, 2.5, "big", "0"])
def test_settings_refuse_what_is_no_size(size):
    with pytest.raises(ValidationError):
        Outer(size=size)


@pytest.mark.parametrize(("side", "loaded"), [("256", (286, 286)), ("128", (143, 143)), ("256x512", (286, 572))])
def test_a_picture_is_loaded_a_little_larger_than_its_crop(side, loaded):
    assert DataSettings(size=side).loaded == loaded


def test_the_loaded_side_can_be_set_and_keeps_the_crops_shape():
    assert DataSettings(size="256x512", load=300).loaded == (300, 600)


def test_settings_are_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        Outer().count = 4  # pyright: ignore[reportAttributeAccessIssue]


def test_settings_are_given_by_name_only():
    with pytest.raises((TypeError, ValidationError)):
        Outer("128")  # pyright: ignore[reportCallIssue]


@pytest.mark.parametrize("wrong", [{"count": "3"}, {"count": 2.0}, {"count": True}, {"count": 0}, {"contu": 3}])
def test_settings_are_strict(wrong):
    with pytest.raises(ValidationError):
        Outer(**wrong)


@pytest.mark.parametrize("weight", [-0.1, "1"])
def test_a_weight_is_a_number_of_zero_or_more(weight):
    with pytest.raises(ValidationError):
        Inner(weight=weight)


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_what_is_no_finite_number_is_refused(number):
    with pytest.raises(ValidationError):
        Inner(weight=number)
    with pytest.raises(ValidationError):
        TrainingSettings(lr=number)


def test_equal_settings_are_equal():
    assert Outer(count=4) == Outer(count=4)
    assert Outer(count=4) != Outer(count=5)


def test_as_dict_is_plain_all_the_way_down():
    assert as_dict(Outer()) == {"size": "256", "count": 3, "inner": {"kind": "inner", "weight": 1.0}}


def test_the_docstring_under_a_field_is_its_description():
    fields = Outer.__pydantic_fields__  # pyright: ignore[reportAttributeAccessIssue]
    assert fields["count"].description == "How many."


def test_a_likely_name_is_suggested_and_else_all_are_listed():
    assert did_you_mean("bach_size", ["batch_size", "lr"]) == "did you mean batch_size?"
    assert did_you_mean("zzz", ["batch_size", "a"]) == "there are a, batch_size."
