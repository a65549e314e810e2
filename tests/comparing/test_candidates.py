from pathlib import Path

import numpy as np
import pytest
from torch import Tensor, nn

from i2i import images
from i2i.comparing import chosen, one_way, open_candidate, sources, trios
from i2i.errors import DatasetError, SettingsError
from i2i.networks.settings import ResNet
from i2i.translator import Card, Translator


class Negative(nn.Module):
    multiple = 8

    def forward(self, x: Tensor) -> Tensor:
        return -x


def load(model: str) -> Translator:
    direction = "BtoA" if "back" in model else "AtoB"
    card = Card(architecture=ResNet(width=2, blocks=1), in_channels=3, out_channels=3, direction=direction)
    return Translator(Negative(), card, device="cpu", precision="fp32")


def flat(level: int, size: tuple[int, int] = (16, 24)) -> np.ndarray:
    return np.full((*size, 3), level, np.uint8)


def put(path: Path, pixels: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    images.write(path, pixels)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    root = tmp_path / "data"
    for index in range(12):
        put(root / "test" / f"{index}.png", np.hstack([flat(10 * index), flat(200)]))
    return root


def test_a_model_and_a_folder_are_shown_at_the_inputs_size(data: Path, tmp_path: Path):
    for index in range(12):
        put(tmp_path / "made" / f"{index}_fake_B.png", flat(10 * index + 1, (8, 8)))
        put(tmp_path / "made" / f"{index}_real_A.png", flat(0, (8, 8)))
    one, two = open_candidate("model", load=load), open_candidate(str(tmp_path / "made"), load=load)
    told: list[tuple[int, int]] = []
    found = list(trios(one, two, sources(data, "test", one_way(one, two)), 4, lambda *at: told.append(at)))
    assert [trio.name for trio in found] == ["0", "11", "5", "9"]
    trio = found[1]
    assert trio.input.shape == trio.a.shape == trio.b.shape == (16, 24, 3)
    assert np.all(trio.input == 110)
    assert np.all(trio.a == 145)
    assert np.all(trio.b == 111)
    assert told == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_a_name_that_begins_with_another_is_not_taken_for_it(tmp_path: Path):
    for name in ("12", "12_1"):
        put(tmp_path / "in" / f"{name}.png", flat(0))
        put(tmp_path / "out" / f"{name}.png", flat(len(name)))
    inputs = sources(tmp_path / "in", "test", "AtoB")
    assert [source.name for source in chosen(inputs, 1)] == ["12"]
    one = open_candidate(str(tmp_path / "out"), load=load)
    (trio,) = trios(one, one, inputs, 1)
    assert np.all(trio.a == 2)


def test_the_pictures_of_an_evaluation_are_taken(tmp_path: Path):
    put(tmp_path / "results" / "pictures" / "1.png", flat(7))
    (tmp_path / "results" / "metrics.json").write_text("{}")
    assert open_candidate(str(tmp_path / "results"), load=load).folder == tmp_path / "results" / "pictures"


def test_the_way_back_shows_the_other_side(data: Path):
    one = open_candidate("back", load=load)
    (trio, *_) = trios(one, one, sources(data, "test", one_way(one, one)), 1)
    assert np.all(trio.input == 200)


def test_two_domains_and_a_plain_folder_have_inputs_too(tmp_path: Path):
    put(tmp_path / "d" / "testA" / "x.png", flat(1))
    put(tmp_path / "d" / "testB" / "y.png", flat(2))
    put(tmp_path / "plain" / "z.png", flat(3))
    assert [source.name for source in sources(tmp_path / "d", "test", "BtoA")] == ["y"]
    assert [source.name for source in sources(tmp_path / "plain", "test", "AtoB")] == ["z"]


def test_what_is_missing_is_said_before_any_work(data: Path, tmp_path: Path):
    put(tmp_path / "made" / "0.png", flat(1))
    one = open_candidate(str(tmp_path / "made"), load=load)
    with pytest.raises(DatasetError, match="no picture of 11 of 12"):
        next(trios(one, one, sources(data, "test", "AtoB"), 50))
    with pytest.raises(DatasetError, match=r"no val split, only test.*--split"):
        sources(data, "val", "AtoB")


def test_two_ways_cannot_be_compared():
    there, back = open_candidate("there", load=load), open_candidate("back", load=load)
    with pytest.raises(SettingsError, match="--direction"):
        one_way(there, back)
