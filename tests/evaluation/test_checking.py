"""Copies, sameness and grids of a translator that copies its input, on inputs that training had as targets, or not."""

import dataclasses
import json

import pytest
from torch import Tensor, nn

from i2i import images
from i2i.cli import main
from i2i.data.day2night import draw
from i2i.evaluation import Evaluation, Several, measure, publish_several
from i2i.evaluation.checking import HALVES
from i2i.evaluation.scores import OURS
from i2i.networks.settings import ResNet
from i2i.translator import Card, Translator, save_network

COUNT = 12


class Identity(nn.Module):
    multiple = 8

    def forward(self, x: Tensor) -> Tensor:
        return x


class Grey(nn.Module):
    multiple = 8

    def forward(self, x: Tensor) -> Tensor:
        return 0 * x


def translator(network=None, **fields):
    card = Card(architecture=ResNet(width=2, blocks=1), in_channels=3, out_channels=3, **fields)
    return Translator(network or Identity(), card, device="cpu", precision="fp32", batch_size=5)


def night(seed):
    return draw(seed, (40, 40))[1]


def fill(root, form, split, inputs, targets):
    """Pictures as pairs, A/3.png and B/3.png, or as two domains of other names."""
    for side, pictures in (("A", inputs), ("B", targets)):
        for index, pixels in enumerate(pictures):
            place = (
                root / split / side / f"{index}.png"
                if form == "pairs"
                else root / f"{split}{side}" / f"{side}{index}.png"
            )
            place.parent.mkdir(parents=True, exist_ok=True)
            images.write(place, pixels)


@pytest.fixture(scope="module", params=["pairs", "domains"])
def form(request):
    return request.param


@pytest.fixture(scope="module")
def copied(tmp_path_factory, form):
    """Inputs of the test split are the targets of the training split, and the other way round."""
    root = tmp_path_factory.mktemp("copied")
    learnt = [night(seed) for seed in range(14)]
    fill(root, form, "train", [night(100 + seed) for seed in range(14)], learnt)
    fill(root, form, "test", learnt[:COUNT], [night(100 + seed) for seed in range(COUNT)])
    return root


@pytest.fixture(scope="module")
def found(copied, tmp_path_factory):
    out = tmp_path_factory.mktemp("out")
    return measure(translator(), copied, out=out), out


def test_a_model_that_paints_training_pictures_is_caught(found):
    rows = found[0].sections["checks"].rows
    assert rows[OURS]["random128/copied"] == rows[OURS]["random128/nearer"] == 1
    assert rows[OURS]["random128/authentic"] == rows[OURS]["random128/distance ratio"] == 0
    assert rows[HALVES]["random128/nearer"] == pytest.approx(0.5, abs=0.3)
    assert rows[HALVES]["random128/authentic"] > 0
    assert found[0].sections["checks"].intervals[OURS]["random128/copied"] == pytest.approx((1, 1))


def test_what_is_left_shows_the_training_pictures(found, form):
    _, out = found
    kept = json.loads((out / "metrics.json").read_text())
    assert kept["sections"]["checks"]["rows"][OURS]["random128/copied"] == 1
    assert {"swd", "swd 32", "random128/f-score", "random128/feature matching"} <= kept["sections"]["more"]["rows"][
        OURS
    ].keys()
    assert [one["name"] for one in kept["features"]] == ["random128"]
    assert all(each["nearest training picture"] == 0 for each in kept["each"].values())
    page = (out / "report.html").read_text()
    assert "Nearest to training pictures" in page
    # Input 0 is training's target 0.
    assert f"nearest to {'0' if form == 'pairs' else 'B0'}, at 0.00 of the usual distance" in page
    assert page.index("Copies, sameness, grids") < page.index("Asked for by many") < page.index("Nearest to training")


def test_one_picture_for_all_has_no_diversity_and_is_no_copy(copied):
    rows = measure(translator(Grey()), copied).sections["checks"].rows
    assert rows[OURS]["diversity"] == 0
    assert rows[OURS]["random128/diversity"] == pytest.approx(0, abs=1e-3)
    assert rows[HALVES]["diversity"] > 0.5
    assert rows[OURS]["random128/copied"] == 0


def test_the_other_way_looks_at_the_other_side(copied):
    rows = measure(translator(direction="BtoA"), copied).sections["checks"].rows
    assert rows[OURS]["random128/copied"] == 1
    # Of B they would be the held-out ones themselves.
    assert rows[HALVES]["random128/distance ratio"] > 0.5


def test_pictures_that_go_together_change_nothing(copied, found):
    alone = Translator(Identity(), translator().card, device="cpu", precision="fp32", batch_size=1)
    rows = measure(alone, copied).sections["checks"].rows
    for row, scores in found[0].sections["checks"].rows.items():
        assert rows[row] == pytest.approx(scores, abs=1e-4)


