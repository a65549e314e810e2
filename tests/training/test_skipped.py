"""Pictures that cannot be read are left out of a run, written down once, and a matter of the data alone."""

import sys
from pathlib import Path
from typing import Any

import pytest

from i2i.engine import checkpoint
from i2i.errors import DatasetError
from i2i.experiment import change
from i2i.training import Listener, train
from i2i.training.skipped import TOLD, Skipped

sys.path.insert(0, str(Path(__file__).parent))
from resuming import differences, folder, small


class Notes(Listener):
    def __init__(self) -> None:
        self.said: list[str] = []

    def note(self, text: str) -> None:
        self.said.append(text)


def damaged(root: Path, share: float) -> tuple[Path, Any, Any]:
    data = folder(root / "data")
    bad = data / "train" / "A" / "3.png"
    bad.write_bytes(bad.read_bytes()[:400])
    return data, bad, change(small("cyclegan"), {"data": {"unreadable": share, "holdout": 0}})


def test_a_run_leaves_out_what_it_cannot_read_and_goes_on_the_same(tmp_path: Path) -> None:
    data, bad, experiment = damaged(tmp_path, 0.2)
    notes, later = Notes(), Notes()
    train(experiment, data=data, out=tmp_path / "whole", device="cpu", workers=0, cache="none", listener=notes)
    (line,) = (tmp_path / "whole" / "skipped.txt").read_text().splitlines()
    assert line.startswith(f"{bad}: cannot be read")
    assert notes.said.count(f"Left out of training: {line}") == 1
    experiment = change(experiment, {"training": {"steps": 9}})
    train(experiment, data=data, out=tmp_path / "parts", device="cpu", workers=2, cache="none", max_seconds=0)
    train(resume=tmp_path / "parts", device="cpu", cache="memory", listener=later)
    assert differences(tmp_path / "whole", tmp_path / "parts") == []
    assert (tmp_path / "parts" / "skipped.txt").read_text() == f"{line}\n"
    assert sum(line in said for said in later.said) <= 1
    train(resume=tmp_path / "parts", steps=10, device="cpu", workers=0, cache="none", listener=later)
    assert (tmp_path / "parts" / "skipped.txt").read_text() == f"{line}\n"
    assert sum(line in said for said in later.said) <= 1
    train(experiment, data=folder(tmp_path / "sound"), out=tmp_path / "parts", existing="overwrite", device="cpu")
    assert not (tmp_path / "parts" / "skipped.txt").exists()


def test_over_the_share_a_run_stops_and_keeps_its_steps(tmp_path: Path) -> None:
    data, bad, experiment = damaged(tmp_path, 0.2)
    other = bad.with_name("4.png")

    class Damages(Listener):
        def stepped(self, step: int) -> None:
            if step == 2:
                other.write_bytes(bad.read_bytes())

    options: dict[str, Any] = {"device": "cpu", "workers": 0, "cache": "none"}
    with pytest.raises(DatasetError, match=r"2 of 6 pictures cannot be read.*i2i check .*data names all"):
        train(experiment, data=data, out=tmp_path / "run", listener=Damages(), **options)
    assert checkpoint.load(tmp_path / "run" / "checkpoint.pt")["progress"]["rounds"] >= 2
    with pytest.raises(DatasetError, match="1 of 6 pictures cannot be read"):
        train(change(experiment, {"data": {"unreadable": 0.01}}), data=data, out=tmp_path / "new", **options)


def test_a_line_that_a_crash_cut_short_is_written_again_and_many_are_not_all_told(tmp_path: Path) -> None:
    (tmp_path / "skipped.txt").write_text("a.png: damaged\nb.png: dam")
    notes = Notes()
    skipped = Skipped(tmp_path, notes)
    skipped("a.png: damaged")
    skipped("b.png: damaged")
    assert (tmp_path / "skipped.txt").read_text() == "a.png: damaged\nb.png: damaged\n"
    assert notes.said == ["Left out of training: b.png: damaged"]
    for index in range(2 * TOLD):
        skipped(f"{index}.png: damaged")
    assert len(notes.said) == TOLD
    assert "skipped.txt names all" in notes.said[-1]
    assert len((tmp_path / "skipped.txt").read_text().splitlines()) == 2 * TOLD + 2
