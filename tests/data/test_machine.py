import os

from i2i.data import machine


def test_a_container_has_what_its_limits_leave(tmp_path, monkeypatch):
    monkeypatch.setattr(machine, "_GROUPS", tmp_path)
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: set(range(16)), raising=False)
    whole = machine.free_memory()
    assert machine.cores() == 16
    (tmp_path / "cpu.max").write_text("max 100000\n")
    (tmp_path / "memory.max").write_text("max\n")
    (tmp_path / "memory.current").write_text("700\n")
    assert machine.cores() == 16
    assert whole / 2 < machine.free_memory() < whole * 2
    (tmp_path / "cpu.max").write_text("350000 100000\n")
    (tmp_path / "memory.max").write_text("1000\n")
    (tmp_path / "memory.stat").write_text("anon 500\ninactive_file 200\n")
    assert machine.cores() == 3
    assert machine.free_memory() == 500


def test_siblings_are_those_that_torchrun_counts(monkeypatch):
    monkeypatch.delenv("LOCAL_WORLD_SIZE", raising=False)
    assert machine.siblings() == 1
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "4")
    assert machine.siblings() == 4
