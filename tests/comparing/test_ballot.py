import json
from pathlib import Path

import pytest

from i2i.comparing import Ballot
from i2i.comparing.binomial import exact_interval, sign_test
from i2i.errors import DatasetError

NAMES = [f"picture {at}" for at in range(20)]


def ballot(place: Path, seed: int = 0, **about: str) -> Ballot:
    return Ballot(NAMES, {"A": "one", "B": "two", **about}, seed, place / "votes.jsonl")


def lines(place: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (place / "votes.jsonl").read_text().splitlines()][1:]


def test_every_pair_is_shown_once_and_each_stands_left_in_half_of_them(tmp_path: Path):
    found = ballot(tmp_path)
    shown = [found.at(place, "left") for place in range(20)]
    assert sorted(index for index, _ in shown) == list(range(20))
    assert [index for index, _ in shown] != list(range(20))
    whose = [candidate for _, candidate in shown]
    assert whose.count("A") == 10
    assert len(set(zip(whose[::2], whose[1::2], strict=True))) > 2, "in no pattern"
    assert all({found.at(at, "left")[1], found.at(at, "right")[1]} == {"A", "B"} for at in range(20))


def test_the_order_is_the_seeds(tmp_path: Path):
    for name in ("one", "two", "three"):
        (tmp_path / name).mkdir()
    one, two, other = ballot(tmp_path / "one"), ballot(tmp_path / "two"), ballot(tmp_path / "three", seed=1)
    assert one.order == two.order != other.order


def test_a_vote_is_for_who_stood_there_and_is_written_at_once(tmp_path: Path):
    found = ballot(tmp_path)
    for place, choice in enumerate(("left", "right", "same")):
        whose = "cannot tell" if choice == "same" else found.at(place, choice)[1]
        assert found.vote(place, choice)
        line = lines(tmp_path)[-1]
        assert (line["vote"], line["pair"]) == (whose, NAMES[found.order[place]])
        assert line["left"] == found.at(place, "left")[1]
    assert found.done == 3
    assert found.outcome.same == 1


def test_a_pair_counts_once_and_none_is_skipped(tmp_path: Path):
    found = ballot(tmp_path)
    assert found.vote(0, "left")
    assert not found.vote(0, "right")
    assert not found.vote(5, "left")
    assert (found.done, len(lines(tmp_path))) == (1, 1)


def test_a_comparison_that_was_left_is_gone_on_with(tmp_path: Path):
    found = ballot(tmp_path)
    for place in range(4):
        found.vote(place, "left")
    again = ballot(tmp_path)
    assert again.done == 4
    assert again.outcome == found.outcome
    assert again.vote(4, "same")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("not json\n", "holds no votes of i2i"),
        ('{"comparison": {}}\n', "votes on something else"),
        (None, "no vote of this comparison"),
    ],
)
def test_a_file_of_something_else_is_left_alone(tmp_path: Path, text: str | None, said: str):
    file = tmp_path / "votes.jsonl"
    if text is None:
        ballot(tmp_path).vote(0, "left")
        text = file.read_text() + '{"pair": "picture 99", "vote": "A"}\n'
    file.write_text(text)
    with pytest.raises(DatasetError, match=said):
        ballot(tmp_path)
    assert file.read_text() == text


def test_a_file_that_cannot_be_written_is_said(tmp_path: Path):
    (tmp_path / "votes.jsonl").mkdir()
    with pytest.raises(DatasetError, match=r"cannot hold the votes.*--out"):
        ballot(tmp_path)


def test_a_comparison_without_a_vote_leaves_nothing_in_the_way(tmp_path: Path):
    ballot(tmp_path)
    assert not any(tmp_path.iterdir())
    (tmp_path / "votes.jsonl").touch()
    ballot(tmp_path, data="wrong")
    again = ballot(tmp_path, data="right")
    assert again.vote(0, "left")
    assert ballot(tmp_path, data="right").done == 1
    assert len(lines(tmp_path)) == 1


def test_a_folder_that_cannot_be_written_is_said_before_the_first_vote(tmp_path: Path):
    (tmp_path / "file").touch()
    with pytest.raises(DatasetError, match=r"cannot hold the votes.*--out"):
        ballot(tmp_path / "file")


@pytest.mark.parametrize("name", ["caf\udce9", "a\u2028b", "a\x85b", "a\nb", "a\rb", "überall"])
def test_any_name_can_be_voted_on(name: str, tmp_path: Path):
    names = [name, f"{name} too"]
    first = Ballot(names, {"A": name}, 0, tmp_path / "votes.jsonl")
    assert first.vote(0, "left")
    assert Ballot(names, {"A": name}, 0, tmp_path / "votes.jsonl").done == 1


def test_seconds_are_those_of_looking(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    now = [100.0]
    monkeypatch.setattr("i2i.comparing.ballot.time.monotonic", lambda: now[0])
    found = ballot(tmp_path)
    now[0] += 60  # models translate, and somebody opens the page
    found.look()
    for seconds in (3, 5):
        now[0] += seconds
        found.look()  # its other pictures, and those of the next
        found.vote(found.done, "left")
    assert [line["seconds"] for line in lines(tmp_path)] == [3, 5]


def test_an_outcome_says_no_more_than_its_votes(tmp_path: Path):
    found = ballot(tmp_path)
    assert found.outcome.interval == (0, 1)
    for place in range(20):
        found.vote(place, "left" if found.at(place, "left")[1] == "A" else "right")
        if place == 3:
            assert found.outcome.verdict.startswith("no preference")
    assert (found.outcome.a, found.outcome.share) == (20, 1)
    assert found.outcome.verdict == "A is preferred"


def test_the_interval_is_the_exact_one_and_the_chance_that_of_fair_coins():
    # Newcombe 1998, Table I, method 5 (Clopper-Pearson).
    assert exact_interval(81, 263) == pytest.approx((0.2527, 0.3676), abs=5e-5)
    assert exact_interval(15, 148) == pytest.approx((0.0578, 0.1617), abs=5e-5)
    assert exact_interval(0, 20) == pytest.approx((0, 0.1684), abs=5e-5)
    assert sign_test(0, 5) == pytest.approx(2 / 32)
    assert sign_test(5, 10) == 1
    assert exact_interval(3000, 5000)[0] > 0.58, "nor are many votes too many"


@pytest.mark.parametrize("trials", [1, 5, 6, 40, 41])
def test_interval_and_chance_never_contradict_each_other(trials: int):
    for hits in range(trials + 1):
        low, high = exact_interval(hits, trials)
        assert (low > 0.5 or high < 0.5) == (sign_test(hits, trials) < 0.05)
