import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from i2i.images import is_picture, unfinished


def left(folder: Path, name: str, age: float = 0.0) -> Path:
    path = folder / name
    path.touch()
    os.utime(path, (time.time() - age,) * 2)
    return path


def of_a_process_that_is_gone() -> str:
    script = "from i2i.images import unfinished; print(unfinished.name('.png'))"
    return subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.strip()


def test_an_unfinished_picture_is_hidden_and_has_a_name_of_its_own() -> None:
    names = {unfinished.name(".jpg") for _ in range(100)}
    assert len(names) == 100
    assert not any(is_picture(name) for name in names)
    assert all(name.endswith(".jpg") for name in names)


def test_what_this_process_writes_is_not_abandoned(tmp_path: Path) -> None:
    assert not unfinished.is_abandoned(left(tmp_path, unfinished.name(".png")))


def test_what_a_process_left_that_is_gone_is_abandoned(tmp_path: Path) -> None:
    assert unfinished.is_abandoned(left(tmp_path, of_a_process_that_is_gone()))


@pytest.mark.parametrize(("age", "abandoned"), [(60, False), (7200, True)])
def test_another_machine_is_given_an_hour(age: float, abandoned: bool, tmp_path: Path) -> None:
    assert unfinished.is_abandoned(left(tmp_path, ".i2i-00000000-1-0123456789ab.png", age)) == abandoned


@pytest.mark.parametrize("name", ["a.png", ".0123456789ab.png", ".i2i-x-1-0123456789ab.png", ".i2i-notes.txt"])
def test_other_files_are_nobody_s_to_remove(name: str, tmp_path: Path) -> None:
    assert not unfinished.is_abandoned(left(tmp_path, name, 10**6))
