"""The card: what is said of a model, and what is not."""

import json
import re
from pathlib import Path

import pytest
import yaml
from sharing_runs import evaluated, make_run, save

from i2i.errors import SettingsError
from i2i.hub import parse
from i2i.sharing import pack
from i2i.sharing.facts import facts_of

NAME = parse("ada/faces")


def metadata(card: str) -> dict:
    return yaml.safe_load(card.split("---\n")[1])


def test_a_card_says_what_it_learnt_from_how_good_it_is_and_how_to_use_it(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run")
    evaluated(run / "results")
    card = pack(run, NAME, licence="cc-by-4.0").card
    assert metadata(card) == {
        "license": "cc-by-4.0",
        "library_name": "i2i",
        "pipeline_tag": "image-to-image",
        "tags": ["i2i", "image-to-image", "gan", "pix2pix"],
    }
    assert "\nOn 20 pictures" in card  # this evaluation does not say of which direction
    for text in (
        "# faces",
        "pix2pix AtoB, resnet of width 2, 3 to 3 channels, trained at 256 (none).",
        "i2i translate hf://ada/faces photos/ translated/\n",
        "| pictures | 6 pairs of faces |",
        "| crop | 256 pixels, of pictures as they are |",
        "| steps | 1,200 |",
        "| pictures seen | 4,800 |",
        "| training time | 2 h 1 min |",
        "On 20 pictures of the test split",
        "| | this model | copy the input |",
        "| L1 (of 255) | 12.35 | 40.00 |",
        "| random64/kid | 0.012 |  |",
        "cc-by-4.0, of this translator.",
        "lambda_l1: 100.0",
    ):
        assert text in card, text


def test_names_of_folders_that_are_nobodys_business_are_cut_off(tmp_path: Path) -> None:
    card = pack(make_run(tmp_path / "run"), NAME).card
    assert "ada/secret" not in card
    assert "/home" not in card
    assert "teacher: big" in card


@pytest.mark.parametrize(
    ("note", "said"),
    [
        ("400 pairs side by side in facades/train", "400 pairs side by side of facades"),
        ("96 and 96 pictures in D:\\me\\horses\\trainA and D:\\me\\horses\\trainB", "96 and 96 pictures of horses"),
        ("1,200 pictures in 3 classes in /x/cats/train (4 other files ignored)", "1,200 pictures in 3 classes of cats"),
        ("6 pairs in train/A and train/B", "6 pairs"),
        ("6 pairs in /home/ada lovelace (work)/faces/train", "6 pairs of faces"),
        ("6 pairs in /home/ada and bob/faces/train/A and /home/ada and bob/faces/train/B", "6 pairs of faces"),
        ("1,200 pictures in /Users/ada, bob/faces/train", "1,200 pictures of faces"),
        ("1,200 pictures in /a/faces/train, 12 of them apart", "1,200 pictures of faces"),
        ("something else", ""),
    ],
)
def test_what_it_learnt_from_is_the_sets_name_and_no_path(tmp_path: Path, note: str, said: str) -> None:
    (tmp_path / "notes.txt").write_text(note + "\nanother note\n")
    assert facts_of(tmp_path).data == said


def test_scores_beside_a_file_are_not_taken_for_its_own(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run")
    evaluated(run / "results")
    (run / "best.safetensors").write_bytes((run / "translator.safetensors").read_bytes())
    assert "How good it is" not in pack(run / "best.safetensors", NAME).card
    asked = pack(run / "best.safetensors", NAME, evaluations=[run / "results"]).card
    assert "On 20 pictures of the test split" in asked
    assert "6 pairs of faces" in asked


def test_scores_of_two_directions_are_told_apart(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", two=True)
    for way in ("AtoB", "BtoA"):
        evaluated(run / way, direction=way)
    card = pack(run, NAME).card
    assert "\nAtoB, on 20 pictures of the test split" in card
    assert "\nBtoA, on 20 pictures of the test split" in card


def test_scores_that_are_no_numbers_make_no_table(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run")
    evaluated(run / "results", metrics={"l1": float("nan")})
    assert "How good it is" not in pack(run, NAME).card


def test_a_tag_is_the_recipes_own_name(tmp_path: Path) -> None:
    save(tmp_path / "translator.safetensors", recipe="my_own")
    card = pack(tmp_path, NAME).card
    assert "my_own" in metadata(card)["tags"]
    assert "my\\_own" in card  # where Markdown would make it slanted


def test_both_directions_are_named(tmp_path: Path) -> None:
    card = pack(make_run(tmp_path / "run", two=True), NAME).card
    assert "hf://ada/faces photos/ translated/ --direction AtoB\n" in card
    assert "hf://ada/faces photos/ translated/ --direction BtoA\n" in card
    assert "cyclegan BtoA" in card


def test_a_run_with_little_in_it_has_a_card_too(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run")
    for name in ("notes.txt", "experiment.yaml", "log.jsonl"):
        (run / name).unlink()
    (run / "metrics.json").write_text("{")
    card = pack(run, NAME).card
    assert "| steps | 1,200 |" in card
    for title in ("How good", "Settings", "pictures seen"):
        assert title not in card
    assert "Not said: ask the author" in card
    assert metadata(card)["license"] == "unknown"


def test_an_evaluation_that_was_asked_for_has_to_be_there(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run")
    with pytest.raises(SettingsError, match="holds no scores"):
        pack(run, NAME, evaluations=[tmp_path / "nowhere"])
    (tmp_path / "metrics.json").write_text(json.dumps({"metrics": {"l1": "x"}, "split": "t", "pictures": 1}))
    with pytest.raises(SettingsError, match="holds no scores"):
        pack(run, NAME, evaluations=[tmp_path])


def test_markup_in_a_name_stays_text(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run")
    (run / "notes.txt").write_text("6 pairs in <img src=x>|a_b`c`/train\n")
    (run / "experiment.yaml").write_text("recipe: '````'\n")
    card = pack(run, NAME).card
    assert "<img" not in card.replace("\\<img", "")
    assert r"\|a\_b\`c\`" in card
    assert len(re.findall("````", card)) == 2
