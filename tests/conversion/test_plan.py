import io
import os
import tracemalloc
from itertools import chain
from pathlib import Path

import numpy as np
import pytest

from i2i.conversion import Shard, make_plan, read_list
from i2i.conversion.there import is_there, remove_unfinished, what_is_there


def touch(*files: Path) -> None:
    for file in files:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"x")


def test_a_plan_is_a_sequence_of_paths(tmp_path):
    touch(*(tmp_path / "in" / f"{index}.jpg" for index in range(7)))
    plan = make_plan([tmp_path / "in"], tmp_path / "out", "png", "whole")
    wanted = [(tmp_path / "in" / f"{index}.jpg", tmp_path / "out" / f"{index}.png") for index in range(7)]
    assert len(plan) == 7
    assert list(plan) == wanted
    assert [plan[index] for index in range(7)] == wanted
    assert list(plan[2:5]) == wanted[2:5]
    assert list(plan.only(slice(1, None, 3))) == wanted[1::3]
    odd = np.arange(7) % 2 == 1
    assert list(plan.only(odd)) == wanted[1::2]
    assert list(plan.only(odd).only(slice(1, None))) == wanted[3::2]


def test_shards_of_a_folder_are_a_partition_of_its_plan(tmp_path):
    touch(*(tmp_path / "in" / name for name in ("b/1.png", "a/2.png", "a/1.png", "c.png", "b/2.jpg")))
    plan = make_plan([tmp_path / "in"], tmp_path / "out", half="whole")
    again = make_plan([tmp_path / "in"], tmp_path / "out", half="whole")
    parts = [list(again.only(Shard(index, 3).files)) for index in range(3)]
    assert sorted(chain.from_iterable(parts)) == sorted(plan)


def test_inputs_of_all_kinds_keep_their_order(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    touch(*(tmp_path / name for name in ("z.png", "y.png", "d/x.png", "e/w.png", "g/1.png", "g/2.png")))
    inputs = [Path("z.png"), Path("y.png"), Path("d"), Path("g/*.png"), read_list(io.BytesIO(b"e/w.png"))]
    found = make_plan(inputs, Path("out"), half="whole")
    assert [str(target) for _, target in found] == [
        f"out/{name}" for name in ("z.png", "y.png", "x.png", "1.png", "2.png", "e/w.png")
    ]


@pytest.mark.slow
def test_a_hundred_thousand_names_take_ten_megabytes():
    names = b"".join(b"folder-%03d/photo-of-a-street-%07d.jpg\n" % (index % 500, index) for index in range(10**5))
    listed = read_list(io.BytesIO(names))
    tracemalloc.start()
    plan = make_plan([listed], Path("out"), half="whole")
    there = what_is_there(plan, plan)
    kept, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(plan) == 10**5
    assert not there.any()
    assert kept + listed.names.text.nbytes + 8 * 10**5 < 10e6
    assert most < 15e6


# ------------------------------------------------------------------------------------------------------ what is there


def test_an_empty_file_is_no_result(tmp_path):
    (tmp_path / "empty.png").touch()
    touch(tmp_path / "full.png")
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "link.png").symlink_to("nowhere")
    found = {name: is_there(tmp_path / f"{name}.png") for name in ("empty", "full", "folder", "link", "none")}
    assert found == {"empty": False, "full": True, "folder": True, "link": True, "none": False}


def test_what_killed_processes_left_is_removed_and_nothing_else(tmp_path):
    touch(tmp_path / "in" / "a.png", tmp_path / "in" / "d" / "b.png")
    left = [tmp_path / "out" / ".i2i-00000000-1-0123456789ab.png", tmp_path / "out/d/.i2i-00000000-1-0123456789ab.png"]
    others = [tmp_path / "out" / name for name in (".hidden.png", "a.png", ".i2i-notes", "e/.i2i-notes.png")]
    touch(*left, *others)
    for file in left:
        os.utime(file, (0, 0))
    assert remove_unfinished(make_plan([tmp_path / "in"], tmp_path / "out", half="whole")) == 2
    assert not any(file.exists() for file in left)
    assert all(file.exists() for file in others)
