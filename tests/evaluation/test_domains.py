import json

import numpy as np
import pytest
from torch import Tensor, nn

from i2i import images
from i2i.cli import main
from i2i.data.day2night import draw
from i2i.errors import DatasetError
from i2i.evaluation import Evaluation, evaluate, measure
from i2i.networks.settings import ResNet
from i2i.translator import Card, Translator, save_network

COUNT = 12


class Identity(nn.Module):
    multiple = 8

    def forward(self, x: Tensor) -> Tensor:
        return x


class Darker(nn.Module):
    multiple = 8

    def forward(self, x: Tensor) -> Tensor:
        return (x + 1) * 0.25 - 1


def translator(network=None, **fields):
    card = Card(architecture=ResNet(width=2, blocks=1), in_channels=3, out_channels=3, **fields)
    return Translator(network or Identity(), card, device="cpu", precision="fp32", batch_size=5)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Streets by day, and others by night; not as many, and of other names."""
    root = tmp_path_factory.mktemp("streets")
    for side in "AB":
        (root / f"test{side}").mkdir()
    for seed in range(COUNT):
        images.write(root / "testA" / f"day{seed}.png", draw(seed, (32, 48))[0])
        images.write(root / "testB" / f"night{seed}.png", draw(100 + seed, (32, 40))[1])
    images.write(root / "testB" / "more.png", draw(99, (32, 32))[1])
    return root


@pytest.fixture(scope="module")
def found(data) -> Evaluation:
    return measure(translator(), data)


def test_a_copy_scores_as_a_copy_and_keeps_all(found):
    assert found.metrics == pytest.approx(found.floors["copy the input"])
    assert (found.metrics["structure"], found.metrics["orientation"]) == pytest.approx((1, 1))
    assert found.pictures == COUNT


def test_the_names_of_metrics_say_whose_features_they_rest_on(found):
    (features,) = found.features
    assert features["name"] == "random128"
    wanted = {f"random128/{name}" for name in ("kid", "kid error", "fid", "precision", "recall", "coverage")}
    assert found.metrics.keys() == found.titles.keys() == wanted | {"structure", "orientation"}
    for scores in (*found.floors.values(), *found.ceilings.values()):
        assert scores.keys() == found.metrics.keys()
        assert all(type(value) is float and np.isfinite(value) for value in scores.values())
    assert any(str(features["hash"])[:16] in note for note in found.notes)


def test_the_floor_is_far_and_the_ceiling_is_near(found):
    ceiling, copy = found.ceilings["other real ones"], found.floors["copy the input"]
    toned = found.floors["in a real one's tones"]
    assert abs(ceiling["random128/kid"]) < toned["random128/kid"] < copy["random128/kid"]
    assert ceiling["random128/coverage"] > copy["random128/coverage"]
    assert ceiling["structure"] < 0.5 < toned["structure"]


def test_the_other_way_is_measured_against_days(data):
    there, back = measure(translator(), data), measure(translator(direction="BtoA"), data)
    assert back.pictures == COUNT + 1
    # Between the same two lots: KID does not mind which is which.
    assert back.metrics["random128/kid"] == pytest.approx(there.metrics["random128/kid"])


def test_darkening_keeps_structure_and_is_another_lot(data, found):
    darker = evaluate(translator(Darker()), data)
    assert darker["random128/kid"] != found.metrics["random128/kid"]
    assert darker["structure"] > 0.95
    assert darker["other real ones/random128/kid"] == found.ceilings["other real ones"]["random128/kid"]


def test_what_is_left(data, tmp_path):
    measure(translator(), data, out=tmp_path)
    kept = json.loads((tmp_path / "metrics.json").read_text())
    (features,) = kept["features"]
    assert features["name"] == "random128"
    assert len(features["hash"]) == 64
    assert set(kept["each"]) == {f"day{seed}" for seed in range(COUNT)}
    assert np.array_equal(images.read(tmp_path / "pictures" / "day3.png"), images.read(data / "testA" / "day3.png"))
    page = (tmp_path / "report.html").read_text()
    assert "KID (random128)" in page
    assert "least kept" in page


def test_too_few_pictures_are_one_line(tmp_path):
    for side, count in (("A", 12), ("B", 9)):
        (tmp_path / f"test{side}").mkdir()
        for index in range(count):
            images.write(tmp_path / f"test{side}" / f"{side}{index}.png", np.full((16, 16, 3), index, np.uint8))
    with pytest.raises(DatasetError, match=r"12 pictures of A and 9 of B, too few.*10 of each") as error:
        evaluate(translator(), tmp_path)
    assert "\n" not in str(error.value)


def test_pairs_can_be_measured_as_domains(tmp_path):
    for seed in range(COUNT):
        day, night = draw(seed, (32, 32))
        (tmp_path / "test").mkdir(exist_ok=True)
        images.write(tmp_path / "test" / f"{seed}.png", np.concatenate([day, night], axis=1))
    found = measure(translator(), tmp_path, kind="domains")
    assert found.pictures == COUNT
    # Not with its own partner.
    own = measure(translator(direction="BtoA"), tmp_path, kind="domains").ceilings["other real ones"]["structure"]
    assert own < 0.4
    assert set(measure(translator(), tmp_path).metrics) == {"l1", "psnr", "ssim"}


def test_pictures_of_one_name_in_two_folders_are_two(tmp_path):
    for side in "AB":
        for index in range(10):
            path = tmp_path / f"test{side}" / str(index % 2) / f"{side}{index // 2}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            images.write(path, np.random.default_rng(index).integers(0, 256, (16, 16, 3), dtype=np.uint8))
    measure(translator(), tmp_path, out=tmp_path / "out")
    assert len(list((tmp_path / "out" / "pictures").rglob("*.png"))) == 10


def test_the_command_prints_a_score_a_row(data, tmp_path, capsys):
    card = Card(architecture=ResNet(width=2, blocks=1), in_channels=3, out_channels=3, size="32")
    save_network(card.architecture.build(3, 3, (32, 32)), card, tmp_path / "t.safetensors")
    assert main(["evaluate", str(tmp_path / "t.safetensors"), str(data), "--device", "cpu", "--precision", "fp32"]) == 0
    said = capsys.readouterr().out
    lines = {line.split("│")[1].strip(): line for line in said.splitlines() if line.count("│") > 3}
    assert "KID (random128)" in lines
    assert "structure (SSIM)" in lines
    head = "".join(said.splitlines()[:6])
    assert all(word in head for word in ("this", "model", "copy the", "other"))
    assert max(map(len, said.splitlines()[:12])) <= 120