def test_training_pictures_come_first_and_count(copied):
    seen = []
    measure(translator(), copied, on_progress=lambda done, total: seen.append((done, total)))
    assert seen == [(5, 26), (10, 26), (14, 26), (19, 26), (24, 26), (26, 26)]


def test_what_cannot_be_read_is_left_out(tmp_path):
    fill(tmp_path, "domains", "train", [night(0)] * 2, [night(seed) for seed in range(11)])
    (tmp_path / "trainB" / "B10.png").write_bytes(b"no picture")
    fill(tmp_path, "domains", "test", [night(50 + seed) for seed in range(10)], [night(seed) for seed in range(20, 30)])
    section = measure(translator(), tmp_path).sections["checks"]
    assert "random128/copied" in section.rows[OURS]
    assert any("10 training pictures were looked at" in note for note in section.notes)
    (tmp_path / "trainB" / "B9.png").write_bytes(b"nor this")
    section = measure(translator(), tmp_path).sections["checks"]
    assert "random128/copied" not in section.rows[OURS]
    assert any("too few training pictures could be read" in note for note in section.notes)


@pytest.mark.parametrize(
    ("split", "why"), [("test", "has no train split"), ("train", "the training pictures themselves")]
)
def test_without_other_training_pictures_it_says_why(split, why, form, tmp_path):
    fill(tmp_path, form, split, [night(seed) for seed in range(10)], [night(20 + seed) for seed in range(10)])
    found = measure(translator(), tmp_path, split=split, out=tmp_path / "out")
    section = found.sections["checks"]
    assert any(why in note for note in section.notes)
    assert not any("copied" in name for name in section.titles)
    assert "diversity" in section.rows[OURS]
    assert "Nearest to training" not in (tmp_path / "out" / "report.html").read_text()


def test_of_a_few_pictures_nothing_is_said(tmp_path):
    fill(tmp_path, "pairs", "test", [night(seed) for seed in range(9)], [night(20 + seed) for seed in range(9)])
    found = measure(translator(), tmp_path)
    assert not found.sections
    assert any("fewer than 10 pictures" in note for note in found.notes)


def test_large_sets_are_looked_at_evenly(copied, form, monkeypatch, tmp_path):
    for module in ("training_pictures", "pairs", "domains"):
        monkeypatch.setattr(f"i2i.evaluation.{module}.MOST", 10)
    found = measure(translator(), copied, out=tmp_path)
    assert any("10 training pictures were looked at" in note for note in found.sections["checks"].notes)
    each = json.loads((tmp_path / "metrics.json").read_text())["each"]
    assert len(each) == (COUNT if form == "pairs" else 10)
    assert sum("nearest training picture" in scores for scores in each.values()) == 10
    # Evenly from first to last, of both.
    assert "nearest training picture" in each["11" if form == "pairs" else "A11"]


def test_several_runs_have_mean_and_spread(found, tmp_path):
    one: Evaluation = found[0]
    section = one.sections["checks"]
    rows = section.rows | {OURS: section.rows[OURS] | {"diversity": section.rows[OURS]["diversity"] + 2}}
    two = dataclasses.replace(one, sections={"checks": dataclasses.replace(section, rows=rows)})
    runs = Several({"a": one, "b": two})
    assert list(runs.sections) == ["checks"]
    both = runs.sections["checks"]
    assert list(both.rows) == ["a", "b", "mean of the runs", "spread of the runs", HALVES]
    assert both.rows["mean of the runs"]["diversity"] == pytest.approx(section.rows[OURS]["diversity"] + 1)
    assert both.rows["spread of the runs"]["diversity"] == pytest.approx(2**0.5)
    assert both.intervals["b"] == section.intervals[OURS]
    publish_several(tmp_path, runs)
    assert "Copies, sameness, grids" in (tmp_path / "report.html").read_text()


def test_the_command_prints_more_where_it_is_asked(copied, tmp_path, capsys):
    card = Card(architecture=ResNet(width=2, blocks=1), in_channels=3, out_channels=3, size="32")
    save_network(card.architecture.build(3, 3, (32, 32)), card, tmp_path / "t.safetensors")
    words = ["evaluate", str(tmp_path / "t.safetensors"), str(copied), "--device", "cpu", "--precision", "fp32"]
    assert main(words) == 0
    said = capsys.readouterr().out
    assert "diversity (pixels)" in said
    assert "by chance" in said
    assert "SWD" not in said
    assert main([*words, "--more"]) == 0
    assert "SWD x 1000" in capsys.readouterr().out
